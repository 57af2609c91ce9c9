"""Take in what people pair, part and re-point by hand."""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from app.access.caller import Scope
from app.canonical import SYNCED_FIELDS, RecordId, RecordKind, Side
from app.documents import FieldIn, IfMatch, RequestDocument, etag, expect_version
from app.links.pairs import Pair
from app.links.reach import Reached, reach
from app.problems import FieldError, Problem, responses
from app.records.by_hand import Couple, pair_by_hand, part_by_hand, repoint_by_hand
from app.runtime import Running, Runtime
from app.sync.answers import PairAnswer
from app.sync.named import show_pairs

router = APIRouter(tags=["records"])
MayDecide = Annotated[Reached, Depends(reach(Scope.SYNC_DECIDE))]
_COMMON: Final = ("not-signed-in", "scope-missing", "not-found", "invalid-request")
_HAND: Final = (
    "link-not-active", "record-missing", "record-already-paired", "customers-not-paired",
    "system-unreachable",
)  # fmt: skip
_FREE: Final = ("precondition-required", "precondition-failed", "pair-in-use", "pair-has-projects")
_BASE: Final = "/v1/links/{link_id}/pairs"
ShortId = Annotated[str, Field(min_length=1, max_length=64)]
_COUPLE: Final[dict[str, Any]] = {
    "kind": "customer", "timeId": "cus_17", "booksId": "10017", "winners": {"email": "books"},
}  # fmt: skip


class PairBody(RequestDocument):
    """Name two records that are the same, and whose value counts where they differ."""

    model_config = {"json_schema_extra": {"examples": [_COUPLE]}}

    kind: Literal["customer", "project"]
    time_id: ShortId
    books_id: ShortId
    winners: dict[FieldIn, Literal["time", "books"]] = {}


class RepointBody(RequestDocument):
    """Name the record that takes the place of one half."""

    model_config = {"json_schema_extra": {"examples": [{"side": "books", "recordId": "10018"}]}}

    side: Literal["time", "books"]
    record_id: ShortId
    winners: dict[FieldIn, Literal["time", "books"]] = {}


@router.post(
    _BASE,
    status_code=201,
    operation_id="pairRecords",
    summary="Pair two records by hand.",
    responses=responses(*_COMMON, *_HAND),
)
async def post_pair(
    body: PairBody, reached: MayDecide, runtime: Running, response: Response
) -> PairAnswer:
    """
    Use this after the first sync, when a person knows better than the rules.

    An earlier «no» about the two, or that they were left out, is taken back. The sync then makes
    them equal; `winners` says by field whose value counts. Two that are a pair already answer with
    that pair. Scope `sync:decide`.
    """
    reached.require_active()
    couple = _couple(body.kind, body.time_id, body.books_id, body.winners)
    pair = await pair_by_hand(runtime, reached.link_id, couple, by=reached.caller.subject)
    response.headers["ETag"] = etag(pair.version)
    response.headers["Location"] = f"/v1/links/{reached.link_id}/pairs/{pair.pair_id}"
    return await _shown(runtime, reached, pair)


@router.delete(
    f"{_BASE}/{{pair_id}}",
    status_code=204,
    operation_id="partRecords",
    summary="Say that two paired records are not the same.",
    responses=responses(*_COMMON, *_FREE, "link-not-active", "system-unreachable"),
)
async def delete_pair(
    pair_id: UUID,
    reached: MayDecide,
    runtime: Running,
    if_match: IfMatch = None,
    then: Literal["leave-out", "look-again"] = "leave-out",
) -> None:
    """
    Use this to part what was paired by mistake; neither record is changed.

    The «no» is remembered: the two are never proposed again. Both stay on their own side;
    `then=look-again` lets each be linked to another, asked about, or created on the other side.
    Part a customer's projects first. Scope `sync:decide`.
    """
    reached.require_active()
    pair = await _pair(runtime, reached, pair_id, if_match)
    await part_by_hand(
        runtime, reached.link_id, pair_id, pair.version, look=then == "look-again",
        by=reached.caller.subject,
    )  # fmt: skip


@router.post(
    f"{_BASE}/{{pair_id}}/partner",
    operation_id="repointRecord",
    summary="Let one half of a pair belong to another record.",
    responses=responses(*_COMMON, *_HAND, *_FREE),
)
async def post_partner(
    pair_id: UUID,
    body: RepointBody,
    reached: MayDecide,
    runtime: Running,
    response: Response,
    if_match: IfMatch = None,
) -> PairAnswer:
    """
    Use this when the right partner is another one: parting and pairing in one step.

    `side` and `recordId` name the record that comes in; the one that goes stays on its own side
    and is never proposed for the other again. The pair gets a new id. Scope `sync:decide`.
    """
    reached.require_active()
    pair = await _pair(runtime, reached, pair_id, if_match)
    ids = {side.value: pair.record_id(side) for side in Side} | {body.side: body.record_id}
    couple = _couple(pair.kind, ids["time"], ids["books"], body.winners)
    made = await repoint_by_hand(
        runtime, reached.link_id, pair_id, pair.version, couple, by=reached.caller.subject
    )
    response.headers["ETag"] = etag(made.version)
    return await _shown(runtime, reached, made)


async def _pair(runtime: Runtime, reached: Reached, pair_id: UUID, if_match: str | None) -> Pair:
    async with runtime.database.reading(reached.link_id) as session:
        pair = await session.get(Pair, (reached.link_id, pair_id))
    if pair is None:
        raise Problem("not-found")
    present = (await _shown(runtime, reached, pair)).model_dump(mode="json", by_alias=True)
    expect_version(if_match, pair.version, present=present)
    return pair


async def _shown(runtime: Runtime, reached: Reached, pair: Pair) -> PairAnswer:
    async with runtime.database.reading(reached.link_id) as session:
        (shown,) = await show_pairs(session, reached.link_id, [pair])
    return shown


def _couple(kind: str, time_id: str, books_id: str, winners: dict[str, Any]) -> Couple:
    if not set(winners) <= set(SYNCED_FIELDS[RecordKind(kind)]):
        error = FieldError("/winners", "winner-unknown", "no field of that name")
        raise Problem("invalid-request", errors=[error])
    chosen = {name: Side(side) for name, side in winners.items()}
    return Couple(RecordKind(kind), RecordId(time_id), RecordId(books_id), chosen)

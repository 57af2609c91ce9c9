"""Show pairs, conflicts and how a link stands; take in decisions and «sync now»."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response
from sqlalchemy import update

from app.access.caller import Scope
from app.canonical import RecordKind
from app.changes.answers import change_answer
from app.database import CommitPoint
from app.documents import IfMatch, Listing, etag, expect_version
from app.links.pairs import Pair
from app.links.reach import Reached, reach
from app.links.store import DirectoryEntry
from app.paging import Paging
from app.problems import FieldError, Problem, preferred_language, responses
from app.queue import Job, defer
from app.records.typed_in import typed_value
from app.runtime import Running
from app.sync.answers import (
    ConflictAnswer,
    DecisionBody,
    PairAnswer,
    PairWhy,
    SweepAnswer,
    agreed_fields,
    conflict_answer,
    event_answer,
    pair_why,
)
from app.sync.conflicts import (
    PairFilter,
    decide,
    last_events,
    list_conflicts,
    list_pairs,
    lock_conflict,
    waiting_changes,
)
from app.sync.named import show_pairs
from app.sync.status import read_status
from app.sync.status_shown import StatusAnswer
from app.sync.store import ConflictRow, ConflictState, current_conflicts

router = APIRouter()

MayRead = Annotated[Reached, Depends(reach(Scope.LINKS_READ))]
MayDecide = Annotated[Reached, Depends(reach(Scope.SYNC_DECIDE))]
Language = Annotated[
    str | None, Header(alias="Accept-Language", description="nb, nn or en; nb without it.")
]

_COMMON = ("not-signed-in", "scope-missing", "not-found", "invalid-request")


@router.get(
    "/v1/links/{link_id}/pairs",
    operation_id="listPairs",
    tags=["records"],
    summary="List which record is which on the two sides.",
    responses=responses(*_COMMON, "invalid-cursor"),
)
async def get_pairs(
    reached: MayRead,
    runtime: Running,
    paging: Paging,
    kind: Literal["customer", "project"] | None = None,
    problems: Annotated[bool, Query(description="Only pairs that are not in step.")] = False,
) -> Listing[PairAnswer]:
    """
    Use this to show what is linked, the oldest pair first.

    Scope `links:read`.
    """
    page = paging.of(f"pairs|{reached.link_id}|{kind}|{problems}", key=runtime.cursor_key)
    async with runtime.database.reading(reached.link_id) as session:
        chosen = PairFilter(kind, problems_only=problems)
        rows = await list_pairs(session, reached.link_id, chosen, page=page)
        shown, more = page.cut(rows, lambda row: [str(row.pair_id)])
        items = await show_pairs(session, reached.link_id, shown)
    return Listing[PairAnswer](items=items, next_cursor=more)


@router.get(
    "/v1/links/{link_id}/pairs/{pair_id}",
    operation_id="getPair",
    tags=["records"],
    summary="Say how a pair stands and why.",
    responses=responses(*_COMMON),
)
async def get_pair(
    reached: MayRead,
    runtime: Running,
    response: Response,
    pair_id: str,
    accept_language: Language = None,
) -> PairWhy:
    """
    Use this for the «why» page of one record: agreed values, conflicts, what waits, last events.

    Scope `links:read`.
    """
    language = preferred_language(accept_language)
    async with runtime.database.reading(reached.link_id) as session:
        pair = await session.get(Pair, (reached.link_id, _id(pair_id)))
        if pair is None:
            raise Problem("not-found")
        (shown,) = await show_pairs(session, reached.link_id, [pair])
        conflicts = await current_conflicts(session, reached.link_id, [pair.pair_id])
        waiting = await waiting_changes(session, pair)
        events = await last_events(session, reached.link_id, pair.pair_id)
    response.headers["ETag"] = etag(pair.version)
    return PairWhy(
        pair=shown,
        base=agreed_fields(pair),
        why=pair_why(pair, shown.name, waiting, language=language),
        conflicts=[conflict_answer(row) for row in conflicts.get(pair.pair_id, ())],
        waiting=[change_answer(row, language=language) for row in waiting],
        events=[event_answer(row) for row in events],
    )


@router.get(
    "/v1/links/{link_id}/conflicts",
    operation_id="listConflicts",
    tags=["conflicts"],
    summary="List fields that both sides changed differently.",
    responses=responses(*_COMMON, "invalid-cursor"),
)
async def get_conflicts(
    reached: MayRead,
    runtime: Running,
    paging: Paging,
    state: Literal["open", "decided", "closed"] = "open",
) -> Listing[ConflictAnswer]:
    """
    Use this to ask a person which value is right; until then neither side is written.

    Scope `links:read`.
    """
    page = paging.of(f"conflicts|{reached.link_id}|{state}", key=runtime.cursor_key)
    async with runtime.database.reading(reached.link_id) as session:
        rows = await list_conflicts(session, reached.link_id, state, page=page)
    shown, more = page.cut(rows, lambda row: [str(row.conflict_id)])
    return Listing[ConflictAnswer](items=[conflict_answer(row) for row in shown], next_cursor=more)


@router.post(
    "/v1/links/{link_id}/conflicts/{conflict_id}/decision",
    operation_id="decideConflict",
    tags=["conflicts"],
    summary="Decide which value a field has on both sides.",
    responses=responses(*_COMMON, "precondition-required", "precondition-failed", "conflict-over"),
)
async def post_decision(
    reached: MayDecide,
    runtime: Running,
    response: Response,
    conflict_id: str,
    body: DecisionBody,
    if_match: IfMatch = None,
) -> ConflictAnswer:
    """
    Use this with the conflict's `version` as `If-Match`, so that two people do not decide at once.

    Give `side` to let its value win, or `value` to set another one on both sides (`null` clears
    the field). It is carried out by the next drain, usually within a second; when a side changed
    meanwhile the conflict is open again with the new values. The losing value is kept in the
    pair's history. Scope `sync:decide`.
    """
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        row = await lock_conflict(session, reached.link_id, _id(conflict_id))
        if row is None:
            raise Problem("not-found")
        present = conflict_answer(row).model_dump(mode="json", by_alias=True)
        expect_version(if_match, row.version, present=present)
        if row.state == ConflictState.CLOSED:
            raise Problem("conflict-over")
        await decide(
            session,
            row,
            value=_decided(body, row),
            by=reached.caller.name[:300],
            now=runtime.clock(),
        )
    response.headers["ETag"] = etag(row.version)
    return conflict_answer(row)


@router.get(
    "/v1/links/{link_id}/status",
    operation_id="getStatus",
    tags=["records"],
    summary="Say whether both sides are in step and what needs a person.",
    responses=responses(*_COMMON),
)
async def get_status(
    reached: MayRead, runtime: Running, accept_language: Language = None
) -> StatusAnswer:
    """
    Use this for the banner in either product; it is cheap enough to ask every few seconds.

    Scope `links:read`.
    """
    language = preferred_language(accept_language)
    async with runtime.database.reading(reached.link_id) as session:
        asked = await runtime.ask_people(session, reached.link_id, runtime.clock())
        return await read_status(session, reached.link_id, language=language, asked=asked)


@router.post(
    "/v1/links/{link_id}/sweep",
    operation_id="sweepNow",
    tags=["records"],
    summary="Compare both sides now.",
    status_code=202,
    responses=responses(*_COMMON, "link-not-active"),
)
async def post_sweep(reached: MayDecide, runtime: Running) -> SweepAnswer:
    """
    Use this for a «Synkroniser nå» button; asking twice sweeps once.

    Scope `sync:decide`.
    """
    reached.require_active()
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        await session.execute(
            update(DirectoryEntry)
            .where(DirectoryEntry.link_id == reached.link_id)
            .values(next_sweep=runtime.clock())
        )
        await defer(session, Job.SWEEP_LINK, reached.link_id)
    return SweepAnswer(status="asked", href=f"/v1/links/{reached.link_id}/status")


def _decided(body: DecisionBody, row: ConflictRow) -> Any:  # noqa: ANN401 - any JSON value
    given = body.model_fields_set
    if len(given & {"side", "value"}) != 1 or (body.side is None and "side" in given):
        error = FieldError("/side", "one-of", "Give either side or value.")
        raise Problem("invalid-request", errors=[error])
    if body.side is not None:
        return row.time_value if body.side == "time" else row.books_value
    try:
        return typed_value(RecordKind(row.kind), row.field, body.value)
    except ValueError:
        error = FieldError("/value", "not-a-value", "The field has no such value.")
        raise Problem("invalid-request", errors=[error]) from None


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Problem("not-found") from None

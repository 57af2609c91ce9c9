"""Take in readiness: what each record lacks, and fixes carried out in the system that owns it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request

from app.access.caller import Scope
from app.documents import AnswerDocument
from app.links.reach import Reached, reach
from app.paging import Paging
from app.problems import preferred_language, responses
from app.records.fix_routes import router as fix_router
from app.records.judge import finding_shown
from app.records.judge_due import judge_due
from app.records.lacking import Lacking, Wanted, count_findings, lacking, score
from app.records.question_routes import router as question_router
from app.runtime import Running

router = APIRouter()
router.include_router(question_router)
router.include_router(fix_router)
MayRead = Annotated[Reached, Depends(reach(Scope.LINKS_READ))]
_COMMON: Final = ("not-signed-in", "scope-missing", "not-found", "invalid-request")

_ITEM: Final[dict[str, Any]] = {
    "side": "time",
    "kind": "customer",
    "recordId": "cus_31",
    "name": "Vardetopp Bygg AS",
    "ready": False,
    "leftOut": False,
    "findings": [
        {
            "code": "kind-not-set",
            "field": "kind",
            "blocking": True,
            "fix": "set-kind",
            "suggested": None,
            "text": "Det er ikke valgt om kunden er Bedrift eller Privat.",
            "remedy": "Velg Bedrift eller Privat.",
        }
    ],
}


class ReadinessItem(AnswerDocument):
    """Hold one record that lacks something, with the fixes the API can carry out."""

    side: str
    kind: str
    record_id: str
    name: str
    ready: bool
    left_out: bool
    findings: list[Mapping[str, Any]]


class ReadinessAnswer(AnswerDocument):
    """
    Hold the score by side and kind, a page of records that lack something, and their findings.

    In the score `total` counts what is to be synced; what was left out is counted apart.
    `findings` counts the records of the whole list, as it is filtered, by finding.
    """

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "score": {"time": {"customer": {"ready": 34, "total": 38, "leftOut": 2}}},
                    "findings": {"kind-not-set": 2, "address-missing": 4},
                    "items": [_ITEM],
                    "nextCursor": None,
                }
            ]
        }
    }

    score: Mapping[str, Mapping[str, Mapping[str, int]]]
    findings: Mapping[str, int]
    items: Sequence[ReadinessItem]
    next_cursor: str | None


def wanted_records(
    side: Annotated[str | None, Query(pattern="^(time|books)$")] = None,
    kind: Annotated[str | None, Query(pattern="^(customer|project)$")] = None,
    finding: Annotated[
        str | None,
        Query(
            max_length=64,
            pattern="^[a-z-]+$",
            description="Only records with this finding, by its code.",
        ),
    ] = None,
    left_out: Annotated[
        bool | None,
        Query(
            alias="leftOut",
            description="Only records that a person left out (true), or only the others (false).",
        ),
    ] = None,
) -> Wanted:
    """Read the filter of the list from its query."""
    return Wanted(side, kind, finding, left_out)


@router.get(
    "/v1/links/{link_id}/readiness",
    operation_id="getReadiness",
    tags=["readiness"],
    summary="See how many records are ready, and what the others lack.",
    responses=responses(*_COMMON, "invalid-cursor"),
)
async def get_readiness(
    reached: MayRead,
    runtime: Running,
    request: Request,
    wanted: Annotated[Wanted, Depends(wanted_records)],
    paging: Paging,
) -> ReadinessAnswer:
    """
    Use this before the first sync, after both sides were read (`POST …/first-sync`).

    `leftOut=false` lists what still has to be mended; `finding` gives all that lack the same, for
    one fix of them all. The score counts the whole link, whatever the list is narrowed by.

    Each finding has a stable code, its field, a text in your language, the fix the API can carry
    out and the value that the business register suggests, where it was asked. A record in a pair is
    offered no `leave-out`: part the pair first. Remarks (`blocking` false) hinder nothing. What
    changed since is judged first, by itself. Scope `links:read`.
    """
    await judge_due(runtime, reached.link_id)
    page = paging.of(f"readiness {reached.link_id} {wanted}", key=runtime.cursor_key)
    async with runtime.database.reading(reached.link_id) as session:
        rows = await lacking(
            session, reached.link_id, wanted, after=page.after, limit=page.row_limit
        )
        findings = await count_findings(session, reached.link_id, wanted)
        counted = await score(session, reached.link_id)
    language = preferred_language(request.headers.get("accept-language"))
    shown, more = page.cut(rows, lambda one: one.place)
    items = [_item(one, language) for one in shown]
    return ReadinessAnswer(score=counted, findings=findings, items=items, next_cursor=more)


def _item(one: Lacking, language: str) -> ReadinessItem:
    row = one.row
    return ReadinessItem(
        side=row.side, kind=row.kind, record_id=row.record_id, name=row.name, ready=row.ready,
        left_out=row.left_out,
        findings=[finding_shown(found, language, paired=one.paired) for found in row.findings],
    )  # fmt: skip

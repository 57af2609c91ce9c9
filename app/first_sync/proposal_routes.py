"""Take in the review of lines: list, count, answer one or many."""

from collections import Counter
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.caller import Scope
from app.canonical import LinkId
from app.database import CommitPoint
from app.documents import IfMatch, Listing, etag, expect_version
from app.first_sync.lines_shown import (
    PLAIN_TEXT,
    AnswerRequest,
    BulkAnswer,
    BulkResult,
    FacetsAnswer,
    ProposalAnswer,
    line_answer,
)
from app.first_sync.plan.answer import ANSWERED, Touched, answer_line, answer_many
from app.first_sync.plan.categories import Category
from app.first_sync.plan.deeds import Deed
from app.first_sync.plan.refusals import Answer
from app.first_sync.plan.renew import match_projects_again, take_fixes_in
from app.first_sync.plan.search import Filter, Sort, facets, ids_of, one_line, page_of_lines
from app.first_sync.store import OutcomeState, Plan, Proposal, current_plan
from app.links.reach import Reached, reach
from app.paging import Paging
from app.problems import FieldError, Problem, preferred_language, responses
from app.runtime import Running

router = APIRouter()
MayRead = Annotated[Reached, Depends(reach(Scope.LINKS_READ))]
MayDecide = Annotated[Reached, Depends(reach(Scope.SYNC_DECIDE))]
_COMMON: Final = ("not-signed-in", "scope-missing", "not-found", "invalid-request")
_BASE: Final = "/v1/links/{link_id}/first-sync"
_SAMPLES: Final = 20


def chosen_lines(
    kind: Annotated[str | None, Query(pattern="^(customer|project)$")] = None,
    category: Category | None = None,
    deed: Deed | None = None,
    rule: Annotated[str | None, Query(max_length=64, pattern=PLAIN_TEXT)] = None,
    answered: bool | None = None,
    outcome: OutcomeState | None = None,
    q: Annotated[
        str | None,
        Query(
            max_length=100,
            pattern=PLAIN_TEXT,
            description="Words of a name, number, mail or address of either record.",
        ),
    ] = None,
) -> Filter:
    """Read the filter of a list of lines from its query."""
    return Filter(kind, category, deed, rule, answered, outcome, q)  # fmt: skip


Chosen = Annotated[Filter, Depends(chosen_lines)]


@router.get(
    f"{_BASE}/proposals",
    operation_id="listProposals",
    summary="List the plan's lines with both records and the reasons.",
    responses=responses(*_COMMON, "invalid-cursor"),
)
async def get_proposals(
    reached: MayRead,
    runtime: Running,
    request: Request,
    wanted: Chosen,
    paging: Paging,
    sort: Sort = Sort.NAME,
) -> Listing[ProposalAnswer]:
    """
    Use this to review: `deed=ask` gives the lines that must be answered, `category` the rest.

    `sort=yield` gives suspected doubles first, then questions, the likeliest first; `sort=name`
    the alphabet. After the run `outcome=refused` and `outcome=later` give what did not fit. Each
    item is complete enough to draw a row: the record, its candidates, and why, in your language.
    Scope `links:read`.
    """
    page = paging.of(f"proposals {reached.link_id} {wanted} {sort}", key=runtime.cursor_key)
    await take_fixes_in(runtime, reached.link_id)
    async with runtime.database.reading(reached.link_id) as session:
        plan = await the_plan(session, reached.link_id)
        rows = await page_of_lines(
            session, plan, wanted, after=page.after, limit=page.row_limit, sort=sort
        )
    language = preferred_language(request.headers.get("accept-language"))
    shown, more = page.cut(rows, lambda row: row["place"])
    items = [line_answer(row, language) for row in shown]
    return Listing[ProposalAnswer](items=items, next_cursor=more)


@router.get(
    f"{_BASE}/facets",
    operation_id="countProposals",
    summary="Count the plan's lines by everything a list can be narrowed by.",
    responses=responses(*_COMMON),
)
async def get_facets(reached: MayRead, runtime: Running, wanted: Chosen) -> FacetsAnswer:
    """
    Use this to draw the filters beside the list, with the same query as the list.

    Each count says how many lines the filter would leave if it were narrowed by that too.
    Scope `links:read`.
    """
    await take_fixes_in(runtime, reached.link_id)
    async with runtime.database.reading(reached.link_id) as session:
        found = await facets(session, await the_plan(session, reached.link_id), wanted)
    return FacetsAnswer.model_validate({"total": found.total, **found.counts})


@router.patch(
    f"{_BASE}/proposals/{{proposal_id}}",
    operation_id="answerProposal",
    summary="Answer one line.",
    responses=responses(
        *_COMMON, "precondition-required", "precondition-failed", "first-sync-not-open",
        "answer-refused",
    ),
)  # fmt: skip
async def patch_proposal(
    proposal_id: UUID,
    body: AnswerRequest,
    reached: MayDecide,
    runtime: Running,
    request: Request,
    response: Response,
    if_match: IfMatch = None,
) -> ProposalAnswer:
    """
    Use this to link, create, leave out, or pick another partner; stored at once.

    `If-Match` is the line's version in quotes; 412 shows under `present` the line as someone else
    left it, with who answered and when. `winners` says by field whose value counts where the two
    differ. Scope `sync:decide`.
    """
    language = preferred_language(request.headers.get("accept-language"))
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        plan = await the_plan(session, reached.link_id, lock=True)
        line = await session.get(Proposal, (reached.link_id, proposal_id))
        if line is None or line.plan_id != plan.plan_id:
            raise Problem("not-found")
        present = await _shown(session, plan, proposal_id, language)
        expect_version(
            if_match, line.version, present=present.model_dump(mode="json", by_alias=True)
        )
        answer = Answer(body.answer, reached.caller.subject, body.partner_id, body.winners)
        touched = await answer_line(session, plan, line, answer, now=runtime.clock())
        await session.flush()
        shown = await _shown(session, plan, proposal_id, language)
    await match_projects_again(runtime, reached.link_id, touched)
    response.headers["ETag"] = etag(shown.version)
    return shown


@router.post(
    f"{_BASE}/answers",
    operation_id="answerProposals",
    summary="Give many lines one answer, by ids or by a filter.",
    responses=responses(
        *_COMMON, "first-sync-not-open", "precondition-failed", "too-many-lines-chosen",
    ),
)  # fmt: skip
async def post_answers(
    body: BulkAnswer,
    reached: MayDecide,
    runtime: Running,
    response: Response,
    if_match: IfMatch = None,
) -> BulkResult:
    """
    Use this for «create all 212». First with `dryRun`: it does everything but keep it.

    So it says exactly how many lines it hits, how many would take the answer, and why the others
    would not. Send the `ETag` of that preview as `If-Match`, and 412 says that someone answered
    meanwhile. A line that was answered otherwise is passed over unless `replace` is true; one that
    cannot take the answer does not stop the others. A filter that hits more than 20,000 lines is
    refused: narrow it. Scope `sync:decide`.
    """
    if (body.ids is None) == (body.filter is None):
        error = FieldError("/ids", "ids-or-filter", "give ids or filter, one of them")
        raise Problem("invalid-request", errors=[error])
    touched: Touched = frozenset()
    answer = Answer(body.answer, reached.caller.subject, winners=body.winners, over=body.replace)
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        plan = await the_plan(session, reached.link_id, lock=True)
        before = plan.version
        if if_match is not None:
            expect_version(if_match, before, present={"version": before})
        ids = await _chosen(session, plan, body)
        results, touched = await answer_many(session, plan, ids, answer, now=runtime.clock())
        version = before if body.dry_run else plan.version
        if body.dry_run:
            await session.rollback()
    if not body.dry_run:
        await match_projects_again(runtime, reached.link_id, touched)
    response.headers["ETag"] = etag(version)
    return _told(results, dry_run=body.dry_run)


def _told(results: list[tuple[UUID, str]], *, dry_run: bool) -> BulkResult:
    """Say what an answer to many lines comes to; in a dry run with a few samples only."""
    counts = Counter(result for _, result in results)
    shown = results[:_SAMPLES] if dry_run else results
    words = {ANSWERED: "would-answer"} if dry_run else {}
    return BulkResult(
        matched=len(results),
        answered=counts.pop(ANSWERED, 0),
        passed_over=counts,
        dry_run=dry_run,
        items=[{"id": str(one), "result": words.get(result, result)} for one, result in shown],
    )


async def _chosen(session: AsyncSession, plan: Plan, body: BulkAnswer) -> list[UUID]:
    if body.filter is not None:
        wanted = Filter(**body.filter.model_dump())
        return [proposal_id for proposal_id, _ in await ids_of(session, plan, wanted)]
    try:
        return list(dict.fromkeys(UUID(one) for one in body.ids or ()))  # each line once
    except ValueError:
        error = FieldError("/ids", "uuid", "an id is not valid")
        raise Problem("invalid-request", errors=[error]) from None


async def the_plan(session: AsyncSession, link_id: LinkId, *, lock: bool = False) -> Plan:
    """Read the link's plan; a link without one answers ``not-found``."""
    plan = await current_plan(session, link_id, lock=lock)
    if plan is None:
        raise Problem("not-found")
    return plan


async def _shown(
    session: AsyncSession, plan: Plan, proposal_id: UUID, language: str
) -> ProposalAnswer:
    row = await one_line(session, plan, proposal_id)
    if row is None:
        raise Problem("not-found")
    return line_answer(row, language)

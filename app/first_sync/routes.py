"""Take in the review: start reading, look, answer, confirm, follow the run."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.caller import Scope
from app.canonical import LinkId
from app.database import CommitPoint
from app.documents import IfMatch, Listing, etag, expect_version, read_cursor, write_cursor
from app.first_sync.answer import Answer, answer_line, answer_many
from app.first_sync.answers import (
    PLAIN_TEXT,
    AnswerRequest,
    BulkAnswer,
    BulkResult,
    PlanAnswer,
    ProposalAnswer,
    line_answer,
    plan_answer,
)
from app.first_sync.confirm import tally
from app.first_sync.deeds import Deed
from app.first_sync.plan import match_projects_again
from app.first_sync.run_routes import router as run_router
from app.first_sync.search import Filter, facets, ids_of, one_line, page_of_lines
from app.first_sync.start import start_reading
from app.first_sync.store import Category, OutcomeState, Plan, Proposal, current_plan
from app.links.reach import Reached, reach
from app.problems import FieldError, Problem, preferred_language, responses
from app.runtime import Running

router = APIRouter(tags=["first sync"])
MayRead = Annotated[Reached, Depends(reach(Scope.LINKS_READ))]
MayDecide = Annotated[Reached, Depends(reach(Scope.SYNC_DECIDE))]
_COMMON: Final = ("not-signed-in", "scope-missing", "not-found", "invalid-request")
_BASE: Final = "/v1/links/{link_id}/first-sync"


@router.post(
    _BASE,
    status_code=202,
    operation_id="startFirstSync",
    summary="Read both sides and make the plan (again).",
    responses=responses(*_COMMON, "first-sync-not-now", "first-sync-running"),
)
async def post_first_sync(reached: MayDecide, runtime: Running, response: Response) -> PlanAnswer:
    """
    Use this after both accounts are connected; nothing is written to either system by it.

    Reading goes on in the background; follow it with GET. Called again before the confirmation it
    reads anew and keeps every answer whose records did not change. Scope `sync:decide`.
    """
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        await start_reading(session, reached.link_id, state=reached.state, now=runtime.clock())
        plan = await the_plan(session, reached.link_id)
        answer = plan_answer(plan, await tally(session, plan), await facets(session, plan))
    response.headers["Location"] = f"/v1/links/{reached.link_id}/first-sync"
    return answer


@router.get(
    _BASE,
    operation_id="getFirstSync",
    summary="See how far the plan has come and what its lines come to.",
    responses=responses(*_COMMON),
)
async def get_first_sync(reached: MayRead, runtime: Running) -> PlanAnswer:
    """Use this for the progress page, and before confirming: `deeds` is what will be done.

    Scope `links:read`.
    """
    async with runtime.database.reading(reached.link_id) as session:
        plan = await the_plan(session, reached.link_id)
        return plan_answer(plan, await tally(session, plan), await facets(session, plan))


@router.get(
    f"{_BASE}/proposals",
    operation_id="listProposals",
    summary="List the plan's lines with both records and the reasons.",
    responses=responses(*_COMMON, "invalid-cursor"),
)
async def get_proposals(  # noqa: PLR0913, PLR0917 - a list has as many filters as it has
    reached: MayRead,
    runtime: Running,
    request: Request,
    kind: Annotated[str | None, Query(pattern="^(customer|project)$")] = None,
    category: Category | None = None,
    deed: Deed | None = None,
    answered: bool | None = None,
    outcome: OutcomeState | None = None,
    q: Annotated[str | None, Query(max_length=100, pattern=PLAIN_TEXT)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> Listing[ProposalAnswer]:
    """
    Use this to review: `deed=ask` gives the lines that must be answered, `category` the rest.

    After the run `outcome=refused` and `outcome=later` give what did not fit. Each item is complete
    enough to draw a row: the record, its candidates, and why, in your language. Sorted by name.
    Scope `links:read`.
    """
    wanted = Filter(
        kind=kind, category=category, deed=deed, answered=answered, outcome=outcome, q=q
    )
    scope = f"proposals {reached.link_id} {wanted}"
    after = None
    if cursor is not None:
        name, last = read_cursor(cursor, key=runtime.cursor_key, scope=scope)
        after = (str(name), str(last))
    async with runtime.database.reading(reached.link_id) as session:
        plan = await the_plan(session, reached.link_id)
        rows = await page_of_lines(session, plan, wanted, after=after, limit=limit + 1)
    language = preferred_language(request.headers.get("accept-language"))
    more = None
    if len(rows) > limit:
        place = (rows[limit - 1]["name"], str(rows[limit - 1]["proposal_id"]))
        more = write_cursor(place, key=runtime.cursor_key, scope=scope)
    items = [line_answer(row, language) for row in rows[:limit]]
    return Listing[ProposalAnswer](items=items, next_cursor=more)


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

    `If-Match` is the line's version in quotes; 412 shows the line as someone else left it.
    `winners` says by field whose value counts where the two differ. Scope `sync:decide`.
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
    responses=responses(*_COMMON, "first-sync-not-open"),
)
async def post_answers(body: BulkAnswer, reached: MayDecide, runtime: Running) -> BulkResult:
    """
    Use this for «create all 212»; with `dryRun` it says how many it hits and names samples.

    Every line gets its own result; one that cannot take the answer does not stop the others.
    Scope `sync:decide`.
    """
    if (body.ids is None) == (body.filter is None):
        error = FieldError("/ids", "ids-or-filter", "give ids or filter, one of them")
        raise Problem("invalid-request", errors=[error])
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        plan = await the_plan(session, reached.link_id, lock=True)
        ids = await _chosen(session, plan, body)
        if body.dry_run:
            sample = [{"id": str(one), "result": "would-answer"} for one in ids[:20]]
            return BulkResult(matched=len(ids), dry_run=True, items=sample)
        answer = Answer(body.answer, reached.caller.subject)
        results, touched = await answer_many(session, plan, ids, answer, now=runtime.clock())
    await match_projects_again(runtime, reached.link_id, touched)
    items = [{"id": str(one), "result": result} for one, result in results]
    return BulkResult(matched=len(ids), dry_run=False, items=items)


async def _chosen(session: AsyncSession, plan: Plan, body: BulkAnswer) -> list[UUID]:
    if body.filter is not None:
        wanted = Filter(**body.filter.model_dump())
        return [proposal_id for proposal_id, _ in await ids_of(session, plan, wanted)]
    try:
        return [UUID(one) for one in body.ids or ()]
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


router.include_router(run_router)

"""Take in the confirmation and the run that follows it."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.caller import Scope
from app.canonical import LinkId
from app.database import CommitPoint
from app.documents import IfMatch, Listing, etag, expect_version
from app.first_sync.answers import RunAnswer
from app.first_sync.events import MEDIA_TYPE, run_events
from app.first_sync.plan.renew import bring_up_to_date
from app.first_sync.preview_shown import PreviewAnswer, preview_answer
from app.first_sync.run.confirm import confirm, pause_run, resume_run
from app.first_sync.run.preview import preview_of
from app.first_sync.run.values import values_of
from app.first_sync.run_shown import find_run, run_shown
from app.first_sync.store import Plan, Run, current_plan, run_of
from app.idempotency import REPLAYED, KeyHeader, Repeat, claim, finish, keyed_call
from app.links.reach import Reached, reach
from app.paging import Paging
from app.problems import Problem, preferred_language, responses
from app.runtime import Running

router = APIRouter()
MayRead = Annotated[Reached, Depends(reach(Scope.LINKS_READ))]
MayDecide = Annotated[Reached, Depends(reach(Scope.SYNC_DECIDE))]
_COMMON: Final = ("not-signed-in", "scope-missing", "not-found", "invalid-request")
_BASE: Final = "/v1/links/{link_id}/first-sync"
# OpenAPI before 3.2 has the schema of a stream describe one event of it.
_EVENT: Final = {
    "schema": {
        "type": "object",
        "required": ["event", "id", "data"],
        "properties": {
            "event": {"type": "string", "enum": ["progress", "end"]},
            "id": {"type": "string"},
            "data": {"type": "string", "description": "The run as JSON, as the run itself is."},
        },
    },
    "example": {
        "event": "progress",
        "id": "1f0c9a7e5b3d2c41",
        "data": '{"state": "running", "done": 12, "total": 47}',
    },
}


@router.post(
    f"{_BASE}/confirm",
    status_code=202,
    operation_id="confirmFirstSync",
    summary="Carry the plan out: from now on both systems are written to.",
    responses=responses(
        *_COMMON, "first-sync-not-now", "first-sync-not-open", "answers-missing",
        "partner-linked-twice",
        "precondition-failed", "idempotency-key-missing", "idempotency-key-reused",
        "idempotency-key-in-progress",
    ),
)  # fmt: skip
async def post_confirm(
    reached: MayDecide,
    runtime: Running,
    request: Request,
    response: Response,
    if_match: IfMatch = None,
    idempotency_key: KeyHeader = None,  # noqa: ARG001 - declared here, read by keyed_call
) -> RunAnswer:
    """
    Use this when no line has `deed` `ask` any more; the answer's `Location` is the run to follow.

    With the preview's `ETag` as `If-Match` it is refused when anything was answered since, or a
    record became ready or stopped being so.
    The same plan confirmed twice gives the same run. The run survives the death of any process and
    creates nothing twice; when it ends the link is active. Scope `sync:decide`.
    """
    call = await keyed_call(request, reached.caller.name)
    await bring_up_to_date(runtime, reached.link_id)
    now = runtime.clock()
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        claimed = await claim(session, call, link_id=reached.link_id, now=now)
        await _as_shown(session, reached.link_id, if_match)
        run = await confirm(
            session, reached.link_id, state=reached.state, by=reached.caller.subject, now=now
        )
        if isinstance(claimed, Repeat):
            response.headers.update(REPLAYED)
        else:
            await finish(session, call, claimed, resource_id=str(run.run_id))
        answer = await run_shown(session, runtime, run)
    response.headers["Location"] = f"/v1/links/{reached.link_id}/first-sync/runs/{answer.id}"
    return answer


@router.get(
    f"{_BASE}/confirm",
    operation_id="previewFirstSync",
    summary="Say exactly what a confirmation would do, without doing it.",
    responses=responses(*_COMMON),
)
async def get_confirm(
    reached: MayRead, runtime: Running, request: Request, response: Response
) -> PreviewAnswer:
    """
    Use this on the last page: counts by deed and side with samples, and what is left out and why.

    `values` says what linking writes into records that exist, field by field, or will ask about.

    Send its `ETag` as `If-Match` of the confirmation, so that what was shown is what is done.
    Scope `links:read`.
    """
    await bring_up_to_date(runtime, reached.link_id)
    async with runtime.database.reading(reached.link_id) as session:
        plan = await _plan(session, reached.link_id)
        preview, values = await preview_of(session, plan), await values_of(session, plan)
    response.headers["ETag"] = etag(preview.tag)
    language = preferred_language(request.headers.get("accept-language"))
    return preview_answer(preview, values, runtime.settings, language)


@router.get(
    f"{_BASE}/runs",
    operation_id="listFirstSyncRuns",
    summary="List the runs of the link's plans.",
    responses=responses(*_COMMON, "invalid-cursor"),
)
async def get_runs(reached: MayRead, runtime: Running, paging: Paging) -> Listing[RunAnswer]:
    """Use this to find a run whose address was lost; the newest first. Scope `links:read`."""
    page = paging.of(f"runs {reached.link_id}", key=runtime.cursor_key)
    query = select(Run).where(Run.link_id == reached.link_id)
    if page.after_id is not None:
        query = query.where(Run.run_id < page.after_id)
    async with runtime.database.reading(reached.link_id) as session:
        rows = await session.scalars(query.order_by(Run.run_id.desc()).limit(page.row_limit))
        shown, more = page.cut(rows.all(), lambda run: [str(run.run_id)])
        items = [await run_shown(session, runtime, run) for run in shown]
    return Listing[RunAnswer](items=items, next_cursor=more)


@router.get(
    f"{_BASE}/runs/{{run_id}}",
    operation_id="getFirstSyncRun",
    summary="See how far a run has come.",
    responses=responses(*_COMMON),
)
async def get_run(run_id: UUID, reached: MayRead, runtime: Running) -> RunAnswer:
    """Use this to draw the progress bar: `done` of `total`, and when it will end.

    Scope `links:read`.
    """
    async with runtime.database.reading(reached.link_id) as session:
        run = await find_run(session, reached.link_id, run_id)
        return await run_shown(session, runtime, run)


@router.get(
    f"{_BASE}/runs/{{run_id}}/events",
    operation_id="followFirstSyncRun",
    summary="Follow a run as server-sent events.",
    response_class=StreamingResponse,
    responses={
        **responses(*_COMMON),
        200: {
            "description": "Events `progress` with the run, and `end` when it is done.",
            "content": {MEDIA_TYPE: _EVENT},
        },
    },
)
async def get_events(
    run_id: UUID,
    reached: MayRead,
    runtime: Running,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", max_length=64)] = None,
) -> StreamingResponse:
    """
    Use this for a progress bar that moves by itself; each event is the whole run as GET gives it.

    Comments keep the line alive. The stream ends after `end`, and after ten minutes, so that a
    caller comes back with a valid token; `Last-Event-ID` spares a snapshot that is known already.
    Scope `links:read`.
    """
    async with runtime.database.reading(reached.link_id) as session:
        await find_run(session, reached.link_id, run_id)
    return StreamingResponse(
        run_events(runtime, reached.link_id, run_id, last_id=last_event_id),
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@router.post(
    f"{_BASE}/runs/{{run_id}}/pause",
    operation_id="pauseFirstSyncRun",
    summary="Let a run rest after the lines under way.",
    responses=responses(*_COMMON),
)
async def post_pause(run_id: UUID, reached: MayDecide, runtime: Running) -> RunAnswer:
    """Use this to stop writing for a while; nothing done is undone. Scope `sync:decide`."""
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        plan = await _plan(session, reached.link_id, lock=True)
        run = await find_run(session, reached.link_id, run_id)
        pause_run(run, plan, now=runtime.clock())
        return await run_shown(session, runtime, run)


@router.post(
    f"{_BASE}/runs/{{run_id}}/resume",
    operation_id="resumeFirstSyncRun",
    summary="Let a run go on where it was.",
    responses=responses(*_COMMON),
)
async def post_resume(run_id: UUID, reached: MayDecide, runtime: Running) -> RunAnswer:
    """Use this after a pause, or to try at once where it waits for a system.

    Scope `sync:decide`.
    """
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        plan = await _plan(session, reached.link_id, lock=True)
        run = await find_run(session, reached.link_id, run_id)
        await resume_run(session, run, plan, now=runtime.clock())
        return await run_shown(session, runtime, run)


async def _as_shown(session: AsyncSession, link_id: LinkId, if_match: str | None) -> None:
    """Refuse to confirm another plan than the one that was shown, unless it runs already."""
    plan = await current_plan(session, link_id, lock=True)
    if if_match is not None and plan is not None and await run_of(session, plan) is None:
        preview = await preview_of(session, plan)
        expect_version(if_match, preview.tag, present={"version": plan.version})


async def _plan(session: AsyncSession, link_id: LinkId, *, lock: bool = False) -> Plan:
    plan = await current_plan(session, link_id, lock=lock)
    if plan is None:
        raise Problem("not-found")
    return plan

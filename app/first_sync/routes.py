"""Take in the start of the review and show how far its plan has come."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response

from app.access.caller import Scope
from app.database import CommitPoint
from app.documents import etag
from app.first_sync.answers import PlanAnswer, plan_answer
from app.first_sync.plan.renew import bring_up_to_date
from app.first_sync.proposal_routes import router as proposal_router
from app.first_sync.proposal_routes import the_plan
from app.first_sync.reading.start import start_reading
from app.first_sync.run.confirm import tally
from app.first_sync.run_routes import router as run_router
from app.first_sync.sheet_routes import router as sheet_router
from app.first_sync.undo_routes import router as undo_router
from app.links.reach import Reached, reach
from app.problems import responses
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
        counted = await tally(session, plan)
        answer = plan_answer(plan, counted, runtime.settings, now=runtime.clock())
    response.headers["Location"] = f"/v1/links/{reached.link_id}/first-sync"
    return answer


@router.get(
    _BASE,
    operation_id="getFirstSync",
    summary="See how far the plan has come and what its lines come to.",
    responses=responses(*_COMMON),
)
async def get_first_sync(reached: MayRead, runtime: Running, response: Response) -> PlanAnswer:
    """
    Use this for the progress page; `deeds` is what would be done now.

    While both sides are read, `progress` says how far each is and `estimatedSeconds` how long it
    still takes. Scope `links:read`.
    """
    await bring_up_to_date(runtime, reached.link_id)
    async with runtime.database.reading(reached.link_id) as session:
        plan = await the_plan(session, reached.link_id)
        counted = await tally(session, plan)
        answer = plan_answer(plan, counted, runtime.settings, now=runtime.clock())
    response.headers["ETag"] = etag(answer.version)
    return answer


for part in (proposal_router, run_router, sheet_router, undo_router):
    router.include_router(part)

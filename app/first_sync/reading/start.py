"""Start a reading: a new plan, or the present one once more with its answers kept."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.canonical import LinkId
from app.first_sync.store import Plan, PlanState, current_plan, run_of
from app.links.store import LinkState, lock_link
from app.problems import Problem
from app.queue import Job, defer


async def start_reading(
    session: AsyncSession, link_id: LinkId, *, state: LinkState, now: datetime
) -> Plan:
    """
    Let both sides be read (again) and the plan be made; the same while that is under way.

    Raises:
        Problem: ``first-sync-not-now`` where the link cannot be read, ``first-sync-running`` while
            a confirmed plan is carried out.

    """
    if state not in (LinkState.REVIEWING, LinkState.ACTIVE):
        raise Problem("first-sync-not-now", state=state.value)
    # The link's row makes two first calls at once wait for each other: there is no plan to lock.
    await lock_link(session, link_id)
    plan = await current_plan(session, link_id, lock=True)
    if plan is None or plan.state == PlanState.DONE:
        plan = _new_plan(link_id, now)
        session.add(plan)
    elif plan.state == PlanState.RUNNING or await run_of(session, plan) is not None:
        raise Problem("first-sync-running")
    elif plan.state in (PlanState.OPEN, PlanState.PAUSED):
        plan.state, plan.started_at, plan.updated_at = PlanState.READING.value, now, now
        plan.progress, plan.problem = {}, None
        plan.version += 1
    await session.flush()
    await defer(session, Job.READ_PLAN, link_id)
    return plan


def _new_plan(link_id: LinkId, now: datetime) -> Plan:
    return Plan(
        link_id=link_id, plan_id=uuid7(), state=PlanState.READING.value, started_at=now,
        progress={}, capabilities={}, projects_stale=False, problem=None, drawn_from=None,
        version=1, created_at=now, updated_at=now,
    )  # fmt: skip

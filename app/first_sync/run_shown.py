"""Read how far a run has come, for an answer or for a stream of them."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId
from app.first_sync.answers import Counted, RunAnswer, run_answer
from app.first_sync.store import Plan, Proposal, Run
from app.problems import Problem
from app.runtime import Runtime


async def find_run(session: AsyncSession, link_id: LinkId, run_id: UUID) -> Run:
    """
    Read a run.

    Raises:
        Problem: ``not-found``.

    """
    run = await session.get(Run, (link_id, run_id))
    if run is None:
        raise Problem("not-found")
    return run


async def run_shown(session: AsyncSession, runtime: Runtime, run: Run) -> RunAnswer:
    """Show a run with its counts as they are now."""
    plan = await session.get_one(Plan, (run.link_id, run.plan_id))
    columns = (Proposal.kind, Proposal.outcome, Proposal.outcome_code)
    rows = await session.execute(
        select(*columns, func.count())
        .where(
            Proposal.link_id == run.link_id,
            Proposal.plan_id == run.plan_id,
            Proposal.dormant.is_(False),
        )
        .group_by(*columns)
    )
    return run_answer(run, plan, [Counted(*row) for row in rows], now=runtime.clock())

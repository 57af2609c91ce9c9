"""Carry a confirmed plan out, line by line in bounded bites; safe to die at any point."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy import Select, Text, and_, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, RecordKind, Side
from app.database import CommitPoint
from app.first_sync.reading.again import WORKING, Away, hold_on, wait_until
from app.first_sync.reading.sides import Keepers, open_both
from app.first_sync.run.hand_over import hand_over
from app.first_sync.run.line import carry_out_line
from app.first_sync.run.newcomers import look_again, must_look, says_otherwise
from app.first_sync.run.step import Step
from app.first_sync.store import (
    OutcomeState,
    Plan,
    PlanState,
    Proposal,
    Run,
    RunState,
    plan_in,
    run_of,
)
from app.links.change_state import activate
from app.links.store import LinkState, is_at_work, read_link
from app.queue import Job, defer
from app.records.made import finish_creates
from app.runtime import Runtime
from app.systems.ports import SystemFault

_log = structlog.get_logger()


async def run_first_sync(runtime: Runtime, link_id: LinkId) -> None:
    """
    Carry out a bite of the confirmed plan, then stand behind the others again.

    The job of ``Job.RUN_FIRST_SYNC``. Customers come before projects. A line that is carried out is
    committed at once, so a death repeats at most the lines under way, each of which finds what it
    did. A line that is refused keeps its reason and the run goes on; a system that is away makes
    the run wait. When every line has an outcome, the link works.
    """
    async with runtime.database.reading(link_id) as session:
        run, lines = await _next_bite(session, runtime, link_id)
        looks = (
            run is not None
            and bool(lines)
            and (must_look(run, runtime.clock()) or await says_otherwise(session, run))
        )
    if run is None:
        return
    if not lines:
        await _end_or_wait(runtime, link_id, run)
        return
    try:
        keepers = await open_both(runtime, link_id)
        if looks:
            await look_again(runtime, link_id, keepers)
        else:
            await _carry_out(runtime, link_id, keepers, lines)
    except Away as away:
        await hold_on(runtime, link_id, run.plan_id, away)
        return
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        plan = await plan_in(session, link_id, PlanState.RUNNING, lock=True)
        if plan is not None:
            plan.problem = None
        await defer(session, Job.RUN_FIRST_SYNC, link_id)


async def _next_bite(
    session: AsyncSession, runtime: Runtime, link_id: LinkId
) -> tuple[Run | None, Sequence[Proposal]]:
    """Choose the next lines of one kind; none while the plan or its link rests."""
    plan = await plan_in(session, link_id, PlanState.RUNNING)
    link = await read_link(session, link_id)
    if plan is None or link is None or link.state not in WORKING:
        return None, []
    run = await run_of(session, plan)
    if run is None or run.state != RunState.RUNNING:
        return None, []
    for kind in (RecordKind.CUSTOMER, RecordKind.PROJECT):
        lines = await _due_lines(session, plan, kind, runtime)
        if lines or await _waiting_until(session, plan, kind) is not None:
            return run, lines
    return run, []


async def _due_lines(
    session: AsyncSession, plan: Plan, kind: RecordKind, runtime: Runtime
) -> Sequence[Proposal]:
    """
    Give the next bite, mixed: lines of one sort stand together, and each sort keeps one side busy.

    In the order they were drawn, one side's pace stood unused while the other's held all back.
    """
    waits = and_(Proposal.outcome == OutcomeState.WAITING, Proposal.not_before <= runtime.clock())
    rows = await session.scalars(
        _lines_of(plan, kind)
        .where(or_(Proposal.outcome.is_(None), waits))
        .order_by(func.md5(cast(Proposal.proposal_id, Text)), Proposal.proposal_id)
        .limit(runtime.settings.drain_bite)
    )
    return rows.all()


async def _waiting_until(session: AsyncSession, plan: Plan, kind: RecordKind) -> datetime | None:
    return await session.scalar(
        _lines_of(plan, kind)
        .where(Proposal.outcome == OutcomeState.WAITING)
        .with_only_columns(Proposal.not_before)
        .order_by(Proposal.not_before)
        .limit(1)
    )


async def _carry_out(
    runtime: Runtime, link_id: LinkId, keepers: Keepers, lines: Sequence[Proposal]
) -> None:
    """
    Carry lines out side by side; the pace of each system holds them back by itself.

    Raises:
        Away: A side cannot be worked with now; lines that were carried out stay so.

    """
    try:
        await finish_creates(runtime, link_id)
    except SystemFault as fault:
        raise Away(Side.TIME, fault) from fault
    # Twice as many as in a drain: half of them wait for the slower side's pace.
    gate = asyncio.Semaphore(2 * runtime.settings.drain_parallel)

    async def one(line: Proposal) -> None:
        async with gate:
            async with runtime.database.reading(link_id) as session:
                if not await is_at_work(session, link_id, LinkState.REVIEWING, LinkState.ACTIVE):
                    return  # paused or closed meanwhile: the line keeps without an outcome
            await carry_out_line(Step(runtime, link_id, keepers, line))

    answers = await asyncio.gather(*(one(line) for line in lines), return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer


async def _end_or_wait(runtime: Runtime, link_id: LinkId, run: Run) -> None:
    """End the run when every line has an outcome; else say when it goes on."""
    now = runtime.clock()
    async with runtime.database.transaction(CommitPoint.RUN_STEP, link_id) as session:
        plan = await plan_in(session, link_id, PlanState.RUNNING, lock=True)
        held = await run_of(session, plan) if plan is not None else None
        if plan is None or held is None or held.state != RunState.RUNNING:
            return
        waits = [await _waiting_until(session, plan, kind) for kind in RecordKind]
        until = min((one for one in waits if one is not None), default=None)
        if until is not None:
            await wait_until(session, link_id, until)
            return
        held.state, held.ended_at = RunState.DONE.value, now
        held.working += round((now - held.resumed_at).total_seconds() * 1000)
        held.version += 1
        plan.state, plan.problem, plan.updated_at = PlanState.DONE.value, None, now
        plan.version += 1
        await hand_over(session, plan, now)
        await activate(session, link_id, now=now)
        await defer(session, Job.DRAIN_LINK, link_id)
    _log.info("first sync done", link_id=str(link_id), run_id=str(run.run_id))


def _lines_of(plan: Plan, kind: RecordKind) -> Select[Proposal]:
    return select(Proposal).where(
        Proposal.link_id == plan.link_id,
        Proposal.plan_id == plan.plan_id,
        Proposal.kind == kind.value,
        Proposal.dormant.is_(False),
    )

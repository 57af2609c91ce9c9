"""Undo a run in bounded bites, by a person's wish; safe to die at any point."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, RecordKind
from app.database import CommitPoint
from app.first_sync.reading.again import WORKING, Away, hold_on
from app.first_sync.reading.sides import open_both
from app.first_sync.store import Plan, Proposal, Run, RunState, UndoState
from app.first_sync.undo.line import UndoStep, undo_line
from app.first_sync.undo.uses import PARTED, ProjectLists, Undone, undone_lines
from app.links.store import read_link
from app.problems import Problem
from app.queue import Job, defer
from app.runtime import Runtime

_log = structlog.get_logger()
_EVERY_LINE: Final = 50_000


async def ask_undo(session: AsyncSession, run: Run, *, by: str, now: datetime) -> None:
    """
    Let a run be undone, or go on with it; asked again it looks once more at what was refused.

    Raises:
        Problem: ``undo-not-now`` before the run has ended.

    """
    if run.state != RunState.DONE:
        raise Problem("undo-not-now", state=run.state)
    if run.undo_state in (None, UndoState.DONE):
        refused = await session.scalars(
            select(Proposal).where(
                Proposal.link_id == run.link_id,
                Proposal.plan_id == run.plan_id,
                Proposal.undo == UndoState.REFUSED.value,
            )
        )
        for line in refused:
            facts = {name: line.undo_facts[name] for name in (PARTED,) if name in line.undo_facts}
            line.undo = UndoState.WAITING.value if facts else None
            line.undo_code, line.undo_facts = None, facts
        run.undo_by, run.undo_started_at, run.undo_ended_at = by, now, None
    run.undo_state = UndoState.RUNNING.value
    run.version += 1
    await session.flush()
    await defer(session, Job.UNDO_FIRST_SYNC, LinkId(run.link_id))


def pause_undo(run: Run) -> None:
    """Let an undoing rest after the records under way; pausing twice changes nothing."""
    if run.undo_state == UndoState.RUNNING:
        run.undo_state = UndoState.PAUSED.value
        run.version += 1


async def undo_first_sync(runtime: Runtime, link_id: LinkId) -> None:
    """
    Undo a bite of a run, then stand behind the others again; the job of ``UNDO_FIRST_SYNC``.

    Projects go before customers. Whatever is in use is left, with the reason in its line.
    """
    async with runtime.database.reading(link_id) as session:
        run, lines = await _next_bite(session, runtime, link_id)
    if run is None:
        return
    if not lines:
        await _end(runtime, link_id, run)
        return
    try:
        keepers = await open_both(runtime, link_id)
        gate = asyncio.Semaphore(runtime.settings.drain_parallel)
        projects = ProjectLists(keepers)
        work = (
            _guarded(gate, UndoStep(runtime, link_id, keepers, run, line, projects))
            for line in lines
        )
        for answer in await asyncio.gather(*work, return_exceptions=True):
            if isinstance(answer, BaseException):
                raise answer
    except Away as away:
        await hold_on(runtime, link_id, run.plan_id, away)
        return
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        plan = await session.get(Plan, (link_id, run.plan_id))
        if plan is not None:
            plan.problem = None
        await defer(session, Job.UNDO_FIRST_SYNC, link_id)


async def _next_bite(
    session: AsyncSession, runtime: Runtime, link_id: LinkId
) -> tuple[Run | None, Sequence[Undone]]:
    run = await session.scalar(
        select(Run).where(Run.link_id == link_id, Run.undo_state == UndoState.RUNNING.value)
    )
    link = await read_link(session, link_id)
    if run is None or link is None or link.state not in WORKING:
        return None, []
    open_lines = [
        line
        for line in await undone_lines(session, run, after=None, limit=_EVERY_LINE)
        if line.undo in (None, UndoState.WAITING)
    ]
    projects = [line for line in open_lines if line.kind == RecordKind.PROJECT]
    return run, (projects or open_lines)[: runtime.settings.drain_bite]


async def _guarded(gate: asyncio.Semaphore, step: UndoStep) -> None:
    """
    Undo one line.

    Raises:
        Away: A side cannot be worked with now; what was done so far is kept in the line.

    """
    async with gate:
        await undo_line(step)


async def _end(runtime: Runtime, link_id: LinkId, run: Run) -> None:
    async with runtime.database.transaction(CommitPoint.UNDO_STEP, link_id) as session:
        held = await session.get(Run, (link_id, run.run_id), with_for_update=True)
        if held is None or held.undo_state != UndoState.RUNNING:
            return
        held.undo_state, held.undo_ended_at = UndoState.DONE.value, runtime.clock()
        held.version += 1
    _log.info("first sync undone", link_id=str(link_id), run_id=str(run.run_id))

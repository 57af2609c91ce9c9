"""Undo a run record by record: part what it paired, archive what it made and nobody used since."""

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, RecordId, RecordKind, Side
from app.database import CommitPoint
from app.first_sync.again import WORKING, Away, hold_on
from app.first_sync.lines import read_line
from app.first_sync.sides import Keepers, open_both
from app.first_sync.store import Plan, Proposal, Run, RunState, UndoState
from app.first_sync.uses import Undone, undone_lines, use_of
from app.links.pairs import Pair
from app.links.store import read_link
from app.problems import Problem
from app.queue import Job, defer
from app.records.decisions import leave_out
from app.records.part import clear_mark, draft_of, part_pair, projects_of
from app.runtime import Runtime
from app.systems.ports import Rejected, SystemFault

_log = structlog.get_logger()
_EVERY_LINE: Final = 50_000
_MOST_TRIES: Final = 3
"""Reads before archiving is given up on a record that refuses it, or changes each time."""

T = TypeVar("T")


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
            line.undo, line.undo_code, line.undo_facts = None, None, {}
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

    Projects go before customers. A pair is parted before its record is archived, so that the sync
    does not carry the archiving over to the record that was there first; a death in between is
    seen by the next look. Whatever is in use is left, with the reason in its line.
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
        work = (_guarded(gate, _Step(runtime, link_id, keepers, run, line)) for line in lines)
        for answer in await asyncio.gather(*work, return_exceptions=True):
            if isinstance(answer, BaseException):
                raise answer
    except Away as away:
        await hold_on(runtime, link_id, away)
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


class _Step:
    """Hold a line that is being undone."""

    def __init__(
        self, runtime: Runtime, link_id: LinkId, keepers: Keepers, run: Run, line: Undone
    ) -> None:
        self.runtime = runtime
        self.link_id = link_id
        self.keepers = keepers
        self.run = run
        self.line = line
        self.kind = RecordKind(line.kind)


async def _guarded(gate: asyncio.Semaphore, step: _Step) -> None:
    """
    Undo one line.

    Raises:
        Away: A side cannot be worked with now; what was done so far is kept in the line.

    """
    async with gate:
        if await _part(step):
            await _archive(step)


async def _asked(side: Side, work: Awaitable[T]) -> T:
    try:
        return await work
    except SystemFault as fault:
        raise Away(side, fault) from fault


async def _part(step: _Step) -> bool:
    """Part the pair if nothing stands on it; say whether a made record is left to be archived."""
    line, link_id = step.line, step.link_id
    if line.undo == UndoState.WAITING:
        return True
    hindered = await _hindrance(step)
    if hindered is not None:
        return await _refuse(step, *hindered) is UndoState.WAITING
    if line.pair_id is not None and line.time_id and line.books_id:
        keeper = step.keepers[Side.TIME]
        work = clear_mark(keeper, step.kind, line.time_id, line.books_id)
        await _asked(Side.TIME, work)
    async with step.runtime.database.transaction(CommitPoint.UNDO_STEP, link_id) as session:
        state = await _state(session, step)
        if state is not None:  # another worker was faster
            return state is UndoState.WAITING
        pair = await session.get(Pair, (link_id, line.pair_id), with_for_update=True)
        if pair is not None:
            for side in Side:
                await leave_out(session, link_id, side, step.kind, [pair.record_id(side)])
            await part_pair(session, pair, by=step.run.undo_by or "", now=step.runtime.clock())
        made = line.created_id is not None
        await _write(session, step, UndoState.WAITING if made else UndoState.DONE)
    return made


async def _refuse(step: _Step, code: str, facts: dict[str, Any]) -> UndoState:
    """
    Leave a line with the reason, unless another worker has undone it meanwhile; give its state.

    What that one parted looks to us as if a person had; its made record is still to be archived.
    """
    async with step.runtime.database.transaction(CommitPoint.UNDO_STEP, step.link_id) as session:
        state = await _state(session, step)
        if state is None:
            await _write(session, step, UndoState.REFUSED, code, facts)
        return state or UndoState.REFUSED


async def _state(session: AsyncSession, step: _Step) -> UndoState | None:
    """Read a line's state and hold the line until the commit."""
    held = await read_line(session, step.link_id, step.line.proposal_id, lock=True)
    return UndoState(held.undo) if held is not None and held.undo is not None else None


async def _hindrance(step: _Step) -> tuple[str, dict[str, Any]] | None:
    """Say what stands on a line's records since the run, or ``None``."""
    line, link_id = step.line, step.link_id
    if line.code is not None:
        return line.code, dict(line.facts)
    async with step.runtime.database.reading(link_id) as session:
        pair = await session.get(Pair, (link_id, line.pair_id))
        if pair is None:
            return "parted-already", {}
        mark = await draft_of(session, pair)
        projects = await projects_of(session, pair)
    if mark is not None:
        return "used-in-draft", {"mark": mark}
    if projects:
        return "used-by-projects", {"count": str(projects)}
    if line.made_in is None:
        return None
    keeper = step.keepers[line.made_in]
    return await _asked(line.made_in, use_of(step.runtime, link_id, line, pair, keeper))


async def _archive(step: _Step) -> None:
    """Archive what the run made; done twice it writes nothing."""
    side, made = step.line.made_in, step.line.created_id
    if side is None or made is None:
        return
    for _ in range(_MOST_TRIES):
        seen = await _asked(side, step.keepers[side].read(step.kind, RecordId(made)))
        if seen.record is None or seen.record.gone or not seen.record.active:
            await _keep(step, UndoState.DONE)
            return
        try:
            await _asked(side, step.keepers[side].update(step.kind, seen, {"active": False}))
        except Away as away:
            if not isinstance(away.fault, Rejected):
                raise
    await _keep(step, UndoState.REFUSED, "archive-refused", {"side": side.value})


async def _keep(
    step: _Step, state: UndoState, code: str | None = None, facts: dict[str, Any] | None = None
) -> None:
    async with step.runtime.database.transaction(CommitPoint.UNDO_STEP, step.link_id) as session:
        await _write(session, step, state, code, facts)


async def _write(
    session: AsyncSession,
    step: _Step,
    state: UndoState,
    code: str | None = None,
    facts: dict[str, Any] | None = None,
) -> None:
    row = await read_line(session, step.link_id, step.line.proposal_id)
    if row is not None:
        row.undo, row.undo_code, row.undo_facts = state.value, code, facts or {}
        row.version += 1


async def _end(runtime: Runtime, link_id: LinkId, run: Run) -> None:
    async with runtime.database.transaction(CommitPoint.UNDO_STEP, link_id) as session:
        held = await session.get(Run, (link_id, run.run_id), with_for_update=True)
        if held is None or held.undo_state != UndoState.RUNNING:
            return
        held.undo_state, held.undo_ended_at = UndoState.DONE.value, runtime.clock()
        held.version += 1
    _log.info("first sync undone", link_id=str(link_id), run_id=str(run.run_id))

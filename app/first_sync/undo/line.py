"""Undo one line of a run: part what it paired, archive what it made and nobody used since."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, RecordId, RecordKind, Side
from app.database import CommitPoint
from app.first_sync.plan.lines import read_line
from app.first_sync.reading.again import Away
from app.first_sync.reading.sides import Keepers
from app.first_sync.store import Run, UndoState
from app.first_sync.undo.uses import PARTED, Parted, ProjectLists, Undone, Use, edit_of, use_of
from app.links.pairs import Pair
from app.records.agreement import content_print
from app.records.decisions import leave_out
from app.records.part import clear_mark, draft_of, part_pair, projects_of
from app.runtime import Runtime
from app.systems.ports import NotFound, Rejected, Sighting, SystemFault

_MOST_TRIES: Final = 3
"""Reads before archiving is given up on a record that refuses it, or changes each time."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class UndoStep:
    """Hold a line that is being undone; ``projects`` is shared by the lines of one bite."""

    runtime: Runtime
    link_id: LinkId
    keepers: Keepers
    run: Run
    line: Undone
    projects: ProjectLists

    @property
    def kind(self) -> RecordKind:
        """Name the kind of the line's records."""
        return RecordKind(self.line.kind)


async def undo_line(step: UndoStep) -> None:
    """
    Undo one line.

    A pair is parted before its record is archived, so that the sync does not carry the archiving
    over to the record that was there first; a death in between is seen by the next look. What was
    made is looked at before the parting, and again before it is archived: days may lie between.

    Raises:
        Away: A side cannot be worked with now; what was done so far is kept in the line.

    """
    waits = step.line.undo == UndoState.WAITING
    parted = Parted.of(step.line.parted) if waits else await _part(step)
    if parted is not None:
        await _archive(step, parted)


async def _asked(side: Side, work: Awaitable[T]) -> T:
    try:
        return await work
    except SystemFault as fault:
        raise Away(side, fault) from fault


async def _part(step: UndoStep) -> Parted | None:
    """Part the pair if nothing stands on it; give what is left to be archived, if anything."""
    line, link_id = step.line, step.link_id
    if line.code is not None:
        return await _refuse(step, Use(line.code, line.facts))
    async with step.runtime.database.reading(link_id) as session:
        pair = await session.get(Pair, (link_id, line.pair_id))
    seen = await _made(step)
    hindered = await _hindrance(step, pair, seen)
    if hindered is not None:
        return await _refuse(step, hindered)
    if line.pair_id is not None and line.time_id and line.books_id:
        keeper = step.keepers[Side.TIME]
        work = clear_mark(keeper, step.kind, line.time_id, line.books_id)
        await _asked(Side.TIME, work)
    parted = Parted.now(pair, seen)
    async with step.runtime.database.transaction(CommitPoint.UNDO_STEP, link_id) as session:
        held = await read_line(session, link_id, line.proposal_id, lock=True)
        if held is not None and held.undo is not None:  # another worker was faster
            return Parted.of(held.undo_facts.get(PARTED)) if _waits(held.undo) else None
        pair = await session.get(Pair, (link_id, line.pair_id), with_for_update=True)
        if pair is not None:
            mark = await draft_of(session, pair)
            if mark is not None:  # billed while its systems were asked
                await _write(session, step, UndoState.REFUSED, "used-in-draft", {"mark": mark})
                return None
            for side in Side:
                await leave_out(session, link_id, side, step.kind, [pair.record_id(side)])
            await part_pair(session, pair, by=step.run.undo_by or "", now=step.runtime.clock())
        made = line.created_id is not None
        state = UndoState.WAITING if made else UndoState.DONE
        await _write(session, step, state, facts={PARTED: parted.as_json()} if made else {})
    return parted if made else None


def _waits(state: str) -> bool:
    return state == UndoState.WAITING


async def _made(step: UndoStep) -> Sighting | None:
    """Read what the run made; ``None`` where it made nothing or that is not there any more."""
    side, made = step.line.made_in, step.line.created_id
    if side is None or made is None:
        return None
    seen = await _asked(side, step.keepers[side].read(step.kind, RecordId(made)))
    return None if seen.record is None or seen.record.gone else seen


async def _refuse(step: UndoStep, use: Use) -> Parted | None:
    """
    Leave a line with the reason, unless another worker has undone it meanwhile.

    What that one parted looks to us as if a person had; its made record is still to be archived.
    """
    async with step.runtime.database.transaction(CommitPoint.UNDO_STEP, step.link_id) as session:
        held = await read_line(session, step.link_id, step.line.proposal_id, lock=True)
        if held is not None and held.undo is not None:
            return Parted.of(held.undo_facts.get(PARTED)) if _waits(held.undo) else None
        await _write(session, step, UndoState.REFUSED, use.code, use.facts)
    return None


async def _hindrance(step: UndoStep, pair: Pair | None, seen: Sighting | None) -> Use | None:
    """Say what stands on a line's records since the run, or ``None``."""
    line, link_id = step.line, step.link_id
    if pair is None:
        return Use("parted-already")
    async with step.runtime.database.reading(link_id) as session:
        mark = await draft_of(session, pair)
        projects = await projects_of(session, pair)
        edited = await edit_of(session, link_id, line, pair, seen) if seen is not None else None
    if mark is not None:
        return Use("used-in-draft", {"mark": mark})
    if projects:
        return Use("used-by-projects", {"count": str(projects)})
    if edited is not None or seen is None:
        return edited
    return await _use(step, Parted.now(pair, seen))


async def _use(step: UndoStep, parted: Parted) -> Use | None:
    line = step.line
    work = use_of(step.runtime, step.link_id, line, step.projects, since=parted.since)
    return await _asked(line.made_in or Side.BOOKS, work)


async def _archive(step: UndoStep, parted: Parted) -> None:
    """Archive what the run made, unless it is in use by now; done twice it writes nothing."""
    side = step.line.made_in
    if side is None:
        return
    for _ in range(_MOST_TRIES):
        seen = await _made(step)
        if seen is None or seen.record is None or not seen.record.active:
            await _keep(step, UndoState.DONE)
            return
        use = await _use(step, parted)
        if parted.print is not None and content_print(seen.record) != parted.print:
            use = Use("edited-since", {"recordId": seen.record.id})
        if use is not None:
            facts = {**use.facts, PARTED: parted.as_json()}
            await _keep(step, UndoState.REFUSED, use.code, facts)
            return
        try:
            await step.keepers[side].update(step.kind, seen, {"active": False})
        except (NotFound, Rejected):
            continue  # gone or changed under our hands: the next look says which
        except SystemFault as fault:
            raise Away(side, fault) from fault
    facts = {"side": side.value, PARTED: parted.as_json()}
    await _keep(step, UndoState.REFUSED, "archive-refused", facts)


async def _keep(
    step: UndoStep,
    state: UndoState,
    code: str | None = None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    async with step.runtime.database.transaction(CommitPoint.UNDO_STEP, step.link_id) as session:
        await _write(session, step, state, code, facts)


async def _write(
    session: AsyncSession,
    step: UndoStep,
    state: UndoState,
    code: str | None = None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    row = await read_line(session, step.link_id, step.line.proposal_id)
    if row is not None:
        row.undo, row.undo_code, row.undo_facts = state.value, code, dict(facts or {})
        row.version += 1

"""Read a record for a line of a run, and say where it is not what the person saw."""

from collections.abc import Awaitable
from typing import Final, TypeVar

from app.canonical import Customer, Record, RecordId, Side
from app.database import CommitPoint
from app.first_sync.plan.lines import find_line, read_line
from app.first_sync.reading.again import Away
from app.first_sync.reading.alone import is_alone
from app.first_sync.run.step import INTO, RECORD_GONE, Outcome, Step, later
from app.first_sync.store import PlanState, plan_in, run_of
from app.links.store import LinkState, read_link
from app.records.agreement import content_print
from app.records.judge import UNREADABLE
from app.records.store import recall
from app.systems.ports import AccessReason, Rejected, SystemFault, Unauthorised

T = TypeVar("T")

_MOST_TRIES: Final = 3
"""Waits of a run after which a record that alone cannot be read is left to the sync."""


async def read_unchanged(step: Step, side: Side, record_id: RecordId) -> Record | Outcome:
    """Read a record; an outcome instead where it does not say what the person saw."""
    try:
        seen = await guard(side, step.keepers[side].read(step.kind, record_id))
    except Away as away:
        if not await _hopeless(step, side, record_id, away.fault):
            raise
        return later(UNREADABLE, side=side.value, recordId=record_id)
    if seen is None:
        return later("projects-need-smart")
    if seen.record is None or seen.record.gone:
        into = seen.record.merged_into if isinstance(seen.record, Customer) else None
        merged = {} if into is None else {INTO: into}
        return later(RECORD_GONE, side=side.value, recordId=record_id, **merged)
    if content_print(seen.record) not in await _prints(step, side, record_id):
        return later("changed-since-plan", side=side.value, recordId=record_id)
    return seen.record


async def is_matched(step: Step, record: Record) -> bool:
    """Say whether a line's record says what its line was matched with; else the run looks anew."""
    async with step.runtime.database.reading(step.link_id) as session:
        line = await read_line(session, step.link_id, step.line.proposal_id)
    if line is None or line.print == content_print(record):
        return True
    async with step.runtime.database.transaction(CommitPoint.RUN_STEP, step.link_id) as session:
        plan = await plan_in(session, step.link_id, PlanState.RUNNING, lock=True)
        run = await run_of(session, plan) if plan is not None else None
        if run is not None:
            run.checked_at = None
    return False


async def _hopeless(step: Step, side: Side, record_id: RecordId, fault: SystemFault) -> bool:
    """
    Say whether the run goes on without a record, since others can be read and it cannot.

    One that was read for the plan gets a few tries more; one that could not be read then had them.
    """
    if not isinstance(fault, Rejected):
        async with step.runtime.database.reading(step.link_id) as session:
            rows = await recall(session, step.link_id, side, step.kind, [record_id])
            plan = await plan_in(session, step.link_id, PlanState.RUNNING)
        tried = ((plan.problem if plan is not None else None) or {}).get("attempts", 0)
        if tried < _MOST_TRIES and all(row.complete for row in rows):
            return False
    return await is_alone(step.keepers[side], step.kind, fault)


async def _prints(step: Step, side: Side, record_id: RecordId) -> set[str]:
    """
    Give what the person saw the record say: when it was matched, or after a fix of theirs upon it.

    Of a record without a line it is what is remembered, which under the first review only a
    reading changes; on an active link the ordinary sync does too, so there only the line counts.
    """
    async with step.runtime.database.reading(step.link_id) as session:
        link = await read_link(session, step.link_id)
        reviewed = link is not None and link.state == LinkState.REVIEWING
        ids = [record_id] if reviewed else []
        rows = await recall(session, step.link_id, side, step.kind, ids)
        plan = await plan_in(session, step.link_id, PlanState.RUNNING, PlanState.PAUSED)
        line = None
        if plan is not None:
            line = await find_line(session, plan, step.kind.value, side.value, record_id)
    if line is None:
        return {content_print(row.record) for row in rows}
    fixed = {content_print(row.record) for row in rows if row.fixed_from == line.print}
    return fixed | {line.print}


async def guard(side: Side, work: Awaitable[T]) -> T | None:
    """
    Await a call to a side; ``None`` where its plan does not have what is asked.

    Raises:
        Away: The side cannot be worked with now.

    """
    try:
        return await work
    except Unauthorised as fault:
        if fault.reason is AccessReason.PLAN:
            return None
        raise Away(side, fault) from fault
    except SystemFault as fault:
        raise Away(side, fault) from fault

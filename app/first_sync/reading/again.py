"""Let a reading or a run wait for a system that is away, where a person can see it."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, Side
from app.database import CommitPoint
from app.first_sync.store import Plan
from app.links.change_state import pause
from app.links.lifecycle import pause_reason
from app.links.store import DirectoryEntry, LinkState
from app.queue import Job, defer
from app.runtime import Runtime
from app.systems.ports import RateLimited, SystemFault, Unauthorised, Unreachable

WORKING: Final = (LinkState.REVIEWING, LinkState.ACTIVE)
"""In these states of its link a plan is read and carried out; in any other it waits."""

JOBS: Final = (Job.READ_PLAN, Job.RUN_FIRST_SYNC, Job.UNDO_FIRST_SYNC)
"""What a first sync may have to go on with; a job without anything to do ends at once."""

_FIRST_WAIT: Final = 5.0
_LONGEST_WAIT: Final = 300.0
_MOST_LINKS: Final = 500


class Away(Exception):  # noqa: N818 - named by what it says
    """Say which side cannot be worked with now, and why; ``fault`` is what it answered."""

    def __init__(self, side: Side, fault: SystemFault) -> None:
        super().__init__(str(fault))
        self.side = side
        self.fault = fault


async def hold_on(runtime: Runtime, link_id: LinkId, plan_id: UUID, away: Away) -> None:
    """
    Write down what hinders a plan and when it is tried again; a refused credential pauses the link.

    It stands at the plan whose work waits, which is an older one where an older run is undone.

    Waits double from 5 seconds to 5 minutes and never end by themselves; a ``Retry-After`` is a
    lower bound. ``wake_first_syncs`` starts the work again.
    """
    now = runtime.clock()
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        plan = await session.get(Plan, (link_id, plan_id), with_for_update=True)
        if plan is None:
            return
        attempts = int((plan.problem or {}).get("attempts", 0)) + 1
        until = now + timedelta(seconds=wait_seconds(away.fault, attempts))
        plan.problem = problem_of(away, attempts, until)
        plan.version += 1
        plan.updated_at = now
        if isinstance(away.fault, Unauthorised):
            reason = pause_reason(away.fault.reason, books=away.side is Side.BOOKS)
            await pause(session, link_id, reason=reason, now=now)
        await wait_until(session, link_id, until)


async def wait_until(session: AsyncSession, link_id: LinkId, until: datetime) -> None:
    """Say when work that waits by itself goes on; a link that rests says it when it is resumed."""
    await session.execute(
        update(DirectoryEntry).where(DirectoryEntry.link_id == link_id).values(next_plan=until)
    )


async def wake_first_syncs(runtime: Runtime) -> int:
    """
    Defer the reading and the run of each working link whose time has come.

    Called as often as ``wake``; safe in any number of processes. Gives how many links were woken.
    """
    now = runtime.clock()
    async with runtime.database.transaction(CommitPoint.PLAIN) as session:
        rows = await session.scalars(
            select(DirectoryEntry)
            .where(DirectoryEntry.state.in_(WORKING), DirectoryEntry.next_plan <= now)
            .order_by(DirectoryEntry.next_plan)
            .limit(_MOST_LINKS)
            .with_for_update(skip_locked=True)
        )
        due = list(rows)
        for entry in due:
            entry.next_plan = None
            for job in JOBS:
                await defer(session, job, LinkId(entry.link_id))
    return len(due)


def wait_seconds(fault: SystemFault, attempts: int) -> float:
    """Say how long to wait before a system is asked again, in seconds."""
    asked = fault.retry_after if isinstance(fault, RateLimited | Unreachable) else None
    return max(min(_FIRST_WAIT * 2.0 ** min(attempts - 1, 10), _LONGEST_WAIT), asked or 0.0)


def problem_of(away: Away, attempts: int, until: datetime) -> dict[str, Any]:
    """Write down what hinders as it is stored and shown."""
    facts: dict[str, Any] = {"side": away.side.value}
    match away.fault:
        case Unauthorised():
            code, facts["reason"] = "system-access-refused", away.fault.reason.value
        case RateLimited():
            code = "other-system-busy"
        case _:
            code = "other-system-away"
    return {"code": code, "facts": facts, "attempts": attempts, "until": until.isoformat()}

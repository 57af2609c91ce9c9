"""Wake the links whose waiting work or sweep is due; waiting itself lives in our rows."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId
from app.changes.measure import measure_links
from app.database import CommitPoint
from app.links.store import DirectoryEntry, LinkState
from app.queue import Job, defer
from app.runtime import Runtime

_MOST_LINKS = 500
"""Links woken in one look; the rest is still due at the next."""


async def wake(runtime: Runtime) -> int:
    """
    Defer a drain for each active link with due changes, and a sweep where one is due.

    Safe to run in any number of processes at once. Gives how many jobs were asked for; one that
    waited already is not made twice.
    """
    now = runtime.clock()
    async with runtime.database.transaction(CommitPoint.PLAIN) as session:
        drains = await _due(session, "next_due", now)
        sweeps = await _due(session, "next_sweep", now)
        for link_id in drains:
            await defer(session, Job.DRAIN_LINK, LinkId(link_id))
        for link_id in sweeps:
            await defer(session, Job.SWEEP_LINK, LinkId(link_id))
    await measure_links(runtime)
    return len(drains) + len(sweeps)


async def _due(session: AsyncSession, column: str, now: datetime) -> list[UUID]:
    due = getattr(DirectoryEntry, column)
    rows = await session.scalars(
        select(DirectoryEntry.link_id)
        .where(DirectoryEntry.state == LinkState.ACTIVE, due <= now)
        .order_by(due)
        .limit(_MOST_LINKS)
    )
    return list(rows)

"""
Wake the drafts whose next step or look is due, and the reading of hours that are billed.

Waiting lives in their rows.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId
from app.database import CommitPoint
from app.invoicing.store import Draft
from app.invoicing.unbilled.due import ask_for_hours
from app.links.store import DirectoryEntry, LinkState
from app.queue import Job, defer
from app.runtime import Runtime

_MOST_LINKS: Final = 200
_LOOK_AGAIN: Final = timedelta(seconds=30)


async def wake_drafts(runtime: Runtime) -> int:
    """Defer a job for each due draft of active links; gives how many links had some."""
    now = runtime.clock()
    async with runtime.database.reading() as session:
        rows = await session.scalars(
            select(DirectoryEntry.link_id)
            .where(DirectoryEntry.next_draft <= now, DirectoryEntry.state == LinkState.ACTIVE)
            .order_by(DirectoryEntry.next_draft)
            .limit(_MOST_LINKS)
        )
        link_ids = [LinkId(row) for row in rows]
    for link_id in link_ids:
        async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
            await _wake_link(session, link_id, now)
    return len(link_ids)


async def _wake_link(session: AsyncSession, link_id: LinkId, now: datetime) -> None:
    due = await session.scalars(
        select(Draft.draft_id).where(Draft.link_id == link_id, Draft.not_before <= now)
    )
    asked = 0
    for draft_id in due:
        await defer(session, Job.SETTLE_DRAFT, link_id, draft_id=str(draft_id))
        asked += 1
    looks = await session.scalar(
        select(func.count()).where(Draft.link_id == link_id, Draft.next_look <= now)
    )
    if looks:
        await defer(session, Job.FOLLOW_DRAFTS, link_id)
        asked += 1
    hours = await ask_for_hours(session, link_id, now)
    following = await session.scalar(
        select(
            func.least(
                func.min(Draft.not_before).filter(Draft.not_before > now),
                func.min(Draft.next_look).filter(Draft.next_look > now),
            )
        ).where(Draft.link_id == link_id)
    )
    if asked:  # a job that dies before it moves its draft must not be forgotten
        following = min(following or now + _LOOK_AGAIN, now + _LOOK_AGAIN)
    if hours is not None:
        following = min(following or hours, hours)
    await session.execute(
        update(DirectoryEntry)
        .where(DirectoryEntry.link_id == link_id, DirectoryEntry.next_draft <= now)
        .values(next_draft=following)
    )

"""
Say when a link's hours are read again, and ask for it.

While an hour is billed it is watched, whatever became of its draft: a change of it is money.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId
from app.invoicing.store import LedgerRow
from app.invoicing.unbilled.hours import HoursMark, read_mark
from app.queue import Job, defer

STALE: Final = timedelta(minutes=15)


def is_stale(mark: HoursMark | None, now: datetime) -> bool:
    """Say whether a link's hours are to be read again."""
    return mark is None or now - mark.seen_at >= STALE


async def ask_for_hours(session: AsyncSession, link_id: LinkId, now: datetime) -> datetime | None:
    """
    Ask for a reading where one is due; gives when the next is, ``None`` where no hour is billed.

    One that fails is asked for again a quarter of an hour later, or with the next draft that is
    due, not at once: the time system may be away.
    """
    if not await session.scalar(select(is_billed(link_id))):
        return None
    mark = await read_mark(session, link_id)
    if mark is not None and not is_stale(mark, now):
        return mark.seen_at + STALE
    await defer(session, Job.READ_HOURS, link_id)
    return now + STALE


def is_billed(link_id: LinkId) -> ColumnElement[bool]:
    """Choose whether any hour of a link stands in a draft."""
    return exists().where(LedgerRow.link_id == link_id, LedgerRow.active)

"""Say as of when hours are known, and have them read where that is long ago."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.invoicing.drafts.record import make_due
from app.invoicing.unbilled.due import is_stale
from app.invoicing.unbilled.hours import HoursMark, read_mark
from app.links.reach import Reached
from app.links.store import LinkState
from app.queue import Job, defer


async def read_again(
    session: AsyncSession, reached: Reached, now: datetime
) -> tuple[HoursMark | None, bool]:
    """Ask for the hours to be read where that is due; gives as of when they are known by now."""
    mark = await read_mark(session, reached.link_id)
    reading = reached.state is LinkState.ACTIVE and is_stale(mark, now)
    if reading:
        await defer(session, Job.READ_HOURS, reached.link_id)
        await make_due(session, reached.link_id, now)  # from then on as long as hours are billed
    return mark, reading

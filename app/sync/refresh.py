"""Read a side's newest records before something is made there, so that none is made twice."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from app.canonical import Record, RecordId, RecordKind, Side
from app.changes.mass_change import watch
from app.database import CommitPoint
from app.records.judge import paired_ids
from app.records.shapes import tombstone
from app.records.store import recall, remember
from app.sync.bite import Look
from app.sync.lists import Lists, sweep_list
from app.sync.store import SweepMark
from app.systems.ports import Rejected, Unreachable

OVERLAP: Final = timedelta(minutes=5)
"""How far a list of changes reaches back before the last one, for clocks that differ."""

FIRST_REACH: Final = timedelta(days=7)
"""How far the first list of changes reaches back: the review may have taken days."""


_MOST_ALONE: Final = 5
"""Records without an answer beside none that was read, from which on the side counts as away."""


async def refresh(look: Look, side: Side, kind: RecordKind) -> None:
    """
    Bring what we know of a side up to now, once a drain however many records ask.

    A person may have made the same customer on both sides within minutes; without this look the
    second one would be made a third time. What a list shows only thinly is read whole, since what
    is not known cannot be matched. One that alone cannot be read stays thin and stops nobody:
    what its list says of it takes part in the matching.

    Raises:
        SystemFault: The side cannot be asked now.

    """
    key = (side, kind)
    if key not in look.refreshed:
        look.refreshed[key] = asyncio.ensure_future(_read(look, side, kind))
    await look.refreshed[key]


async def _read(look: Look, side: Side, kind: RecordKind) -> None:
    able = await look.able(side)
    narrows = kind is RecordKind.CUSTOMER and able.changed_since
    async with look.runtime.database.reading(look.link_id) as session:
        mark = await session.get(SweepMark, look.link_id)
        brake = await watch(session, look.link_id, has_swept=mark is not None)
    since = list_from(mark, now=look.runtime.clock()) if narrows else None
    await sweep_list(
        Lists(
            look.runtime,
            look.link_id,
            look.keepers[side],
            side=side,
            kind=kind,
            since=since,
            brake=brake,
        )
    )
    await _read_unread(look, side, kind)


async def _read_unread(look: Look, side: Side, kind: RecordKind) -> None:
    """Read whole the records in no pair that were listed since they were last read, or never."""
    async with look.runtime.database.reading(look.link_id) as session:
        paired = await paired_ids(session, look.link_id, kind)
        known = await recall(session, look.link_id, side, kind)
    taken = set(paired if side is Side.TIME else paired.values())
    side_by_side = asyncio.Semaphore(look.runtime.settings.drain_parallel)

    async def read(record_id: RecordId, name: str) -> Record:
        async with side_by_side:
            seen = await look.keepers[side].read(kind, record_id)
        return seen.record or tombstone(kind, record_id, name=name)

    unread = [
        row
        for row in known
        if row.gone_at is None and not row.complete and row.record_id not in taken
    ]
    if not unread:
        return
    answers = await asyncio.gather(
        *(read(RecordId(row.record_id), row.name) for row in unread), return_exceptions=True
    )
    news = [one for one in answers if not isinstance(one, BaseException)]
    for answer in answers:
        # The list was read a moment ago, so one record without an answer says nothing of the side.
        alone = isinstance(answer, Unreachable) and (news or len(unread) < _MOST_ALONE)
        if isinstance(answer, BaseException) and not (alone or isinstance(answer, Rejected)):
            raise answer
    async with look.runtime.database.transaction(CommitPoint.PLAIN, look.link_id) as session:
        await remember(session, look.link_id, side, kind, news, now=look.runtime.clock())


def list_from(mark: SweepMark | None, *, now: datetime) -> datetime:
    """Give the instant from which changes are asked for; the first list reaches back far."""
    seen_to = mark.seen_to if mark is not None else None
    return now - FIRST_REACH if seen_to is None else seen_to - OVERLAP

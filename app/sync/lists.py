"""Go through one list of one side and note what moved since it was last seen."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, Record, RecordId, RecordKind, Side
from app.changes.mass_change import MassChange
from app.database import CommitPoint
from app.records.noted import Noted, moved
from app.records.shapes import tombstone
from app.records.store import KnownRecord, fingerprints, recall
from app.runtime import Runtime
from app.sync.cadence import due_for_reading
from app.systems.ports import RecordKeeper, Row

READ_TOGETHER: Final = 50
"""Thin rows read whole before what they say is noted; a death repeats no more than these."""


@dataclass(frozen=True, slots=True)
class Lists:
    """
    Hold what one list is swept with.

    Args:
        since: Only what changed since then is listed; ``None`` lists everything, so that what is
            not named is gone.
        brake: Counts the pairs that changed.
        passed: Time since the sweep before: it says how many thin rows are to be read whole.
            ``None`` reads none, for instance where a narrowed list does it.

    """

    runtime: Runtime
    link_id: LinkId
    keeper: RecordKeeper
    side: Side
    kind: RecordKind
    since: datetime | None
    brake: MassChange
    passed: timedelta | None = None

    @property
    def noted(self) -> Noted:
        """Give what keeps and notes that a list tells."""
        return Noted(self.link_id, self.side, self.kind, self.brake)


async def sweep_list(lists: Lists) -> int:
    """
    Note the records of a list that changed, are new, or vanished, and remember the list.

    Gives how many were noted.

    Raises:
        SystemFault: The side failed; the pages before are noted and remembered.

    """
    started = lists.runtime.clock()
    async with lists.runtime.database.reading(lists.link_id) as session:
        before = await fingerprints(session, lists.link_id, lists.side, lists.kind)
    noted = 0
    thin: list[RecordId] = []
    async for page in lists.keeper.pages(lists.kind, changed_since=lists.since):
        news = [row for row in page.rows if moved(row, before)]
        noted += await _note_rows(lists, page.rows, news)
        still = {row.id for row in page.rows} - {row.id for row in news}
        thin += [row.id for row in page.rows if not row.complete and row.id in still]
    if lists.since is None:
        noted += await _note_gone(lists, started)
    if lists.passed is not None:
        noted += await _read_thin(lists, thin, lists.passed)
    return noted


async def _note_rows(lists: Lists, rows: Sequence[Row], news: Sequence[Row]) -> int:
    """Note and remember one page in one transaction."""
    async with _noting(lists) as session:
        return await lists.noted.rows(session, rows, news, now=lists.runtime.clock())


async def _note_gone(lists: Lists, started: datetime) -> int:
    """Note what a full list no longer names."""
    async with _noting(lists) as session:
        return await lists.noted.gone(session, since=started, now=lists.runtime.clock())


def _noting(lists: Lists) -> AbstractAsyncContextManager[AsyncSession]:
    return lists.runtime.database.transaction(CommitPoint.SWEEP_NOTED, lists.link_id)


async def _read_thin(lists: Lists, listed: Sequence[RecordId], passed: timedelta) -> int:
    """Read whole the records whose thin rows cannot show every change, the longest unread first."""
    async with lists.runtime.database.reading(lists.link_id) as session:
        known = await recall(session, lists.link_id, lists.side, lists.kind, listed)
    due = due_for_reading(
        known,
        now=lists.runtime.clock(),
        narrowed=lists.since is not None,
        passed=passed,
        idle=timedelta(seconds=lists.runtime.settings.sweep_idle_seconds),
    )
    noted = 0
    for start in range(0, len(due), READ_TOGETHER):
        noted += await _read_some(lists, due[start : start + READ_TOGETHER])
    return noted


async def _read_some(lists: Lists, rows: Sequence[KnownRecord]) -> int:
    """Read records side by side, then note and remember them in one transaction."""
    side_by_side = asyncio.Semaphore(lists.runtime.settings.drain_parallel)

    async def read(row: KnownRecord) -> Record:
        record_id = RecordId(row.record_id)
        async with side_by_side:
            seen = await lists.keeper.read(lists.kind, record_id)
        return seen.record or tombstone(lists.kind, record_id, name=row.name)

    news = await asyncio.gather(*(read(row) for row in rows))
    async with _noting(lists) as session:
        return await lists.noted.whole(session, news, now=lists.runtime.clock())

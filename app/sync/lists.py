"""Go through one list of one side and note what moved since it was last seen."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import Customer, LinkId, Project, Record, RecordId, RecordKind, Side
from app.changes.mass_change import MassChange
from app.changes.store import Change, note
from app.database import CommitPoint
from app.links.pairs import Pair
from app.records.agreement import fields_of
from app.records.shapes import tombstone
from app.records.store import (
    KnownRecord,
    fingerprints,
    mark_unlisted_gone,
    recall,
    remember,
    remember_rows,
)
from app.runtime import Runtime
from app.sync.cadence import due_for_reading
from app.systems.ports import ChangeNotice, RecordKeeper, Row

READ_TOGETHER: Final = 50
"""Thin rows read whole before what they say is noted; a death repeats no more than these."""

_THIN: Final = frozenset({"address", "phone"})
"""What a thin row does not say."""


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
        moved = [row for row in page.rows if _moved(row, before)]
        noted += await _note_rows(lists, page.rows, moved)
        still = {row.id for row in page.rows} - {row.id for row in moved}
        thin += [row.id for row in page.rows if not row.complete and row.id in still]
    if lists.since is None:
        noted += await _note_gone(lists, started)
    if lists.passed is not None:
        noted += await _read_thin(lists, thin, lists.passed)
    return noted


def _moved(row: Row, before: Mapping[RecordId, str]) -> bool:
    known = before.get(row.id)
    if known is None:
        return not row.record.gone  # a tombstone of a record we never had says nothing
    return known != row.fingerprint


async def _note_rows(lists: Lists, rows: Sequence[Row], moved: Sequence[Row]) -> int:
    """Note and remember one page in one transaction."""
    now = lists.runtime.clock()
    async with lists.runtime.database.transaction(
        CommitPoint.SWEEP_NOTED, lists.link_id
    ) as session:
        pairs = await _pairs(session, lists, [row.id for row in moved])
        told = [row for row in moved if _says_news(row, pairs.get(row.id))]
        differing = {
            row.id: pair for row in told if (pair := pairs.get(row.id)) and _differs(row, pair)
        }
        await _note(session, lists, [row.id for row in told], differing, now)
        await remember_rows(session, lists.link_id, lists.side, lists.kind, rows, now=now)
    return len(told)


async def _note_gone(lists: Lists, started: datetime) -> int:
    """Note what a full list no longer names."""
    now = lists.runtime.clock()
    async with lists.runtime.database.transaction(
        CommitPoint.SWEEP_NOTED, lists.link_id
    ) as session:
        gone = await mark_unlisted_gone(
            session, lists.link_id, lists.side, lists.kind, since=started, now=now
        )
        await _note(session, lists, gone, await _pairs(session, lists, gone), now)
    return len(gone)


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
    now = lists.runtime.clock()
    async with lists.runtime.database.transaction(
        CommitPoint.SWEEP_NOTED, lists.link_id
    ) as session:
        pairs = await _pairs(session, lists, [record.id for record in news])
        told = {
            record.id: pair
            for record in news
            if (pair := pairs.get(record.id)) and _unlike(record, pair, but=frozenset())
        }
        await _note(session, lists, told, told, now)
        await remember(session, lists.link_id, lists.side, lists.kind, news, now=now)
    return len(told)


def _says_news(row: Row, pair: Pair | None) -> bool:
    """Say whether a moved row must be looked at; a whole one that says what was agreed need not."""
    if pair is None or not row.complete or row.record.gone:
        return True
    return isinstance(row.record, Project) or _differs(row, pair)


def _differs(row: Row, pair: Pair) -> bool:
    return _unlike(row.record, pair, but=frozenset() if row.complete else _THIN)


def _unlike(record: Record, pair: Pair, *, but: frozenset[str]) -> bool:
    """Say whether a record says otherwise than agreed; its customer's pair is not looked up."""
    skipped = but if isinstance(record, Customer) else but | {"customer"}
    said: Mapping[str, Any] = fields_of(record, customer_pair=None)
    return any(value != pair.base.get(name) for name, value in said.items() if name not in skipped)


async def _pairs(
    session: AsyncSession, lists: Lists, record_ids: Iterable[RecordId]
) -> Mapping[RecordId, Pair]:
    column = Pair.time_id if lists.side is Side.TIME else Pair.books_id
    rows = await session.scalars(
        select(Pair).where(
            Pair.link_id == lists.link_id,
            Pair.kind == lists.kind.value,
            column.in_(list(record_ids)),
        )
    )
    return {pair.record_id(lists.side): pair for pair in rows.all()}


async def _note(
    session: AsyncSession,
    lists: Lists,
    record_ids: Collection[RecordId],
    differing: Mapping[RecordId, Pair],
    now: datetime,
) -> None:
    """Note records, and let the brake count their pairs in the same transaction."""
    waiting = await _waiting(session, lists, differing)
    news = {
        pair.pair_id
        for record_id, pair in differing.items()
        # What waits for a person differs from its base already, and what waits for us was counted
        # when it was noted: neither is news.
        if pair.problem is None and record_id not in waiting
    }
    notices = [ChangeNotice(lists.kind, record_id) for record_id in record_ids]
    await note(session, lists.link_id, lists.side, notices, now=now)
    await lists.brake.add(session, news, now=now)


async def _waiting(
    session: AsyncSession, lists: Lists, record_ids: Collection[RecordId]
) -> frozenset[str]:
    """Give those records that wait to be looked at already."""
    if not record_ids:
        return frozenset()
    rows = await session.scalars(
        select(Change.record_id).where(
            Change.link_id == lists.link_id,
            Change.side == lists.side.value,
            Change.kind == lists.kind.value,
            Change.record_id.in_(list(record_ids)),
        )
    )
    return frozenset(rows.all())

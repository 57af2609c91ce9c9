"""Go through one list of one side and note what moved since it was last seen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import Customer, LinkId, Project, Record, RecordId, RecordKind, Side
from app.changes.store import note
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
from app.systems.ports import ChangeNotice, RecordKeeper, Row

MOST_READS: Final = 50
"""Thin rows read whole in one sweep; the rest follows in the next, the longest unread first."""

READ_EVERY: Final = timedelta(hours=24)
"""Within this time every record of a side with thin lists is read whole once."""

_THIN: Final = frozenset({"address", "phone"})
"""What a thin row does not say."""


@dataclass(frozen=True, slots=True)
class Lists:
    """
    Hold what one list is swept with.

    Args:
        since: Only what changed since then is listed; ``None`` lists everything, so that what is
            not named is gone.
        reads: Whether thin rows are read whole here; not where a narrowed list does it.

    """

    runtime: Runtime
    link_id: LinkId
    keeper: RecordKeeper
    side: Side
    kind: RecordKind
    since: datetime | None
    reads: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """
    Hold what a sweep found.

    Args:
        noted: Records noted as changes.
        changed_pairs: Pairs in which a side no longer says what was agreed; for the brake.

    """

    noted: int = 0
    changed_pairs: frozenset[UUID] = frozenset()

    def plus(self, other: "Found") -> "Found":
        """Give both together."""
        return Found(self.noted + other.noted, self.changed_pairs | other.changed_pairs)


async def sweep_list(lists: Lists) -> Found:
    """
    Note the records of a list that changed, are new, or vanished, and remember the list.

    Raises:
        SystemFault: The side failed; the pages before are noted and remembered.

    """
    started = lists.runtime.clock()
    async with lists.runtime.database.reading(lists.link_id) as session:
        before = await fingerprints(session, lists.link_id, lists.side, lists.kind)
    found = Found()
    thin: list[RecordId] = []
    async for page in lists.keeper.pages(lists.kind, changed_since=lists.since):
        moved = [row for row in page.rows if _moved(row, before)]
        found = found.plus(await _note_rows(lists, page.rows, moved))
        still = {row.id for row in page.rows} - {row.id for row in moved}
        thin += [row.id for row in page.rows if not row.complete and row.id in still]
    if lists.since is None:
        found = found.plus(await _note_gone(lists, started))
    return found.plus(await _read_thin(lists, thin)) if lists.reads else found


def _moved(row: Row, before: Mapping[RecordId, str]) -> bool:
    known = before.get(row.id)
    if known is None:
        return not row.record.gone  # a tombstone of a record we never had says nothing
    return known != row.fingerprint


async def _note_rows(lists: Lists, rows: Sequence[Row], moved: Sequence[Row]) -> Found:
    """Note and remember one page in one transaction."""
    now = lists.runtime.clock()
    async with lists.runtime.database.transaction(
        CommitPoint.SWEEP_NOTED, lists.link_id
    ) as session:
        pairs = await _pairs(session, lists, [row.id for row in moved])
        told = [row for row in moved if _says_news(row, pairs.get(row.id))]
        await _note(session, lists, [row.id for row in told], now)
        await remember_rows(session, lists.link_id, lists.side, lists.kind, rows, now=now)
    changed = {
        pair.pair_id
        for row in told
        # A pair that waits for a person differs from its base already; that is no news.
        if (pair := pairs.get(row.id)) and pair.problem is None and _differs(row, pair)
    }
    return Found(len(told), frozenset(changed))


async def _note_gone(lists: Lists, started: datetime) -> Found:
    """Note what a full list no longer names."""
    now = lists.runtime.clock()
    async with lists.runtime.database.transaction(
        CommitPoint.SWEEP_NOTED, lists.link_id
    ) as session:
        gone = await mark_unlisted_gone(
            session, lists.link_id, lists.side, lists.kind, since=started, now=now
        )
        pairs = await _pairs(session, lists, gone)
        await _note(session, lists, gone, now)
    return Found(len(gone), frozenset(pair.pair_id for pair in pairs.values()))


async def _read_thin(lists: Lists, listed: Sequence[RecordId]) -> Found:
    """Read whole the records whose thin rows cannot show every change, the longest unread first."""
    now = lists.runtime.clock()
    async with lists.runtime.database.reading(lists.link_id) as session:
        known = await recall(session, lists.link_id, lists.side, lists.kind, listed)
    due = _due_for_reading(known, now, narrowed=lists.since is not None)
    news: list[Record] = []
    for row in due:
        seen = await lists.keeper.read(lists.kind, RecordId(row.record_id))
        news.append(seen.record or tombstone(lists.kind, RecordId(row.record_id), name=row.name))
    if not news:
        return Found()
    async with lists.runtime.database.transaction(
        CommitPoint.SWEEP_NOTED, lists.link_id
    ) as session:
        pairs = await _pairs(session, lists, [record.id for record in news])
        told = [
            record
            for record in news
            if (pair := pairs.get(record.id)) and _unlike(record, pair, but=frozenset())
        ]
        await _note(session, lists, [record.id for record in told], now)
        await remember(session, lists.link_id, lists.side, lists.kind, news, now=now)
    changed = (pairs[record.id] for record in told)
    return Found(len(told), frozenset(pair.pair_id for pair in changed if pair.problem is None))


def _due_for_reading(
    known: Sequence[KnownRecord], now: datetime, *, narrowed: bool
) -> Sequence[KnownRecord]:
    """Choose what to read: of a narrowed list any hit, of a whole one what was unread for a day."""
    stale = [
        row for row in known if narrowed or row.read_at is None or now - row.read_at >= READ_EVERY
    ]
    return sorted(stale, key=lambda row: row.read_at or row.first_seen_at)[:MOST_READS]


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
    session: AsyncSession, lists: Lists, record_ids: Iterable[RecordId], now: datetime
) -> None:
    notices = [ChangeNotice(lists.kind, record_id) for record_id in record_ids]
    await note(session, lists.link_id, lists.side, notices, now=now)

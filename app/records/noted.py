"""Note the records that a reading of a side tells anew, and let the brake count their pairs."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import Customer, LinkId, Project, Record, RecordId, RecordKind, Side
from app.changes.mass_change import MassChange
from app.changes.store import Change, note
from app.links.pairs import Pair
from app.records.agreement import fields_of, shown_by
from app.records.store import mark_unlisted_gone, remember, remember_rows
from app.systems.ports import ChangeNotice, Row

_THIN: Final = frozenset({"address", "phone"})
"""What a thin row does not say."""


def moved(row: Row, before: Mapping[RecordId, str]) -> bool:
    """Say whether a row tells another thing than the list last did (``fingerprints``)."""
    known = before.get(row.id)
    if known is None:
        return not row.record.gone  # a tombstone of a record we never had says nothing
    return known != row.fingerprint


@dataclass(frozen=True, slots=True)
class Noted:
    """
    Keep what a reading of one side's records of a kind tells, together with the note of it.

    What is remembered is no news to anyone after, so each of these notes and remembers in the
    caller's one transaction. The caller defers the drain.

    Args:
        brake: Counts the pairs that changed.

    """

    link_id: LinkId
    side: Side
    kind: RecordKind
    brake: MassChange

    async def rows(
        self, session: AsyncSession, rows: Sequence[Row], news: Sequence[Row], *, now: datetime
    ) -> int:
        """Keep a page of a list of which some rows ``moved``; give how many were noted."""
        pairs = await self._pairs(session, [row.id for row in news])
        told = [row for row in news if self._says_news(row, pairs.get(row.id))]
        differing = {
            row.id: pair for row in told if (pair := pairs.get(row.id)) and self._differs(row, pair)
        }
        await self._note(session, [row.id for row in told], differing, now)
        await remember_rows(session, self.link_id, self.side, self.kind, rows, now=now)
        return len(told)

    async def gone(self, session: AsyncSession, *, since: datetime, now: datetime) -> int:
        """Keep what a full list since ``since`` no longer names; give how many were noted."""
        found = await mark_unlisted_gone(
            session, self.link_id, self.side, self.kind, since=since, now=now
        )
        await self._note(session, found, await self._pairs(session, found), now)
        return len(found)

    async def whole(
        self, session: AsyncSession, records: Sequence[Record], *, now: datetime
    ) -> int:
        """Keep records that were read whole; give how many were noted, since they differ."""
        pairs = await self._pairs(session, [record.id for record in records])
        told = {
            record.id: pair
            for record in records
            if (pair := pairs.get(record.id))
            and (record.gone or self._unlike(record, pair, but=frozenset()))
        }
        await self._note(session, told, told, now)
        await remember(session, self.link_id, self.side, self.kind, records, now=now)
        return len(told)

    async def _pairs(
        self, session: AsyncSession, record_ids: Iterable[RecordId]
    ) -> Mapping[RecordId, Pair]:
        column = Pair.time_id if self.side is Side.TIME else Pair.books_id
        rows = await session.scalars(
            select(Pair).where(
                Pair.link_id == self.link_id,
                Pair.kind == self.kind.value,
                column.in_(list(record_ids)),
            )
        )
        return {pair.record_id(self.side): pair for pair in rows.all()}

    async def _note(
        self,
        session: AsyncSession,
        record_ids: Collection[RecordId],
        differing: Mapping[RecordId, Pair],
        now: datetime,
    ) -> None:
        """Note records, and let the brake count their pairs in the same transaction."""
        waiting = await self._waiting(session, differing)
        news = {
            pair.pair_id
            for record_id, pair in differing.items()
            # What waits for a person differs from its base already, and what waits for us was
            # counted when it was noted: neither is news.
            if pair.problem is None and record_id not in waiting
        }
        notices = [ChangeNotice(self.kind, record_id) for record_id in record_ids]
        await note(session, self.link_id, self.side, notices, now=now)
        await self.brake.add(session, news, now=now)

    async def _waiting(
        self, session: AsyncSession, record_ids: Collection[RecordId]
    ) -> frozenset[str]:
        """Give those records that wait to be looked at already."""
        if not record_ids:
            return frozenset()
        rows = await session.scalars(
            select(Change.record_id).where(
                Change.link_id == self.link_id,
                Change.side == self.side.value,
                Change.kind == self.kind.value,
                Change.record_id.in_(list(record_ids)),
            )
        )
        return frozenset(rows.all())

    def _says_news(self, row: Row, pair: Pair | None) -> bool:
        """Say whether a moved row must be looked at; a whole one that says what was agreed not."""
        if pair is None or not row.complete or row.record.gone:
            return True
        return isinstance(row.record, Project) or self._differs(row, pair)

    def _differs(self, row: Row, pair: Pair) -> bool:
        return self._unlike(row.record, pair, but=frozenset() if row.complete else _THIN)

    def _unlike(self, record: Record, pair: Pair, *, but: frozenset[str]) -> bool:
        """
        Say whether a record says otherwise than agreed; its customer's pair is not looked up.

        What its side makes of an agreed value is that value, as it is for the merge.
        """
        skipped = but if isinstance(record, Customer) else but | {"customer"}
        said: Mapping[str, Any] = fields_of(record, customer_pair=None)
        shown = shown_by(self.side, pair.base)
        agreed = ((name, pair.base.get(name)) for name in said if name not in skipped)
        return any(said[name] not in (value, shown.get(name, value)) for name, value in agreed)

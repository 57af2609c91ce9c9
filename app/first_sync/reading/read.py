"""Read both sides whole, page by page, in short transactions; a death loses one page at most."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import ColumnElement

from app.canonical import LinkId, Record, RecordId, RecordKind, Side
from app.changes.mass_change import MassChange, watch
from app.database import CommitPoint
from app.first_sync.reading.alone import is_alone
from app.links.store import LinkState, read_link
from app.queue import Job, defer
from app.records.noted import Noted, moved
from app.records.store import (
    KnownRecord,
    fingerprints,
    mark_unlisted_gone,
    remember,
    remember_rows,
)
from app.runtime import Runtime
from app.systems.ports import RecordKeeper, Row, SystemFault, Unreachable

_log = structlog.get_logger()

_MOST_ALONE: Final = 5
"""Records without an answer beside none that was read, from which on the system counts as away."""

_LONGEST_MEMORY: Final = timedelta(days=30)


class Superseded(Exception):  # noqa: N818 - named by what happened
    """Say that another reading began, or the link rests; this one stops without a word."""


@dataclass(slots=True)
class Reading:
    """
    Hold one side's reading while it goes on.

    Args:
        started_at: The plan's; also the fence: a reading of an older start writes nothing more.
        brake: Counts the pairs that changed, where the link is active: what this reading remembers
            no sweep finds any more, so it is noted as a sweep would. ``None`` under the first
            review, which nothing is kept in step before.
        progress: By kind: how many were listed, how many the list says there are, how many of them
            were read whole.

    """

    runtime: Runtime
    link_id: LinkId
    side: Side
    keeper: RecordKeeper
    started_at: datetime
    brake: MassChange | None = None
    progress: dict[str, dict[str, int | None]] = field(default_factory=dict)

    async def note(self, session: AsyncSession) -> None:
        """
        Write the progress in the transaction that keeps what was read.

        A link that the brake stopped is read to the end, so that a person sees the whole number.
        """
        done = await session.scalar(
            text(
                "UPDATE plans SET progress = jsonb_set(progress, ARRAY[CAST(:side AS text)],"
                " CAST(:progress AS jsonb)), updated_at = :now"
                " WHERE link_id = :link_id AND state = 'reading' AND started_at = :started_at"
                " AND EXISTS (SELECT 1 FROM link_directory d WHERE d.link_id = plans.link_id"
                " AND (d.state IN ('reviewing', 'active') OR (:stopped AND d.state = 'paused')))"
                " RETURNING 1"
            ),
            {
                "side": self.side.value,
                "progress": json.dumps(self.progress),
                "now": self.runtime.clock(),
                "link_id": self.link_id,
                "started_at": self.started_at,
                "stopped": self.brake is not None and self.brake.stopped,
            },
        )
        if done is None:
            raise Superseded

    async def keep_rows(
        self, kind: RecordKind, rows: Sequence[Row], before: Mapping[RecordId, str]
    ) -> None:
        """Keep a page; ``before`` is what the list said by the reading's start."""
        now = self.runtime.clock()
        async with self._keeping() as session:
            if self.brake is None:
                await remember_rows(session, self.link_id, self.side, kind, rows, now=now)
                return
            news = [row for row in rows if moved(row, before)]
            noted = Noted(self.link_id, self.side, kind, self.brake)
            await self._wake(session, await noted.rows(session, rows, news, now=now))

    async def keep_gone(self, kind: RecordKind) -> None:
        """Say of what the list did not name since the reading's start that it is gone."""
        since, now = self.started_at, self.runtime.clock()
        async with self._keeping() as session:
            if self.brake is None:
                await mark_unlisted_gone(
                    session, self.link_id, self.side, kind, since=since, now=now
                )
                return
            noted = Noted(self.link_id, self.side, kind, self.brake)
            await self._wake(session, await noted.gone(session, since=since, now=now))

    async def keep_whole(self, kind: RecordKind, records: Sequence[Record]) -> None:
        """Keep records that were read whole."""
        now = self.runtime.clock()
        async with self._keeping() as session:
            if self.brake is None:
                await remember(session, self.link_id, self.side, kind, records, now=now)
                return
            noted = Noted(self.link_id, self.side, kind, self.brake)
            await self._wake(session, await noted.whole(session, records, now=now))

    @asynccontextmanager
    async def _keeping(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that ends with the progress; the brake locks the link before that."""
        async with self.runtime.database.transaction(
            CommitPoint.PLAN_READ, self.link_id
        ) as session:
            yield session
            await self.note(session)

    async def _wake(self, session: AsyncSession, noted: int) -> None:
        if noted:
            await defer(session, Job.DRAIN_LINK, self.link_id)


async def brake_of(runtime: Runtime, link_id: LinkId) -> MassChange | None:
    """Begin to count the changed pairs of a link that is active; ``None`` for any other."""
    async with runtime.database.reading(link_id) as session:
        link = await read_link(session, link_id)
        if link is None or link.state != LinkState.ACTIVE:
            return None
        return await watch(session, link_id, has_swept=link.last_sweep_at is not None)


async def read_side(reading: Reading, kinds: Sequence[RecordKind]) -> None:
    """
    Read a side's records of these kinds, and say which known ones are gone.

    What was read since the reading's start is not read again, so it goes on where a death left it.
    Where the side can list what changed, only that is read whole again.

    Raises:
        SystemFault: The side cannot be read now; what was read is kept.
        Superseded: Another reading began.

    """
    for kind in kinds:
        await _list(reading, kind)
        await _read_thin(reading, kind)


async def _list(reading: Reading, kind: RecordKind) -> None:
    seen: set[RecordId] = set()
    async with reading.runtime.database.reading(reading.link_id) as session:
        known = await fingerprints(session, reading.link_id, reading.side, kind)
    async for page in reading.keeper.pages(kind):
        seen.update(row.id for row in page.rows)
        whole = sum(row.complete for row in page.rows)
        before = reading.progress.get(kind.value, {}).get("read") or 0
        reading.progress[kind.value] = {
            "listed": len(seen), "total": page.total, "read": before + whole
        }  # fmt: skip
        await reading.keep_rows(kind, page.rows, known)
    reading.progress.setdefault(kind.value, {"listed": 0, "read": 0})["total"] = len(seen)
    await reading.keep_gone(kind)


async def _read_thin(reading: Reading, kind: RecordKind) -> None:
    """Read the records whose row did not say everything, several at once within the pace."""
    bite = 2 * reading.runtime.settings.drain_parallel
    async with reading.runtime.database.reading(reading.link_id) as session:
        thin = await _thin_ids(session, reading, kind)
        since = await _read_since(session, reading, kind) if thin else None
    changed = await _changed(reading, kind, since) if since is not None else None
    ids = [one for one, whole in thin if changed is None or not whole or one in changed]
    told = reading.progress[kind.value]
    told["read"] = (told["listed"] or 0) - len(ids)
    for start in range(0, len(ids), bite):
        records = await _read_some(reading, kind, ids[start : start + bite])
        told["read"] = (told["read"] or 0) + len(ids[start : start + bite])
        await reading.keep_whole(kind, records)


async def _changed(reading: Reading, kind: RecordKind, since: datetime) -> frozenset[RecordId]:
    """List what changed since the oldest reading that is remembered."""
    found: set[RecordId] = set()
    async for page in reading.keeper.pages(kind, changed_since=since):
        found.update(row.id for row in page.rows)
    return frozenset(found)


async def _read_since(session: AsyncSession, reading: Reading, kind: RecordKind) -> datetime | None:
    """
    Say since when a list of changes tells all that is not known yet; ``None`` where none does.

    A memory older than a month is not relied on, however cheap that would be.
    """
    able = await reading.keeper.capabilities()
    if not able.changed_since or kind is not RecordKind.CUSTOMER:
        return None
    oldest: datetime | None = await session.scalar(
        select(func.min(KnownRecord.read_at)).where(
            *_living(reading, kind), KnownRecord.complete.is_(True)
        )
    )
    young = oldest is not None and reading.started_at - oldest <= _LONGEST_MEMORY
    return oldest if young else None


async def _thin_ids(
    session: AsyncSession, reading: Reading, kind: RecordKind
) -> Sequence[tuple[RecordId, bool]]:
    """Give what the list did not say whole since the start, and whether it is remembered whole."""
    rows = await session.execute(
        select(KnownRecord.record_id, KnownRecord.complete)
        .where(
            *_living(reading, kind),
            or_(
                KnownRecord.complete.is_(False),
                KnownRecord.read_at.is_(None),
                KnownRecord.read_at < reading.started_at,
            ),
        )
        .order_by(KnownRecord.record_id)
    )
    return [(RecordId(record_id), whole) for record_id, whole in rows]


def _living(reading: Reading, kind: RecordKind) -> tuple[ColumnElement[bool], ...]:
    return (
        KnownRecord.link_id == reading.link_id,
        KnownRecord.side == reading.side.value,
        KnownRecord.kind == kind.value,
        KnownRecord.gone_at.is_(None),
    )


async def _read_some(reading: Reading, kind: RecordKind, ids: Sequence[RecordId]) -> list[Record]:
    """
    Read some records side by side; one that cannot be read stays thin and waits for a person.

    What its list says of it takes part in the matching, so that it is asked about, not doubled.

    Raises:
        SystemFault: The system itself is away: none of them could be read, and it gives no list
            either, or they are many.

    """
    answers = await asyncio.gather(
        *(reading.keeper.read(kind, record_id) for record_id in ids), return_exceptions=True
    )
    records: list[Record] = []
    faults: list[SystemFault] = []
    for record_id, answer in zip(ids, answers, strict=True):
        if isinstance(answer, SystemFault):
            faults.append(answer)
            _log.info("a record could not be read", side=reading.side.value, record_id=record_id)
        elif isinstance(answer, BaseException):
            raise answer
        elif answer.record is not None:
            records.append(answer.record)
    for fault in faults:
        # The list was read a moment ago. A whole bite without an answer is more than one record.
        by_others = isinstance(fault, Unreachable) and (records or len(faults) >= _MOST_ALONE)
        alone = bool(records) if by_others else await is_alone(reading.keeper, kind, fault)
        if not alone:
            raise fault
    return records

"""Keep pairs: which record is which on the two sides, and the base both last agreed on."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Integer, String, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from uuid_utils.compat import uuid7

from app.canonical import LinkId, RecordId, RecordKind, Side
from app.database import Base, Instant


class Pair(Base):
    """
    Say that two records are the same thing; both are in one pair at most.

    Args:
        base: The synced fields both sides last agreed on, as canonical names to JSON values.
        origin: Why the pair exists: ``matched``, ``answered``, ``created``, ``by-hand``.
        problem: The code of what keeps it from being in step, or ``None``.
        version: Rises at each change; the ETag.

    """

    __tablename__ = "pairs"
    __table_args__ = (
        Index("uq_pairs_time", "link_id", "kind", "time_id", unique=True),
        Index("uq_pairs_books", "link_id", "kind", "books_id", unique=True),
    )

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    pair_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    time_id: Mapped[str] = mapped_column(String(64))
    books_id: Mapped[str] = mapped_column(String(64))
    base: Mapped[Mapping[str, Any]] = mapped_column(JSONB)
    origin: Mapped[str] = mapped_column(String(16))
    problem: Mapped[str | None] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    synced_at: Mapped[datetime | None] = mapped_column(Instant)

    def record_id(self, side: Side) -> RecordId:
        """Give the id of the record on a side."""
        return RecordId(self.time_id if side is Side.TIME else self.books_id)


async def find_pair(
    session: AsyncSession, link_id: LinkId, side: Side, kind: RecordKind, record_id: RecordId
) -> Pair | None:
    """Find the pair a record is in."""
    column = Pair.time_id if side is Side.TIME else Pair.books_id
    return await session.scalar(
        select(Pair).where(Pair.link_id == link_id, Pair.kind == kind, column == record_id)
    )


async def paired_among(
    session: AsyncSession,
    link_id: LinkId,
    side: Side,
    kind: RecordKind,
    record_ids: Iterable[str],
) -> frozenset[str]:
    """Give those of a side's records that are in a pair."""
    column = Pair.time_id if side is Side.TIME else Pair.books_id
    rows = await session.scalars(
        select(column).where(
            Pair.link_id == link_id, Pair.kind == kind.value, column.in_(list(record_ids))
        )
    )
    return frozenset(rows)


async def partner_id(
    session: AsyncSession, link_id: LinkId, side: Side, kind: RecordKind, record_id: RecordId
) -> RecordId | None:
    """Give the id of a record's other half, or ``None`` when it is in no pair."""
    pair = await find_pair(session, link_id, side, kind, record_id)
    return None if pair is None else pair.record_id(side.other)


async def make_pair(
    session: AsyncSession,
    link_id: LinkId,
    kind: RecordKind,
    *,
    time_id: RecordId,
    books_id: RecordId,
    base: Mapping[str, Any],
    origin: str,
    now: datetime,
) -> Pair:
    """
    Say that two records are the same thing from now on.

    Raises:
        sqlalchemy.exc.IntegrityError: One of them is in a pair already (``uq_pairs_time``,
        ``uq_pairs_books``).

    """
    pair = Pair(
        link_id=link_id, pair_id=uuid7(), kind=kind.value, time_id=time_id, books_id=books_id,
        base=base, origin=origin, problem=None, version=1,
        created_at=now, updated_at=now, synced_at=now,
    )  # fmt: skip
    session.add(pair)
    await session.flush()
    return pair

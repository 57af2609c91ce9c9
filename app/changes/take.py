"""Take the changes that are due, each with the pair its record is in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from app.canonical import LinkId, RecordId, RecordKind, Side
from app.changes.store import Change, ChangeState
from app.links.pairs import Pair


@dataclass(frozen=True, slots=True)
class Due:
    """Hold one change as it was taken; ``counter`` tells later whether a hint came meanwhile."""

    side: Side
    kind: RecordKind
    record_id: RecordId
    counter: int
    attempts: int
    first_seen: datetime


async def take_due(
    session: AsyncSession, link_id: LinkId, *, now: datetime, bite: int
) -> Sequence[tuple[Due, Pair | None]]:
    """
    Read the changes that are due, each with the pair its record is in.

    Customers come before projects, the longest waiting first. Nothing is locked: the queue lets
    one drain of a link run at a time, and a late one finds the counter or the pair's version moved.
    """
    time, books = aliased(Pair), aliased(Pair)
    rows = await session.execute(
        select(Change, time, books)
        .outerjoin(time, _holds(time, Side.TIME, time.time_id))
        .outerjoin(books, _holds(books, Side.BOOKS, books.books_id))
        .where(
            Change.link_id == link_id,
            Change.state == ChangeState.PENDING,
            Change.not_before <= now,
        )
        .order_by(Change.kind, Change.not_before, Change.side, Change.record_id)
        .limit(bite)
    )
    return [(_due(change), by_time or by_books) for change, by_time, by_books in rows]


def _holds(
    pair: type[Pair], side: Side, record_id: InstrumentedAttribute[str]
) -> ColumnElement[bool]:
    """Join a change of a side with the pair that holds its record; each by a unique index."""
    return and_(
        Change.side == side.value,
        pair.link_id == Change.link_id,
        pair.kind == Change.kind,
        record_id == Change.record_id,
    )


def _due(change: Change) -> Due:
    return Due(
        Side(change.side),
        RecordKind(change.kind),
        RecordId(change.record_id),
        change.counter,
        change.attempts,
        change.first_seen,
    )

"""Take the changes that are due, each with the pair its record is in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, RecordId, RecordKind, Side
from app.database import run
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


# A record is in one pair at most; each side's ids have an index of their own.
_PAIR: Final = tuple(column.name for column in Pair.__table__.columns)
_TAKE: Final = f"""
SELECT c.side, c.kind, c.record_id, c.counter, c.attempts, c.first_seen,
       {", ".join(f"p.{name}" for name in _PAIR)}
FROM changes c
LEFT JOIN LATERAL (
  SELECT * FROM pairs t WHERE c.side = 'time'
    AND t.link_id = %(link_id)s AND t.kind = c.kind AND t.time_id = c.record_id
  UNION ALL
  SELECT * FROM pairs b WHERE c.side = 'books'
    AND b.link_id = %(link_id)s AND b.kind = c.kind AND b.books_id = c.record_id
) p ON true
WHERE c.link_id = %(link_id)s AND c.state = 'pending' AND c.not_before <= %(now)s
ORDER BY c.kind, c.not_before, c.side, c.record_id
LIMIT %(bite)s
"""  # noqa: S608 - the names are our own columns


async def take_due(
    session: AsyncSession, link_id: LinkId, *, now: datetime, bite: int
) -> Sequence[tuple[Due, Pair | None]]:
    """
    Read the changes that are due, each with the pair its record is in.

    Customers come before projects, the longest waiting first. Nothing is locked: the queue lets
    one drain of a link run at a time, and a late one finds the counter or the pair's version moved.
    The pairs belong to no session.
    """
    rows = await run(session, _TAKE, {"link_id": link_id, "now": now, "bite": bite})
    return [(_due(row), _pair(row[6:])) for row in await rows.fetchall()]


def _due(row: Sequence[Any]) -> Due:
    side, kind, record_id, counter, attempts, first_seen = row[:6]
    return Due(Side(side), RecordKind(kind), RecordId(record_id), counter, attempts, first_seen)


def _pair(values: Sequence[Any]) -> Pair | None:
    named = dict(zip(_PAIR, values, strict=True))
    return None if named["pair_id"] is None else Pair(**named)

"""Keep the changes that wait: one row for each record that is to be looked at, while it is.

A row is the queue and the inbox at once: a thousand hints for one record are one row, and what
keeps the record from being in step stands in it for a person. Settled rows are deleted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Integer, String, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from uuid_utils.compat import uuid7

from app.canonical import LinkId, Side
from app.database import Base, Instant
from app.systems.ports import ChangeNotice


class ChangeState(StrEnum):
    """Name where a change stands: it waits for us, for a person, or was put aside by one."""

    PENDING = "pending"
    PARKED = "parked"
    IGNORED = "ignored"


class Change(Base):
    """
    Say that a record is to be looked at, and what hinders it.

    The key is the only index: a link's rows are few, and each further index costs every webhook.

    Args:
        change_id: Names the row in the inbox; the key is the record.
        counter: Rises at each hint, so that a hint during the work is not lost.
        attempts: Failed looks since the last success.
        not_before: When it is due (again).
        code: What hinders it, or ``None`` while nothing is known to; ``facts`` for the texts.

    """

    __tablename__ = "changes"
    __table_args__ = (CheckConstraint("state IN ('pending', 'parked', 'ignored')", name="state"),)

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    side: Mapped[str] = mapped_column(String(8), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    record_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    change_id: Mapped[UUID] = mapped_column()
    counter: Mapped[int] = mapped_column(Integer)
    attempts: Mapped[int] = mapped_column(Integer)
    not_before: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[str] = mapped_column(String(8))
    code: Mapped[str | None] = mapped_column(String(64))
    facts: Mapped[Mapping[str, Any]] = mapped_column(JSONB)
    first_seen: Mapped[datetime] = mapped_column(Instant)
    last_seen: Mapped[datetime] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class Counts:
    """Count a link's changes; ``next_due`` is the earliest time of a waiting one."""

    pending: int
    parked: int
    next_due: datetime | None


_NOTE = text("""
INSERT INTO changes AS c (link_id, side, kind, record_id, change_id, counter, attempts,
                          not_before, state, code, facts, first_seen, last_seen)
SELECT :link_id, :side, n.kind, n.record_id, n.change_id, 1, 0, :now, 'pending', NULL, '{}',
       :now, :now
FROM unnest(CAST(:kinds AS text[]), CAST(:ids AS text[]), CAST(:change_ids AS uuid[]))
     AS n (kind, record_id, change_id)
ORDER BY n.kind, n.record_id
ON CONFLICT (link_id, side, kind, record_id) DO UPDATE SET
  counter = c.counter + 1,
  attempts = CASE WHEN c.state = 'pending' THEN c.attempts ELSE 0 END,
  not_before = LEAST(c.not_before, excluded.not_before),
  state = 'pending',
  last_seen = excluded.last_seen
""")


async def note(
    session: AsyncSession,
    link_id: LinkId,
    side: Side,
    notices: Sequence[ChangeNotice],
    *,
    now: datetime,
) -> None:
    """
    Say that records are to be looked at: due now, also those that waited, were parked or ignored.

    The caller defers ``Job.DRAIN_LINK`` in the same transaction. Rows are locked in one order, so
    that two callers never wait for each other in a circle.
    """
    once = sorted({(notice.kind.value, str(notice.id)) for notice in notices})
    if not once:
        return
    await session.execute(
        _NOTE,
        {
            "link_id": link_id,
            "side": side.value,
            "now": now,
            "kinds": [kind for kind, _ in once],
            "ids": [record_id for _, record_id in once],
            "change_ids": [uuid7() for _ in once],
        },
    )


async def counts(session: AsyncSession, link_id: LinkId) -> Counts:
    """Count what waits and what is parked, and say when the next one is due."""
    pending, parked, next_due = (
        await session.execute(
            select(
                func.count().filter(Change.state == ChangeState.PENDING),
                func.count().filter(Change.state == ChangeState.PARKED),
                func.min(Change.not_before).filter(Change.state == ChangeState.PENDING),
            ).where(Change.link_id == link_id)
        )
    ).one()
    return Counts(pending, parked, next_due)

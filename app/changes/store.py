"""Keep the changes that wait: one row for each record that is to be looked at, while it is.

A row is the queue and the inbox at once: a thousand hints for one record are one row, and what
keeps the record from being in step stands in it for a person. Settled rows are deleted.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Integer, String, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from uuid_utils.compat import uuid7

from app.canonical import LinkId, RecordId, RecordKind, Side
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
class Due:
    """Hold one change as it was taken; ``counter`` tells later whether a hint came meanwhile."""

    side: Side
    kind: RecordKind
    record_id: RecordId
    counter: int
    attempts: int
    first_seen: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """Say how a taken change goes on: due again at ``until``, or parked when that is ``None``."""

    due: Due
    code: str
    until: datetime | None
    attempts: int
    facts: Mapping[str, Any] = field(default_factory=dict)


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


async def take_due(
    session: AsyncSession, link_id: LinkId, *, now: datetime, bite: int
) -> tuple[Due, ...]:
    """
    Read the changes that are due, customers before projects, the longest waiting first.

    Nothing is locked: the queue lets one drain of a link run at a time, and a late one finds the
    counter or the pair's version moved.
    """
    rows = await session.execute(
        select(
            Change.side,
            Change.kind,
            Change.record_id,
            Change.counter,
            Change.attempts,
            Change.first_seen,
        )
        .where(
            Change.link_id == link_id,
            Change.state == ChangeState.PENDING,
            Change.not_before <= now,
        )
        .order_by(Change.kind, Change.not_before, Change.side, Change.record_id)
        .limit(bite)
    )
    return tuple(
        Due(Side(side), RecordKind(kind), RecordId(record_id), counter, attempts, first_seen)
        for side, kind, record_id, counter, attempts, first_seen in rows
    )


_SETTLE = text("""
WITH done AS (
  SELECT * FROM unnest(CAST(:sides AS text[]), CAST(:kinds AS text[]), CAST(:ids AS text[]),
                       CAST(:counters AS integer[])) AS d (side, kind, record_id, counter)
), settled AS (
  DELETE FROM changes c USING done d
  WHERE c.link_id = :link_id AND c.side = d.side AND c.kind = d.kind
    AND c.record_id = d.record_id AND c.counter = d.counter
)
UPDATE changes c SET attempts = 0, code = NULL, facts = '{}', not_before = :now FROM done d
WHERE c.link_id = :link_id AND c.side = d.side AND c.kind = d.kind
  AND c.record_id = d.record_id AND c.counter <> d.counter
""")


async def settle(
    session: AsyncSession, link_id: LinkId, done: Iterable[Due], *, now: datetime
) -> None:
    """Delete changes that are done; one that was hinted at meanwhile stays and is due at once."""
    items = tuple(done)
    if items:
        await session.execute(_SETTLE, {"link_id": link_id, "now": now, **_arrays(items)})


_WAIT = text("""
UPDATE changes c SET
  state = CASE WHEN w.until IS NULL THEN 'parked' ELSE 'pending' END,
  not_before = COALESCE(w.until, c.not_before),
  attempts = w.attempts, code = w.code, facts = CAST(w.facts AS jsonb)
FROM unnest(CAST(:sides AS text[]), CAST(:kinds AS text[]), CAST(:ids AS text[]),
            CAST(:counters AS integer[]), CAST(:untils AS timestamptz[]),
            CAST(:attempts AS integer[]), CAST(:codes AS text[]), CAST(:facts AS text[]))
     AS w (side, kind, record_id, counter, until, attempts, code, facts)
WHERE c.link_id = :link_id AND c.side = w.side AND c.kind = w.kind
  AND c.record_id = w.record_id AND c.counter = w.counter
""")


async def keep_waiting(session: AsyncSession, link_id: LinkId, waiting: Iterable[Waiting]) -> None:
    """Postpone or park taken changes; one that was hinted at meanwhile stays due as it is."""
    items = tuple(waiting)
    if not items:
        return
    await session.execute(
        _WAIT,
        {
            "link_id": link_id,
            **_arrays([item.due for item in items]),
            "untils": [item.until for item in items],
            "attempts": [item.attempts for item in items],
            "codes": [item.code for item in items],
            "facts": [json.dumps(dict(item.facts)) for item in items],
        },
    )


async def postpone(
    session: AsyncSession,
    link_id: LinkId,
    due: Due,
    *,
    until: datetime,
    code: str,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Make a taken change due again at ``until``; the attempt counts."""
    waiting = Waiting(due, code, until, due.attempts + 1, facts or {})
    await keep_waiting(session, link_id, [waiting])


async def park(
    session: AsyncSession,
    link_id: LinkId,
    due: Due,
    *,
    code: str,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Let a taken change wait for a person, with the code and facts that the inbox shows."""
    await keep_waiting(session, link_id, [Waiting(due, code, None, due.attempts + 1, facts or {})])


async def make_due(
    session: AsyncSession, link_id: LinkId, codes: Sequence[str], *, now: datetime
) -> int:
    """
    Make waiting changes with these codes due now, because what hindered them may be gone.

    Gives how many; the caller defers ``Job.DRAIN_LINK`` when there are some.
    """
    rows = await session.execute(
        text(
            "UPDATE changes SET not_before = :now WHERE link_id = :link_id AND state = 'pending'"
            " AND code = ANY(CAST(:codes AS text[])) AND not_before > :now RETURNING 1"
        ),
        {"link_id": link_id, "now": now, "codes": list(codes)},
    )
    return len(rows.all())


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


def _arrays(items: Sequence[Due]) -> dict[str, list[Any]]:
    return {
        "sides": [item.side.value for item in items],
        "kinds": [item.kind.value for item in items],
        "ids": [item.record_id for item in items],
        "counters": [item.counter for item in items],
    }

"""Keep what sync must remember: conflicts, each pair's history, and how far the sweeps came."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, String, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from uuid_utils.compat import uuid7

from app.canonical import LinkId
from app.database import Base, Instant, run


class ConflictState(StrEnum):
    """Name where a conflict stands: asked, answered but not yet carried out, or over."""

    OPEN = "open"
    DECIDED = "decided"
    CLOSED = "closed"


class ConflictRow(Base):
    """
    Hold a field of a pair that both sides changed differently.

    Args:
        base: What both last agreed on, as JSON; null where nothing was agreed.
        decided_value: What a person chose, as JSON; counts while both sides say what stands here.
        decided_by: Who decided; ``None`` where the two sides came to agree by themselves.
        version: Rises at each change; the ETag.

    """

    __tablename__ = "conflicts"
    __table_args__ = (
        Index(
            "uq_conflicts_current",
            "link_id",
            "pair_id",
            "field",
            unique=True,
            postgresql_where=text("state <> 'closed'"),
        ),
        CheckConstraint("state IN ('open', 'decided', 'closed')", name="state"),
    )

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    conflict_id: Mapped[UUID] = mapped_column(primary_key=True)
    pair_id: Mapped[UUID] = mapped_column()
    kind: Mapped[str] = mapped_column(String(16))
    field: Mapped[str] = mapped_column(String(32))
    base: Mapped[Any] = mapped_column(JSONB)
    time_value: Mapped[Any] = mapped_column(JSONB)
    books_value: Mapped[Any] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(String(8))
    decided_value: Mapped[Any] = mapped_column(JSONB)
    decided_by: Mapped[str | None] = mapped_column(String(300))
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class HistoryEntry(Base):
    """
    Hold one thing that happened to a pair.

    Args:
        event: ``written`` (fields by name), ``lost`` (a value that gave way), ``moved``,
            ``made``, ``gone``.
        field: The field concerned, where it is one.
        value: The losing value, or what the event is about, as JSON.
        winner: What took the losing value's place, as JSON.
        by: ``sync``, a policy, or who decided.

    """

    __tablename__ = "history"
    __table_args__ = (Index("ix_history_pair", "link_id", "pair_id", "entry_id"),)

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    pair_id: Mapped[UUID] = mapped_column()
    event: Mapped[str] = mapped_column(String(16))
    side: Mapped[str | None] = mapped_column(String(8))
    field: Mapped[str | None] = mapped_column(String(32))
    value: Mapped[Any] = mapped_column(JSONB)
    winner: Mapped[Any] = mapped_column(JSONB)
    by: Mapped[str] = mapped_column(String(300))
    at: Mapped[datetime] = mapped_column(Instant)


class SweepMark(Base):
    """
    Hold how far a link's sweeps came.

    Args:
        seen_to: Changes before this instant were seen; the next list of changes begins there.
        full_at: When all lists were last read to the end, so that vanished records show.
        active_at: When something last moved; decides the pace.

    """

    __tablename__ = "sweep_marks"

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    seen_to: Mapped[datetime | None] = mapped_column(Instant)
    full_at: Mapped[datetime | None] = mapped_column(Instant)
    active_at: Mapped[datetime | None] = mapped_column(Instant)


async def current_conflicts(
    session: AsyncSession, link_id: LinkId, pair_ids: Sequence[UUID]
) -> Mapping[UUID, Sequence[ConflictRow]]:
    """Read the open and decided conflicts of pairs, by pair."""
    if not pair_ids:
        return {}
    rows = await session.scalars(
        select(ConflictRow).where(
            ConflictRow.link_id == link_id,
            ConflictRow.pair_id.in_(pair_ids),
            ConflictRow.state != ConflictState.CLOSED,
        )
    )
    found: dict[UUID, list[ConflictRow]] = {}
    for row in rows:
        found.setdefault(row.pair_id, []).append(row)
    return found


_WRITE_HISTORY = """
INSERT INTO history (link_id, entry_id, pair_id, event, side, field, value, winner, by, at)
SELECT %(link_id)s, h.entry_id, h.pair_id, h.event, h.side, h.field, CAST(h.value AS jsonb),
       CAST(h.winner AS jsonb), h.by, %(now)s
FROM jsonb_to_recordset(CAST(%(entries)s AS jsonb))
     AS h (entry_id uuid, pair_id uuid, event text, side text, field text, value text, winner text,
           by text)
"""


async def write_history(
    session: AsyncSession,
    link_id: LinkId,
    entries: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
) -> None:
    """Add events, each a mapping of ``HistoryEntry``'s own columns; ids rise in the order given."""
    if not entries:
        return
    await run(
        session,
        _WRITE_HISTORY,
        {
            "link_id": link_id,
            "now": now,
            "entries": json.dumps(
                [
                    {
                        "entry_id": str(uuid7()),
                        "pair_id": str(entry["pair_id"]),
                        "event": entry["event"],
                        "side": entry.get("side"),
                        "field": entry.get("field"),
                        # As texts: a JSON null is a value, and none in the table is not.
                        "value": json.dumps(entry.get("value")),
                        "winner": json.dumps(entry.get("winner")),
                        "by": entry.get("by", "sync"),
                    }
                    for entry in entries
                ]
            ),
        },
    )

"""Keep what we last saw of each side's records, and the creates under way.

A row of ``records`` is a memory, never the truth: whoever writes reads the record again first.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Index, Integer, String, Text, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.canonical import LinkId, Record, RecordId, RecordKind, Side
from app.database import Base, Instant
from app.records.shapes import from_json, to_json
from app.systems.ports import Row
from app.systems.reading import fingerprint


class KnownRecord(Base):
    """
    Hold one record as it was last seen.

    Args:
        name: The record's name, for sorting and searching lists.
        data: The record as JSON (``shapes``); thin where ``complete`` is false.
        fingerprint: What its row in the system's list said, to see cheaply that it changed.
        first_seen_at: When we heard of it; a create under way looks for records younger than it.
        listed_at: When it last stood in its system's list.
        read_at: When it was last read whole; ``None`` for a row that is only listed.
        gone_at: When it was found missing; it may come back.
        findings: What it lacks for the other side (``readiness``), as JSON.
        ready: Whether it may be created on the other side as it is.
        left_out: A person said that it stays on its own side.
        number: A customer's organization number, nine digits where it has that form.
        customer_id: A project's customer on its own side.
        revision: Rises with each change of what is known; equal ones mean equal ``data``.
        judged_revision: The revision that ``findings`` were judged by; another one is due.
        fixed_from: What it said (``content_print``) when a fix of ours read it, until the plan of a
            first sync takes in what it says since; of several fixes the first. A reading forgets
            it where the record says something new.

    """

    __tablename__ = "records"
    __table_args__ = (
        Index("ix_records_number", "link_id", "side", "number"),
        Index("ix_records_customer", "link_id", "side", "customer_id"),
        Index("ix_records_hindered", "link_id", "side", "kind", "record_id",
              postgresql_where=text("left_out OR NOT ready")),
        Index("ix_records_unjudged", "link_id",
              postgresql_where=text("complete AND revision <> judged_revision")),
        Index("ix_records_fixed", "link_id", postgresql_where=text("fixed_from IS NOT NULL")),
        Index("ix_records_twice", "link_id", "side", postgresql_where=text(
            """findings @> '[{"code": "organization-number-twice"}]'""")),
    )  # fmt: skip

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    side: Mapped[str] = mapped_column(String(8), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    record_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    data: Mapped[Mapping[str, Any]] = mapped_column(JSONB)
    fingerprint: Mapped[str] = mapped_column(String(64))
    complete: Mapped[bool] = mapped_column(Boolean)
    first_seen_at: Mapped[datetime] = mapped_column(Instant)
    listed_at: Mapped[datetime] = mapped_column(Instant)
    read_at: Mapped[datetime | None] = mapped_column(Instant)
    gone_at: Mapped[datetime | None] = mapped_column(Instant)
    findings: Mapped[Sequence[Mapping[str, Any]]] = mapped_column(JSONB)
    ready: Mapped[bool] = mapped_column(Boolean)
    left_out: Mapped[bool] = mapped_column(Boolean)
    number: Mapped[str | None] = mapped_column(String(64))
    customer_id: Mapped[str | None] = mapped_column(String(64))
    revision: Mapped[int] = mapped_column(Integer)
    judged_revision: Mapped[int] = mapped_column(Integer)
    fixed_from: Mapped[str | None] = mapped_column(String(64))

    @property
    def record(self) -> Record:
        """Give the record; ``gone`` when it was found missing."""
        found = from_json(RecordKind(self.kind), self.data)
        return replace(found, gone=True) if self.gone_at is not None else found


class CreateIntent(Base):
    """
    Say that a record is to be made on the other side; written before the POST, so none is doubled.

    Args:
        key: The idempotency key of the POST; a fresh one only where nothing can have been made.
            It tells who asked for the POST (``intents.was_made_by``).
        state: ``planned`` nothing was sent; ``sending`` a POST may be under way; ``unknown`` it
            was looked for; ``done``.
        key_until: Until when the target keeps the key apart; later only looking helps.
        content: The record as it was sent, to know it again.
        attempts: POSTs so far; also the fence: who settles must have seen the present count.
        posts_left: POSTs of unknown outcome still allowed without a person.
        looked: Looks since the last POST that found nothing.
        not_before: When to look again.
        sent_at: When the last POST was about to leave.
        result_id: The made record's id on the target side.
        marked: Whether the time side's record carries our mark.

    """

    __tablename__ = "create_intents"
    __table_args__ = (
        CheckConstraint("state IN ('planned', 'sending', 'unknown', 'done')", name="state"),
        CheckConstraint("(state = 'done') = (result_id IS NOT NULL)", name="result"),
        Index("uq_create_intents_source", "link_id", "target_side", "kind", "source_id",
              unique=True),
        Index("ix_create_intents_unmarked", "link_id",
              postgresql_where=text("state = 'done' AND NOT marked")),
    )  # fmt: skip

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    intent_id: Mapped[UUID] = mapped_column(primary_key=True)
    target_side: Mapped[str] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(16))
    source_id: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(8))
    key: Mapped[UUID] = mapped_column()
    key_until: Mapped[datetime] = mapped_column(Instant)
    content: Mapped[Mapping[str, Any]] = mapped_column(JSONB)
    attempts: Mapped[int] = mapped_column(Integer)
    posts_left: Mapped[int] = mapped_column(Integer)
    looked: Mapped[int] = mapped_column(Integer)
    not_before: Mapped[datetime] = mapped_column(Instant)
    sent_at: Mapped[datetime] = mapped_column(Instant)
    result_id: Mapped[str | None] = mapped_column(String(64))
    marked: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)


# One JSON text for all rows: the driver escapes each text of an array by itself, which took a
# third of the time of a plan. A row that says less (thin) leaves what is known as it is, and asks
# for a new reading when the list says something new.
_REMEMBER = text("""
INSERT INTO records AS r (link_id, side, kind, record_id, name, data, fingerprint, complete,
                          first_seen_at, listed_at, read_at, gone_at, findings, ready, left_out,
                          number, customer_id, revision, judged_revision)
SELECT :link_id, :side, :kind, n.id, n.name, n.data, n.fingerprint, n.complete,
       :now, :now, CASE WHEN n.complete THEN CAST(:now AS timestamptz) END,
       CASE WHEN n.gone THEN CAST(:now AS timestamptz) END, '[]', false, false,
       left(n.data ->> 'organization_number', 64), left(n.data ->> 'customer_id', 64), 1, 0
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
     AS n (id text, name text, data jsonb, fingerprint text, complete boolean, gone boolean)
ORDER BY n.id
ON CONFLICT (link_id, side, kind, record_id) DO UPDATE SET
  name = CASE WHEN excluded.name = '' THEN r.name ELSE excluded.name END,
  data = CASE WHEN excluded.complete OR NOT r.complete THEN excluded.data ELSE r.data END,
  complete = excluded.complete OR (r.complete AND r.fingerprint = excluded.fingerprint),
  read_at = COALESCE(excluded.read_at, r.read_at),
  fingerprint = CASE WHEN :listed THEN excluded.fingerprint ELSE r.fingerprint END,
  listed_at = CASE WHEN :listed THEN excluded.listed_at ELSE r.listed_at END,
  gone_at = excluded.gone_at,
  number = CASE WHEN excluded.complete OR NOT r.complete THEN excluded.number ELSE r.number END,
  customer_id = CASE WHEN excluded.complete OR NOT r.complete
                     THEN excluded.customer_id ELSE r.customer_id END,
  fixed_from = CASE WHEN (excluded.complete OR NOT r.complete) AND r.data <> excluded.data
                    THEN NULL ELSE r.fixed_from END,
  revision = r.revision + CASE
    WHEN excluded.complete AND NOT r.complete THEN 1
    WHEN (excluded.complete OR NOT r.complete) AND r.data <> excluded.data THEN 1
    WHEN (excluded.gone_at IS NULL) <> (r.gone_at IS NULL) THEN 1 ELSE 0 END
""")


async def remember_rows(
    session: AsyncSession,
    link_id: LinkId,
    side: Side,
    kind: RecordKind,
    rows: Iterable[Row],
    *,
    now: datetime,
) -> None:
    """Keep a page of a list; a record listed twice is kept as it came last."""
    once = {row.id: row for row in rows}
    await _keep(session, link_id, side, kind, list(once.values()), now=now, listed=True)


async def remember(
    session: AsyncSession,
    link_id: LinkId,
    side: Side,
    kind: RecordKind,
    records: Iterable[Record],
    *,
    now: datetime,
) -> None:
    """
    Keep records that were read whole; their row in the list is not known to have changed.

    One that is not there any more is kept with ``gone`` set.
    """
    once = {
        record.id: Row(record.id, record, complete=True, fingerprint=fingerprint(record))
        for record in records
    }
    await _keep(session, link_id, side, kind, list(once.values()), now=now, listed=False)


async def _keep(
    session: AsyncSession,
    link_id: LinkId,
    side: Side,
    kind: RecordKind,
    rows: Sequence[Row],
    *,
    now: datetime,
    listed: bool,
) -> None:
    if not rows:
        return
    await session.execute(
        _REMEMBER,
        {
            **_names(link_id, side, kind),
            "now": now,
            "listed": listed,
            "rows": json.dumps(
                [
                    {
                        "id": row.id, "name": row.record.name, "data": to_json(row.record),
                        "fingerprint": row.fingerprint, "complete": row.complete,
                        "gone": row.record.gone,
                    }
                    for row in rows
                ]
            ),
        },
    )  # fmt: skip


async def mark_unlisted_gone(
    session: AsyncSession,
    link_id: LinkId,
    side: Side,
    kind: RecordKind,
    *,
    since: datetime,
    now: datetime,
) -> Sequence[RecordId]:
    """Say that records a full listing since ``since`` did not name are gone; give their ids."""
    rows = await session.scalars(
        update(KnownRecord)
        .where(
            *_of(link_id, side, kind), KnownRecord.listed_at < since, KnownRecord.gone_at.is_(None)
        )
        .values(gone_at=now, revision=KnownRecord.revision + 1)
        .returning(KnownRecord.record_id)
    )
    return [RecordId(record_id) for record_id in rows]


async def recall(
    session: AsyncSession,
    link_id: LinkId,
    side: Side,
    kind: RecordKind,
    record_ids: Iterable[str] | None = None,
) -> Sequence[KnownRecord]:
    """Read records of a kind on a side, all or by id, ordered by id."""
    query = select(KnownRecord).where(*_of(link_id, side, kind)).order_by(KnownRecord.record_id)
    if record_ids is not None:
        query = query.where(KnownRecord.record_id.in_(list(record_ids)))
    return (await session.scalars(query)).all()


async def fingerprints(
    session: AsyncSession, link_id: LinkId, side: Side, kind: RecordKind
) -> Mapping[RecordId, str]:
    """Give what the list last said, by id; records that are gone are left out."""
    rows = await session.execute(
        select(KnownRecord.record_id, KnownRecord.fingerprint).where(
            *_of(link_id, side, kind), KnownRecord.gone_at.is_(None)
        )
    )
    return {RecordId(record_id): said for record_id, said in rows}


def _of(link_id: LinkId, side: Side, kind: RecordKind) -> tuple[Any, ...]:
    return (
        KnownRecord.link_id == link_id,
        KnownRecord.side == side.value,
        KnownRecord.kind == kind.value,
    )


def _names(link_id: LinkId, side: Side, kind: RecordKind) -> dict[str, Any]:
    return {"link_id": link_id, "side": side.value, "kind": kind.value}

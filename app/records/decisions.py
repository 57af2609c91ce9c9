"""Keep what people decided about records: left out, and pairs that are none."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, RecordId, RecordKind, Side
from app.records.asked import Refusal
from app.records.store import KnownRecord


async def leave_out(
    session: AsyncSession,
    link_id: LinkId,
    side: Side,
    kind: RecordKind,
    record_ids: Iterable[str],
    *,
    left_out: bool = True,
) -> None:
    """
    Remember that a person wants records to stay on their own side (or no longer).

    They are judged anew, since a customer that is left out holds its projects back.
    """
    await session.execute(
        update(KnownRecord)
        .where(
            KnownRecord.link_id == link_id,
            KnownRecord.side == side.value,
            KnownRecord.kind == kind.value,
            KnownRecord.record_id.in_(list(record_ids)),
            KnownRecord.left_out.is_(not left_out),
        )
        .values(left_out=left_out, revision=KnownRecord.revision + 1)
    )


async def take_in(
    session: AsyncSession, link_id: LinkId, side: Side, kind: RecordKind, record_ids: Iterable[str]
) -> None:
    """Forget that records were to stay on their own side, since a person links or creates them."""
    await leave_out(session, link_id, side, kind, record_ids, left_out=False)


async def refuse(
    session: AsyncSession,
    link_id: LinkId,
    side: Side,
    kind: RecordKind,
    record_id: str,
    others: Iterable[str],
    *,
    by: str,
    now: datetime,
) -> None:
    """Remember a person's no: the record is none of these records of the other side."""
    ids = ((record_id, o) if side is Side.TIME else (o, record_id) for o in sorted(others))
    rows = [
        {"link_id": link_id, "kind": kind.value, "time_id": time_id,
         "books_id": books_id, "refused_by": by, "refused_at": now}
        for time_id, books_id in ids
    ]  # fmt: skip
    if rows:
        await session.execute(insert(Refusal).values(rows).on_conflict_do_nothing())


async def refused_pairs(
    session: AsyncSession, link_id: LinkId, kind: RecordKind
) -> frozenset[tuple[RecordId, RecordId]]:
    """Give the pairs (time id, books id) a person said no to."""
    rows = await session.execute(
        select(Refusal.time_id, Refusal.books_id).where(
            Refusal.link_id == link_id, Refusal.kind == kind.value
        )
    )
    return frozenset((RecordId(time_id), RecordId(books_id)) for time_id, books_id in rows)

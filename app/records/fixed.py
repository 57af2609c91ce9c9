"""Keep what records said before our own fixes, until the review of a first sync takes them in."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, RecordId, RecordKind, Side
from app.records.store import KnownRecord


async def note_fix(
    session: AsyncSession,
    link_id: LinkId,
    side: Side,
    kind: RecordKind,
    record_id: RecordId,
    fixed_from: str | None,
) -> None:
    """Keep what a record said before a fix; ``None`` where it says so again."""
    await session.execute(
        update(KnownRecord)
        .where(*_this(link_id, side, kind, record_id))
        .values(fixed_from=fixed_from)
    )


async def is_any_fixed(session: AsyncSession, link_id: LinkId) -> bool:
    """Say whether a fix wrote what no plan has taken in yet; by an index of its own."""
    fixed = select(KnownRecord.record_id).where(
        KnownRecord.link_id == link_id, KnownRecord.fixed_from.is_not(None)
    )
    return bool(await session.scalar(select(fixed.exists())))


async def take_in_fixes(
    session: AsyncSession, link_id: LinkId, rows: Iterable[KnownRecord]
) -> None:
    """Forget what these records said before their fixes; one that was fixed meanwhile stays."""
    for row in rows:
        if row.fixed_from is not None:
            one = link_id, Side(row.side), RecordKind(row.kind), row.record_id
            await session.execute(
                update(KnownRecord)
                .where(*_this(*one), KnownRecord.revision == row.revision)
                .values(fixed_from=None)
            )


def _this(
    link_id: LinkId, side: Side, kind: RecordKind, record_id: str
) -> tuple[ColumnElement[bool], ...]:
    return (
        KnownRecord.link_id == link_id, KnownRecord.side == side.value,
        KnownRecord.kind == kind.value, KnownRecord.record_id == record_id,
    )  # fmt: skip

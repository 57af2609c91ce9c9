"""Keep what records said before our own fixes, until the review of a first sync takes them in."""

import json
from collections.abc import Iterable
from typing import Final

from sqlalchemy import ColumnElement, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, RecordId, RecordKind, Side
from app.records.agreement import content_print
from app.records.judge import HOLD
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


_TAKE_IN: Final = text("""
UPDATE records r SET fixed_from = CASE WHEN r.revision = n.revision THEN NULL ELSE n.print END
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
     AS n (side text, kind text, id text, revision integer, print text)
WHERE r.link_id = :link_id AND r.side = n.side AND r.kind = n.kind AND r.record_id = n.id
  AND r.fixed_from IS NOT NULL
""")


async def take_in_fixes(
    session: AsyncSession, link_id: LinkId, rows: Iterable[KnownRecord]
) -> None:
    """
    Forget what these records said before their fixes, as lines were drawn from the rows.

    One that was fixed once more meanwhile said what the row says before that.
    """
    items = [
        {
            "side": row.side, "kind": row.kind, "id": row.record_id, "revision": row.revision,
            "print": content_print(row.record),
        }
        for row in rows
        if row.fixed_from is not None
    ]  # fmt: skip
    if items:
        named = {"link_id": link_id, "rows": json.dumps(items)}
        await session.execute(HOLD, named)
        await session.execute(_TAKE_IN, named)


def _this(
    link_id: LinkId, side: Side, kind: RecordKind, record_id: str
) -> tuple[ColumnElement[bool], ...]:
    return (
        KnownRecord.link_id == link_id, KnownRecord.side == side.value,
        KnownRecord.kind == kind.value, KnownRecord.record_id == record_id,
    )  # fmt: skip

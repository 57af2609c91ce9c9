"""List the records that lack something, and count what is ready."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, Side
from app.links.pairs import Pair
from app.records.store import KnownRecord


@dataclass(frozen=True, slots=True)
class Lacking:
    """Hold a record that lacks something, and whether it is in a pair."""

    row: KnownRecord
    paired: bool

    @property
    def place(self) -> list[str | int]:
        """Say where it stands in the list."""
        row = self.row
        return [int(row.ready), row.name, row.side, row.kind, row.record_id]


async def lacking(
    session: AsyncSession,
    link_id: LinkId,
    side: str | None,
    *,
    after: Sequence[Any] | None,
    limit: int,
) -> Sequence[Lacking]:
    """List records that lack something, those that are hindered first."""
    known = KnownRecord
    paired = (
        select(Pair.pair_id)
        .where(
            Pair.link_id == known.link_id,
            Pair.kind == known.kind,
            or_(
                and_(known.side == Side.TIME.value, Pair.time_id == known.record_id),
                and_(known.side == Side.BOOKS.value, Pair.books_id == known.record_id),
            ),
        )
        .exists()
    )
    place = (known.ready, known.name, known.side, known.kind, known.record_id)
    query = select(known, paired).where(
        known.link_id == link_id,
        known.gone_at.is_(None),
        func.jsonb_array_length(known.findings) > 0,
    )
    if side is not None:
        query = query.where(known.side == side)
    if after is not None:
        ready, *rest = after
        query = query.where(func.row(*place) > func.row(bool(ready), *rest))
    rows = await session.execute(query.order_by(*place).limit(limit))
    return [Lacking(row, is_paired) for row, is_paired in rows]


async def score(
    session: AsyncSession, link_id: LinkId
) -> Mapping[str, Mapping[str, Mapping[str, int]]]:
    """Count by side and kind how many records there are, and how many of them are ready."""
    known = KnownRecord
    counts = await session.execute(
        select(known.side, known.kind, func.count(), func.count().filter(known.ready))
        .where(known.link_id == link_id, known.gone_at.is_(None))
        .group_by(known.side, known.kind)
    )
    found: dict[str, dict[str, dict[str, int]]] = {}
    for side, kind, total, ready in counts:
        found.setdefault(side, {})[kind] = {"ready": ready, "total": total}
    return found

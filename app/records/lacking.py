"""List the records that lack something, and count what is ready."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, cast, distinct, func, or_, select, true, tuple_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, Side
from app.links.pairs import Pair
from app.records.store import KnownRecord


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    Narrow which records that lack something are listed and counted; ``None`` narrows nothing.

    Args:
        finding: Only records with this finding, by its code.
        left_out: Only records that a person left out, or only the others.

    """

    side: str | None = None
    kind: str | None = None
    finding: str | None = None
    left_out: bool | None = None


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
    wanted: Wanted,
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
    query = select(known, paired).where(*_where(link_id, wanted))
    if after is not None:
        ready, *rest = after
        query = query.where(func.row(*place) > func.row(bool(ready), *rest))
    rows = await session.execute(query.order_by(*place).limit(limit))
    return [Lacking(row, is_paired) for row, is_paired in rows]


async def count_findings(
    session: AsyncSession, link_id: LinkId, wanted: Wanted
) -> Mapping[str, int]:
    """Count the records of a list by finding; one that has a finding twice counts once."""
    known = KnownRecord
    one = func.jsonb_array_elements(known.findings).table_valued("value", name="one")
    code = cast(one.c.value, JSONB)["code"].astext
    record = tuple_(known.side, known.kind, known.record_id)
    rows = await session.execute(
        select(code, func.count(distinct(record)))
        .select_from(known)
        .join(one, true())
        .where(*_where(link_id, wanted))
        .group_by(code)
        .order_by(code)
    )
    return {str(found): count for found, count in rows}


async def score(
    session: AsyncSession, link_id: LinkId
) -> Mapping[str, Mapping[str, Mapping[str, int]]]:
    """
    Count by side and kind how many records are to be synced, and how many of them are ready.

    What a person left out is to stay where it is, so it is counted apart.
    """
    known = KnownRecord
    counts = await session.execute(
        select(
            known.side, known.kind, func.count().filter(~known.left_out),
            func.count().filter(known.ready, ~known.left_out), func.count().filter(known.left_out),
        )
        .where(known.link_id == link_id, known.gone_at.is_(None))
        .group_by(known.side, known.kind)
    )  # fmt: skip
    found: dict[str, dict[str, dict[str, int]]] = {}
    for side, kind, total, ready, left_out in counts:
        said = {"ready": ready, "total": total, "leftOut": left_out}
        found.setdefault(side, {})[kind] = said
    return found


def _where(link_id: LinkId, wanted: Wanted) -> list[ColumnElement[bool]]:
    known = KnownRecord
    where = [
        known.link_id == link_id,
        known.gone_at.is_(None),
        func.jsonb_array_length(known.findings) > 0,
    ]
    if wanted.side is not None:
        where.append(known.side == wanted.side)
    if wanted.kind is not None:
        where.append(known.kind == wanted.kind)
    if wanted.finding is not None:
        where.append(known.findings.contains([{"code": wanted.finding}]))
    if wanted.left_out is not None:
        where.append(known.left_out.is_(wanted.left_out))
    return where

"""Read pairs and conflicts for people, and keep what they decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, RecordKind, Side
from app.changes.inbox import count_again
from app.changes.store import Change, note
from app.links.pairs import Pair
from app.paging import Page
from app.sync.store import ConflictRow, ConflictState, HistoryEntry
from app.systems.ports import ChangeNotice


@dataclass(frozen=True, slots=True)
class PairFilter:
    """Choose pairs; ``None`` does not narrow."""

    kind: str | None = None
    problems_only: bool = False


async def list_pairs(
    session: AsyncSession,
    link_id: LinkId,
    chosen: PairFilter,
    *,
    page: Page,
) -> Sequence[Pair]:
    """Read the pairs of a page, the oldest first, and one more."""
    query = select(Pair).where(Pair.link_id == link_id).order_by(Pair.pair_id).limit(page.row_limit)
    if chosen.kind is not None:
        query = query.where(Pair.kind == chosen.kind)
    if chosen.problems_only:
        query = query.where(Pair.problem.is_not(None))
    if page.after_id is not None:
        query = query.where(Pair.pair_id > page.after_id)
    return (await session.scalars(query)).all()


async def waiting_changes(session: AsyncSession, pair: Pair) -> Sequence[Change]:
    """Read what waits for a pair's two records."""
    rows = await session.scalars(
        select(Change).where(
            Change.link_id == pair.link_id,
            Change.kind == pair.kind,
            or_(
                (Change.side == Side.TIME.value) & (Change.record_id == pair.time_id),
                (Change.side == Side.BOOKS.value) & (Change.record_id == pair.books_id),
            ),
        )
    )
    return rows.all()


async def last_events(
    session: AsyncSession, link_id: LinkId, pair_id: UUID, *, limit: int = 20
) -> Sequence[HistoryEntry]:
    """Read a pair's last events, the newest first."""
    rows = await session.scalars(
        select(HistoryEntry)
        .where(HistoryEntry.link_id == link_id, HistoryEntry.pair_id == pair_id)
        .order_by(HistoryEntry.entry_id.desc())
        .limit(limit)
    )
    return rows.all()


async def list_conflicts(
    session: AsyncSession,
    link_id: LinkId,
    state: str,
    *,
    page: Page,
) -> Sequence[ConflictRow]:
    """Read the conflicts of a page, the oldest first, and one more."""
    query = (
        select(ConflictRow)
        .where(ConflictRow.link_id == link_id, ConflictRow.state == state)
        .order_by(ConflictRow.conflict_id)
        .limit(page.row_limit)
    )
    if page.after_id is not None:
        query = query.where(ConflictRow.conflict_id > page.after_id)
    return (await session.scalars(query)).all()


async def count_open(session: AsyncSession, link_id: LinkId) -> int:
    """Count the conflicts that wait for a person."""
    query = (
        select(func.count())
        .select_from(ConflictRow)
        .where(ConflictRow.link_id == link_id, ConflictRow.state == ConflictState.OPEN)
    )
    return await session.scalar(query) or 0


async def lock_conflict(
    session: AsyncSession, link_id: LinkId, conflict_id: UUID
) -> ConflictRow | None:
    """Read a conflict and hold it until the transaction ends."""
    return await session.scalar(
        select(ConflictRow)
        .where(ConflictRow.link_id == link_id, ConflictRow.conflict_id == conflict_id)
        .with_for_update()
    )


async def decide(
    session: AsyncSession,
    row: ConflictRow,
    *,
    value: Any,  # noqa: ANN401 - any JSON value
    by: str,
    now: datetime,
) -> None:
    """
    Keep a person's answer to a locked conflict and have the pair looked at.

    The drain carries it out while both sides still say what the person saw; else it asks anew.
    """
    row.state = ConflictState.DECIDED
    row.decided_value = value
    row.decided_by = by
    row.decided_at = row.updated_at = now
    row.version += 1
    await session.flush()
    link_id = LinkId(row.link_id)
    pair = await session.get(Pair, (row.link_id, row.pair_id))
    if pair is not None:
        notice = ChangeNotice(RecordKind(row.kind), pair.record_id(Side.TIME))
        await note(session, link_id, Side.TIME, [notice], now=now)
    await count_again(session, link_id, now=now)

"""Read and answer the inbox: list what waits, look again, put aside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId
from app.changes.store import Change, ChangeState, counts
from app.links.store import DirectoryEntry, LinkState
from app.queue import Job, defer


@dataclass(frozen=True, slots=True)
class Chosen:
    """Choose changes of the inbox; ``None`` does not narrow."""

    state: str | None = None
    kind: str | None = None
    side: str | None = None
    code: str | None = None
    ids: Sequence[UUID] | None = None

    def conditions(self, link_id: LinkId) -> list[ColumnElement[bool]]:
        """Give the conditions of a query."""
        columns = {
            Change.state: self.state,
            Change.kind: self.kind,
            Change.side: self.side,
            Change.code: self.code,
        }
        found: list[ColumnElement[bool]] = [Change.link_id == link_id]
        found += [column == value for column, value in columns.items() if value is not None]
        if self.ids is not None:
            found.append(Change.change_id.in_(self.ids))
        return found


async def list_changes(
    session: AsyncSession,
    link_id: LinkId,
    chosen: Chosen,
    *,
    limit: int,
    after: Sequence[Any] | None = None,
) -> Sequence[Change]:
    """Read at most so many changes, ordered by side, kind and record, after a place of these."""
    place = tuple_(Change.side, Change.kind, Change.record_id)
    query = select(Change).where(*chosen.conditions(link_id)).order_by(place).limit(limit)
    if after is not None:
        query = query.where(place > tuple_(*after))
    return (await session.scalars(query)).all()


async def count_changes(session: AsyncSession, link_id: LinkId, chosen: Chosen) -> int:
    """Count the chosen changes."""
    query = select(func.count()).select_from(Change).where(*chosen.conditions(link_id))
    return await session.scalar(query) or 0


async def look_again(
    session: AsyncSession, link_id: LinkId, chosen: Chosen, *, now: datetime
) -> Sequence[UUID]:
    """Make the chosen changes due now, as if they had never failed; give their ids."""
    rows = await session.scalars(
        update(Change)
        .where(*chosen.conditions(link_id))
        .values(state=ChangeState.PENDING, attempts=0, not_before=now)
        .returning(Change.change_id)
        .execution_options(synchronize_session=False)
    )
    ids = rows.all()
    if ids:
        await count_again(session, link_id, now=now)
    return ids


async def put_aside(session: AsyncSession, link_id: LinkId, change_id: UUID) -> Change | None:
    """Ignore a change until its record changes again; ``None`` when it is not there."""
    change = await session.scalar(
        select(Change)
        .where(Change.link_id == link_id, Change.change_id == change_id)
        .with_for_update()
    )
    if change is not None:
        change.state = ChangeState.IGNORED
        await session.flush()
    return change


async def count_again(session: AsyncSession, link_id: LinkId, *, now: datetime) -> None:
    """Write the directory's counters after a person's click, and wake the drain if work is due."""
    found = await counts(session, link_id)
    entry = await session.get(DirectoryEntry, link_id, with_for_update=True)
    if entry is None:
        return
    entry.pending, entry.parked, entry.next_due = found.pending, found.parked, found.next_due
    await session.flush()
    due = found.next_due is not None and found.next_due <= now
    if due and entry.state == LinkState.ACTIVE:
        await defer(session, Job.DRAIN_LINK, link_id)

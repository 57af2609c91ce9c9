"""
Read the hours that changed since the last time: what is unbilled, and what was changed once billed.

One list call with a lower bound for most links; everything at the first time.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.canonical import EntryId, LinkId, RecordKind, TimeEntry
from app.database import CommitPoint
from app.invoicing.lines.difference import agreed_base
from app.invoicing.lines.snapshot import differences, freeze_entry
from app.invoicing.store import EntryChange, LedgerRow
from app.invoicing.unbilled.extras_added import note_extras
from app.invoicing.unbilled.hours import keep_hours, keep_mark, read_mark
from app.links.open_systems import open_time
from app.links.pairs import Pair
from app.runtime import Runtime
from app.systems.ports import EntryQuery

OVERLAP: Final = timedelta(minutes=2)
"""What the two clocks may differ, and a write may take to show in a list."""

_AT_ONCE: Final = 1000


async def read_hours(runtime: Runtime, link_id: LinkId) -> None:
    """
    Read what changed (job ``READ_HOURS``); safe to repeat.

    Raises:
        SystemFault: The time system is away; what was kept stays.

    """
    started = runtime.clock()
    async with runtime.database.reading(link_id) as session:
        mark = await read_mark(session, link_id)
    tracker = await open_time(runtime, link_id)
    settings = await tracker.settings()
    since = mark.seen_at - OVERLAP if mark is not None else None
    entries = await tracker.entries(EntryQuery(changed_since=since, with_gone=True))
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await keep_hours(session, link_id, entries)
        await note_changes(session, link_id, entries, seen_at=started)
        await keep_mark(
            session, link_id, seen_at=started, approval_required=settings.approval_required
        )


async def note_changes(
    session: AsyncSession, link_id: LinkId, entries: Sequence[TimeEntry], *, seen_at: datetime
) -> None:
    """Note each billed hour that is not as it was billed, or as a person last left it."""
    seen = {entry.id: entry for entry in entries}
    billed = await _billed(session, link_id, list(seen))
    await note_extras(session, link_id, billed, seen)  # drafts are locked before changes
    noted = await _noted(session, link_id, [row.entry_id for row in billed])
    names = await _project_names(session, link_id, [seen[EntryId(r.entry_id)] for r in billed])
    for row in billed:
        entry = seen[EntryId(row.entry_id)]
        earlier = noted.get((row.draft_id, row.entry_id), [])
        latest = earlier[-1] if earlier else None
        if latest is not None and latest.entry_version >= entry.version:
            continue
        states = _states(row, earlier)
        if not any(states):  # a follow-up took it back, or it was billed before snapshots
            continue
        for change in earlier:
            if change.choice is None:
                change.choice, change.chosen_at = "overtaken", seen_at
        now = None if entry.gone else freeze_entry(entry)
        customer = row.snapshot.get("customerId", entry.customer_id)
        base = dict(agreed_base(states, now, customer))
        what = differences(base, entry)
        if not what or (entry.gone and not all(states)):  # left as gone already
            continue
        project = _project(base, entry, names)
        after = {} if entry.gone else freeze_entry(entry, project=project)
        await session.execute(
            insert(EntryChange)
            .values(
                link_id=link_id, change_id=uuid7(), draft_id=row.draft_id, entry_id=row.entry_id,
                entry_version=entry.version, what=list(what), before=base,
                after=after,
                choice=None, chosen_by=None, seen_at=seen_at, chosen_at=None,
            )
            .on_conflict_do_nothing()
        )  # fmt: skip


def _states(row: LedgerRow, earlier: Sequence[EntryChange]) -> list[Mapping[str, Any]]:
    """
    Give an hour as it was last billed, then as a person left it since; empty where it was gone.

    What nobody decided counts for nothing: it began at what was agreed before it.
    """
    states: list[Mapping[str, Any]] = [row.snapshot]
    for change in earlier:
        if change.choice == "follow-up":
            states = [change.after]
        elif change.choice == "leave":
            states.append(change.after)
    return states


def _project(base: Mapping[str, Any], entry: TimeEntry, names: Mapping[str, str]) -> str | None:
    """Give the name of an hour's project now; one that is no pair's and is new has none."""
    if entry.project_id == base.get("projectId"):
        return base.get("project")
    return names.get(entry.project_id or "")


async def _project_names(
    session: AsyncSession, link_id: LinkId, entries: Sequence[TimeEntry]
) -> dict[str, str]:
    ids = {entry.project_id for entry in entries if entry.project_id is not None}
    if not ids:
        return {}
    rows = await session.execute(
        select(Pair.time_id, Pair.base["name"].astext).where(
            Pair.link_id == link_id, Pair.kind == RecordKind.PROJECT, Pair.time_id.in_(ids)
        )
    )
    return {time_id: name for time_id, name in rows if name}


async def _billed(
    session: AsyncSession, link_id: LinkId, ids: Sequence[EntryId]
) -> Sequence[LedgerRow]:
    found: list[LedgerRow] = []
    for start in range(0, len(ids), _AT_ONCE):
        rows = await session.scalars(
            select(LedgerRow).where(
                LedgerRow.link_id == link_id, LedgerRow.active,
                LedgerRow.entry_id.in_(ids[start : start + _AT_ONCE]),
            )
        )  # fmt: skip
        found += rows
    return found


async def _noted(
    session: AsyncSession, link_id: LinkId, ids: Sequence[str]
) -> dict[tuple[UUID, str], list[EntryChange]]:
    """
    Read the changes noted of each hour, by draft and entry, the oldest first.

    Nobody decides one until the transaction ends, else a decision could be overtaken unseen.
    """
    found: dict[tuple[UUID, str], list[EntryChange]] = defaultdict(list)
    for start in range(0, len(ids), _AT_ONCE):
        rows = await session.scalars(
            select(EntryChange)
            .where(
                EntryChange.link_id == link_id,
                EntryChange.entry_id.in_(ids[start : start + _AT_ONCE]),
            )
            .order_by(EntryChange.change_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        for row in rows:
            found[row.draft_id, row.entry_id].append(row)
    return found

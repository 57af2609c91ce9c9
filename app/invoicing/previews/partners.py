"""Read a draft's customer and project as the books have them now, so that a preview is true."""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import Customer, LinkId, Project, RecordId, RecordKind, TimeEntry
from app.invoicing.previews.objections import Partners
from app.invoicing.store import Draft
from app.links.open_systems import open_books, open_time
from app.links.pairs import Pair
from app.runtime import Runtime
from app.systems.ports import AccountingSystem, TimeTracker


async def read_partners(
    runtime: Runtime, link_id: LinkId, customer: Pair, project: Pair | None, *, wanted: bool
) -> Partners:
    """
    Read both from the books, at once.

    Args:
        wanted: Whether a project was chosen, linked or not.

    """
    books = await open_books(runtime, link_id)
    seen_customer, seen_project = await asyncio.gather(
        _record(books, RecordKind.CUSTOMER, customer), _record(books, RecordKind.PROJECT, project)
    )
    return Partners(
        customer=seen_customer if isinstance(seen_customer, Customer) else None,
        project=seen_project if isinstance(seen_project, Project) else None,
        project_wanted=wanted,
        project_linked=project is not None,
    )


async def _record(
    books: AccountingSystem, kind: RecordKind, pair: Pair | None
) -> Customer | Project | None:
    if pair is None:
        return None
    seen = (await books.read(kind, RecordId(pair.books_id))).record
    return None if seen is None or seen.gone else seen


async def pair_of_hours(
    runtime: Runtime, link_id: LinkId, entries: Sequence[TimeEntry]
) -> Pair | None:
    """Give the pair of the one project that all hours are of, so that the draft carries it."""
    projects = Counter(entry.project_id for entry in entries)
    if len(projects) != 1 or None in projects:
        return None
    async with runtime.database.reading(link_id) as session:
        return await session.scalar(
            select(Pair).where(
                Pair.link_id == link_id, Pair.kind == RecordKind.PROJECT,
                Pair.time_id == next(iter(projects)),
            )
        )  # fmt: skip


async def pair_of_drafts(
    session: AsyncSession, link_id: LinkId, drafts: Collection[Draft]
) -> Pair | None:
    """
    Give the pair of the one project that all drafts carry.

    One that is no pair any more is carried no more.
    """
    projects = {draft.project_books_id for draft in drafts}
    if len(projects) != 1 or None in projects:
        return None
    return await session.scalar(
        select(Pair).where(
            Pair.link_id == link_id, Pair.kind == RecordKind.PROJECT,
            Pair.books_id == projects.pop(),
        )
    )  # fmt: skip


async def project_names(
    runtime: Runtime, link_id: LinkId, entries: Sequence[TimeEntry]
) -> Mapping[RecordId, str]:
    """Give the projects' names: from the pairs' bases, else from the time system, at once."""
    wanted = {entry.project_id for entry in entries if entry.project_id is not None}
    async with runtime.database.reading(link_id) as session:
        rows = await session.execute(
            select(Pair.time_id, Pair.base).where(
                Pair.link_id == link_id, Pair.kind == RecordKind.PROJECT, Pair.time_id.in_(wanted)
            )
        )
        names = {RecordId(time_id): str(base.get("name", "")) for time_id, base in rows}
    missing = sorted(project for project in wanted if not names.get(project))
    if missing:
        tracker = await open_time(runtime, link_id)
        found = await asyncio.gather(*(_name(tracker, project) for project in missing))
        names.update(zip(missing, found, strict=True))
    return names


async def _name(tracker: TimeTracker, project: RecordId) -> str:
    record = (await tracker.read(RecordKind.PROJECT, project)).record
    return record.name if isinstance(record, Project) else ""

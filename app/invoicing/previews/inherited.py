"""Let a subproject take the increments of the nearest project above it that has its own."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select

from app.canonical import LinkId, Project, RecordId, RecordKind, Side, TimeEntry
from app.invoicing.lines.lines import Style
from app.links.open_systems import open_time
from app.records.store import KnownRecord
from app.runtime import Runtime


async def with_inherited(
    runtime: Runtime, link_id: LinkId, style: Style, entries: Sequence[TimeEntry]
) -> Style:
    """Give the style with what the hours' projects inherit; nothing is read where none has any."""
    own = style.roundings
    projects = {e.project_id for e in entries if e.project_id is not None} - set(own)
    if not own or not projects:
        return style
    parents = await _parents(runtime, link_id, projects, until=own)
    found = {project: nearest(project, parents, own) for project in projects}
    inherited = {project: own[above] for project, above in found.items() if above is not None}
    return replace(style, roundings={**own, **inherited})


def nearest(
    project: RecordId, parents: Mapping[RecordId, RecordId | None], wanted: Collection[RecordId]
) -> RecordId | None:
    """Give the nearest of the wanted above a project; those in a circle are above each other."""
    seen = {project}
    above = parents.get(project)
    while above is not None and above not in seen:
        if above in wanted:
            return above
        seen.add(above)
        above = parents.get(above)
    return None


async def _parents(
    runtime: Runtime,
    link_id: LinkId,
    projects: Collection[RecordId],
    *,
    until: Collection[RecordId],
) -> dict[RecordId, RecordId | None]:
    """Read who is above these projects, level by level: as last seen, else from the time system."""
    found: dict[RecordId, RecordId | None] = {}
    level = set(projects)
    while level:
        found |= await _level(runtime, link_id, level)
        above = {found[one] for one in level}
        level = {one for one in above if one is not None and one not in found} - set(until)
    return found


async def _level(
    runtime: Runtime, link_id: LinkId, projects: Collection[RecordId]
) -> dict[RecordId, RecordId | None]:
    async with runtime.database.reading(link_id) as session:
        rows = await session.execute(
            select(KnownRecord.record_id, KnownRecord.data["parent_id"].astext).where(
                KnownRecord.link_id == link_id, KnownRecord.side == Side.TIME,
                KnownRecord.kind == RecordKind.PROJECT, KnownRecord.complete,
                KnownRecord.record_id.in_(projects),
            )
        )  # fmt: skip
        found = {RecordId(one): RecordId(above) if above else None for one, above in rows}
    missing = sorted(set(projects) - set(found))
    if missing:
        tracker = await open_time(runtime, link_id)
        seen = await asyncio.gather(*(tracker.read(RecordKind.PROJECT, one) for one in missing))
        for one, sighting in zip(missing, seen, strict=True):
            record = sighting.record
            found[one] = record.parent_id if isinstance(record, Project) else None
    return found

"""
Hold a draft's hours in the time system, 500 a part, and hold them anew where the hold lapsed.

Every key names draft, part and generation, so that each call may be repeated after any death.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.canonical import EntryId, LinkId
from app.database import CommitPoint
from app.invoicing.drafts.hold_part import hold_part
from app.invoicing.drafts.record import Overtaken, move, record_refused
from app.invoicing.lines.snapshot import still_billable
from app.invoicing.store import Draft, DraftState, HeldHours
from app.links.open_systems import open_time
from app.runtime import Runtime
from app.systems.ports import NotFound, ReleaseReason, TimeTracker

PART: Final = 500
"""Most hours of one reservation, by Timerabbit's contract."""


async def reserve(runtime: Runtime, link_id: LinkId, draft: Draft) -> None:
    """
    Hold all hours of a taken draft; any that cannot be held refuses the draft and frees the rest.

    Raises:
        SystemFault: The time system is away or lets us not in; nothing is lost by trying again.

    """
    tracker = await open_time(runtime, link_id)
    parts = await parts_of(runtime, link_id, draft)
    if not parts:
        versions = {EntryId(e): version for e, version in sorted(draft.versions.items())}
        await ask(runtime, link_id, draft, dict(_in_parts(versions)), {})
        parts = await parts_of(runtime, link_id, draft)
    if not await hold_asked(runtime, link_id, draft, tracker, parts):
        return
    async with runtime.database.transaction(CommitPoint.DRAFT_RESERVED, link_id) as session:
        now = runtime.clock()
        await move(
            session, draft, DraftState.RESERVED, now=now, what="reserved", not_before=now,
            problem=None,
        )  # fmt: skip


async def hold_still(runtime: Runtime, link_id: LinkId, draft: Draft) -> bool:
    """
    Make sure, right before a draft is sent, that its hours are still held and still as shown.

    A hold that lapsed (after a long wait, or before a person sends again) is made anew, but only
    where each hour is what was previewed; otherwise the draft is refused and its hours are free.

    Raises:
        SystemFault: The time system is away or lets us not in.

    """
    parts = await parts_of(runtime, link_id, draft)
    if any(part.asked is not None for part in parts):
        tracker = await open_time(runtime, link_id)
        if not await hold_asked(runtime, link_id, draft, tracker, parts):
            return False
        parts = await parts_of(runtime, link_id, draft)
    margin = timedelta(seconds=runtime.settings.draft_timeout_seconds * 2)
    held = bool(parts) or not draft.versions  # a follow-up holds no hours of its own
    if held and not any(_lapses(part, runtime.clock() + margin) for part in parts):
        return True
    tracker = await open_time(runtime, link_id)
    if await _read_as_shown(runtime, draft, tracker, parts) is None:
        return False
    await release_parts(tracker, parts, ReleaseReason.DRAFT_FAILED)
    # Between the two an hour is nobody's and may be edited; this reading's versions are asked for.
    versions = await _read_as_shown(runtime, draft, tracker, parts)
    if versions is None:
        return False
    generations = {part.part: part.generation for part in parts}
    await ask(runtime, link_id, draft, dict(_in_parts(versions)), generations)
    parts = await parts_of(runtime, link_id, draft)
    return await hold_asked(runtime, link_id, draft, tracker, parts)


async def _read_as_shown(
    runtime: Runtime, draft: Draft, tracker: TimeTracker, parts: Sequence[HeldHours]
) -> dict[EntryId, int] | None:
    """Read the hours' versions; one that is not as it was shown refuses the draft: ``None``."""
    ids = tuple(EntryId(entry_id) for entry_id in sorted(draft.versions))
    seen = {entry.id: entry for entry in await tracker.entries_by_id(ids)}
    frozen = draft.body.get("entries", {})
    holds = frozenset(part.reservation_id for part in parts)
    changed = [
        {"entryId": entry_id, "what": list(what)}
        for entry_id in ids
        if entry_id in frozen
        and (what := still_billable(frozen[entry_id], seen.get(entry_id), holds=holds))
    ]
    if changed:
        await record_refused(runtime, draft, ["entries-changed"], {"changed": changed})
        return None
    return {entry_id: seen[entry_id].version for entry_id in ids if entry_id in seen}


async def ask(
    runtime: Runtime,
    link_id: LinkId,
    draft: Draft,
    parts: Mapping[int, Mapping[EntryId, int]],
    generations: Mapping[int, int],
) -> None:
    """
    Keep what will be asked for, before it is: the next generation of these parts.

    Raises:
        Overtaken: Someone else asks already.

    """
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        for part, chosen in parts.items():
            asked = await session.execute(
                insert(HeldHours)
                .values(
                    link_id=link_id, draft_id=draft.draft_id, part=part, generation=-1,
                    reservation_id="", expires_at=None, completed=False, asked=chosen,
                )
                .on_conflict_do_update(
                    index_elements=["link_id", "draft_id", "part"],
                    set_={"asked": chosen},
                    where=HeldHours.asked.is_(None)
                    & (HeldHours.generation == generations.get(part, -1)),
                )
                .returning(HeldHours.part)
            )  # fmt: skip
            if asked.first() is None:
                raise Overtaken


async def hold_asked(
    runtime: Runtime,
    link_id: LinkId,
    draft: Draft,
    tracker: TimeTracker,
    parts: Sequence[HeldHours],
) -> bool:
    """
    Repeat, key and all, each call that was asked and not answered; ``False`` when refused.

    Raises:
        Rejected, NotFound: The same for a draft that stands in the books: it cannot be refused.

    """
    for part in parts:
        if part.asked is not None:
            versions = {EntryId(e): version for e, version in sorted(part.asked.items())}
            generation = part.generation + 1
            if not await hold_part(
                runtime, link_id, draft, tracker, (part.part, generation, versions)
            ):
                return False
    return True


async def parts_of(runtime: Runtime, link_id: LinkId, draft: Draft) -> Sequence[HeldHours]:
    """Read a draft's reservations, by part."""
    async with runtime.database.reading(link_id) as session:
        rows = await session.scalars(
            select(HeldHours)
            .where(HeldHours.link_id == link_id, HeldHours.draft_id == draft.draft_id)
            .order_by(HeldHours.part)
        )
        return rows.all()


async def release_parts(
    tracker: TimeTracker,
    parts: Sequence[HeldHours],
    reason: ReleaseReason,
    *,
    chosen: Mapping[int, tuple[EntryId, ...]] | None = None,
) -> None:
    """
    Set reservations free; one that the time system does not know is free already.

    Args:
        chosen: Only these hours, by part.

    """
    for part in parts:
        entry_ids = () if chosen is None else chosen.get(part.part, ())
        if not part.reservation_id or not (chosen is None or entry_ids):
            continue
        try:
            await tracker.release(part.reservation_id, reason=reason, entry_ids=entry_ids)
        except NotFound:
            continue


def _in_parts(versions: Mapping[EntryId, int]) -> Iterator[tuple[int, dict[EntryId, int]]]:
    ids = list(versions)
    for part, start in enumerate(range(0, len(ids), PART), 1):
        yield part, {entry_id: versions[entry_id] for entry_id in ids[start : start + PART]}


def by_part(draft: Draft, entry_ids: Collection[EntryId]) -> dict[int, tuple[EntryId, ...]]:
    """Give these hours of a draft by the part in which each was held."""
    versions = {EntryId(one): version for one, version in sorted(draft.versions.items())}
    parts = (
        (part, [one for one in held if one in entry_ids]) for part, held in _in_parts(versions)
    )
    return {part: tuple(chosen) for part, chosen in parts if chosen}


def _lapses(part: HeldHours, at: datetime) -> bool:
    return part.expires_at is not None and part.expires_at <= at

"""
Mark the hours of a draft that stands in the books, though some were lost before they were marked.

While the time system is away a hold lapses, and an hour may be deleted or taken by others. The rest
is held anew without it and marked; what was lost is kept on the draft, and stays in the ledger.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from app.canonical import EntryId, LinkId
from app.database import CommitPoint
from app.invoicing.drafts.reserve import ask, by_part, hold_asked, parts_of, release_parts
from app.invoicing.drafts.set_free import LOST, lock_draft, lost_hours
from app.invoicing.store import Draft, HeldHours
from app.runtime import Runtime
from app.systems.ports import EntriesTaken, EntryConflict, ReleaseReason, TimeTracker

_ROUNDS: Final = 4
_EDITED: Final = "version_mismatch"
"""Says that an hour was edited since it was read: it is read again, not lost."""


async def mark_rest(
    runtime: Runtime,
    draft: Draft,
    tracker: TimeTracker,
    part: HeldHours,
    mark: Callable[[str], Awaitable[None]],
) -> None:
    """
    Mark a part's hours by ``mark``, which is given a reservation; safe to repeat and to die in.

    Raises:
        EntriesTaken: Each time others were quicker.

    """
    link_id = LinkId(draft.link_id)
    for tried in range(_ROUNDS):
        try:
            await mark(await _held(runtime, link_id, draft, tracker, part))
        except EntriesTaken as taken:
            if tried == _ROUNDS - 1:
                raise
            await _note_lost(runtime, link_id, draft, taken.conflicts)
        else:
            return
        part = await _read(runtime, link_id, draft, part.part)
        if not await _ask_for_rest(runtime, link_id, draft, tracker, part):
            return
        part = await _read(runtime, link_id, draft, part.part)


async def _held(
    runtime: Runtime, link_id: LinkId, draft: Draft, tracker: TimeTracker, part: HeldHours
) -> str:
    """Give the part's reservation; one that was asked for takes the place of the one before."""
    if part.asked is None:
        return part.reservation_id
    await release_parts(tracker, [part], ReleaseReason.DRAFT_FAILED)
    await hold_asked(runtime, link_id, draft, tracker, [part])
    return (await _read(runtime, link_id, draft, part.part)).reservation_id


async def _ask_for_rest(
    runtime: Runtime, link_id: LinkId, draft: Draft, tracker: TimeTracker, part: HeldHours
) -> bool:
    """Keep, before it is asked, that the part is to be held without what was lost."""
    async with runtime.database.reading(link_id) as session:
        lost = lost_hours((await session.get_one(Draft, (link_id, draft.draft_id))).facts)
    ids = by_part(draft, [EntryId(one) for one in draft.versions]).get(part.part, ())
    rest = tuple(one for one in ids if one not in lost)
    read = {one.id: one for one in await tracker.entries_by_id(rest)} if rest else {}
    gone = [one for one in rest if one not in read or read[one].gone]
    if gone:
        deleted = [EntryConflict(one, "deleted") for one in gone]
        await _note_lost(runtime, link_id, draft, deleted)
    versions = {one: read[one].version for one in rest if one not in gone}
    if versions:
        await ask(runtime, link_id, draft, {part.part: versions}, {part.part: part.generation})
    return bool(versions)


async def _note_lost(
    runtime: Runtime, link_id: LinkId, draft: Draft, conflicts: Sequence[EntryConflict]
) -> None:
    """Keep which hours were lost and why, before the rest is held without them."""
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        locked = await lock_draft(session, link_id, draft)
        known = {one["entryId"]: one for one in locked.facts.get(LOST, ())}
        for one in conflicts:
            if one.reason != _EDITED:
                told = {"entryId": one.id, "reason": one.reason, "heldBy": one.held_by}
                known.setdefault(one.id, told)
        locked.facts = {**locked.facts, LOST: list(known.values())}


async def _read(runtime: Runtime, link_id: LinkId, draft: Draft, number: int) -> HeldHours:
    parts = await parts_of(runtime, link_id, draft)
    return next(part for part in parts if part.part == number)

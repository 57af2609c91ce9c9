"""
Set single hours of a standing draft free: in the ledger at once, then in the time system.

What the time system has not been told yet stands on the draft, so that a worker tells it after any
death; until then the hour is free here and marked there, and nobody can bill it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import EntryId, LinkId
from app.database import CommitPoint
from app.invoicing.drafts.record import make_due, set_due
from app.invoicing.drafts.reserve import by_part, parts_of, release_parts
from app.invoicing.drafts.wait import patience, pause_for
from app.invoicing.ledger.ledger import free_entries
from app.invoicing.store import Draft
from app.links.open_systems import open_time
from app.runtime import Runtime
from app.systems.ports import RateLimited, ReleaseReason, Unauthorised, Unreachable

TO_FREE: Final = "toFree"
"""Names, among a draft's facts, the hours whose mark the time system has still to take off."""


LOST: Final = "lost"
"""Names, among a draft's facts, the hours that were lost before they could be marked, and why."""


async def lock_draft(session: AsyncSession, link_id: LinkId, draft: Draft) -> Draft:
    """Read a draft anew and keep others from moving it until the transaction ends."""
    return await session.get_one(
        Draft, (link_id, draft.draft_id), with_for_update=True, populate_existing=True
    )


async def free_single(
    session: AsyncSession, locked: Draft, entry_ids: Sequence[str], *, now: datetime
) -> None:
    """Set some hours of a locked draft free in the ledger, and note them for the time system."""
    await free_entries(session, locked, now=now, entry_ids=entry_ids)
    waiting = sorted({*locked.facts.get(TO_FREE, ()), *entry_ids})
    locked.facts = {**locked.facts, TO_FREE: waiting}
    locked.not_before = now
    locked.version += 1
    await make_due(session, LinkId(locked.link_id), now)


async def tell_freed(runtime: Runtime, link_id: LinkId, draft: Draft) -> None:
    """
    Take the mark off what was set free, in the time system; again changes nothing.

    With the time system away it is tried again later.
    """
    waiting = waiting_to_free(draft.facts)
    if not waiting:
        return
    try:
        await _release(runtime, link_id, draft, waiting)
    except (Unreachable, RateLimited, Unauthorised) as fault:
        now = runtime.clock()
        async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
            await set_due(session, draft, now + patience(fault, now - draft.updated_at))
        await pause_for(runtime, link_id, fault, books=False)
        return
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        locked = await lock_draft(session, link_id, draft)
        left = [one for one in waiting_to_free(locked.facts) if one not in waiting]
        locked.facts = {name: v for name, v in locked.facts.items() if name != TO_FREE}
        if left:
            locked.facts = {**locked.facts, TO_FREE: left}
        else:
            locked.not_before = None


def lost_hours(facts: Mapping[str, Any]) -> frozenset[str]:
    """Give the hours that were lost before they could be marked: they carry no mark of ours."""
    return frozenset(one["entryId"] for one in facts.get(LOST, ()))


def waiting_to_free(facts: Mapping[str, Any]) -> list[EntryId]:
    """Give the hours whose mark the time system has still to take off."""
    return [EntryId(one) for one in facts.get(TO_FREE, ())]


async def _release(
    runtime: Runtime, link_id: LinkId, draft: Draft, entry_ids: Sequence[EntryId]
) -> None:
    tracker = await open_time(runtime, link_id)
    chosen = by_part(draft, frozenset(entry_ids) - lost_hours(draft.facts))
    parts = await parts_of(runtime, link_id, draft)
    await release_parts(tracker, parts, ReleaseReason.USER_REQUEST, chosen=chosen)

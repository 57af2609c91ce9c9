"""Mark a created draft's hours in the time system, or set them free there.

Repeatable, also late.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from app.canonical import LinkId
from app.database import CommitPoint
from app.invoicing.drafts.advance import read_draft
from app.invoicing.drafts.mark_rest import mark_rest
from app.invoicing.drafts.record import Overtaken, keep_facts, move
from app.invoicing.drafts.reserve import hold_asked, parts_of, release_parts
from app.invoicing.drafts.set_free import LOST
from app.invoicing.drafts.wait import patience, pause_for
from app.invoicing.store import Draft, DraftState, HeldHours
from app.links.open_systems import open_time
from app.links.store import LinkState, is_at_work, read_link
from app.runtime import Runtime
from app.systems.ports import (
    EntriesTaken,
    NotFound,
    RateLimited,
    Rejected,
    ReleaseReason,
    TimeTracker,
    Unauthorised,
    Unreachable,
)

_REASONS: Final = {
    DraftState.RELEASED: ReleaseReason.DRAFT_DELETED,
    DraftState.REFUSED: ReleaseReason.DRAFT_FAILED,
}
CONFLICTS: Final = "conflicts"
"""Names, among a draft's facts, the hours that the time system would not mark, as is shown."""

TAKEN_LATER: Final = "entries-taken-later"
_OVER: Final = frozenset({"hours-wait", TAKEN_LATER})
"""Problems that are over once the hours are marked."""


async def complete_draft(runtime: Runtime, link_id: LinkId, *, draft_id: str) -> None:
    """Finish a draft's hours (job ``COMPLETE_DRAFT``); not while its link is paused or closed."""
    async with runtime.database.reading(link_id) as session:
        if not await is_at_work(session, link_id, LinkState.ACTIVE):
            return
    await finish_hours(runtime, link_id, await read_draft(runtime, link_id, UUID(draft_id)))


async def finish_hours(runtime: Runtime, link_id: LinkId, draft: Draft) -> None:
    """
    Complete (a created draft) or release (a refused or released one) each reservation.

    Timerabbit away: tried again later. Hours deleted or taken by someone else meanwhile: the rest
    is marked, the draft says ``entries-taken-later`` and which, and a person decides.
    """
    parts = await parts_of(runtime, link_id, draft)
    state = DraftState(draft.state)
    try:
        tracker = await open_time(runtime, link_id)
        if state is DraftState.CREATED:
            await _complete(runtime, tracker, draft, parts)
        else:
            parts = await _known(runtime, link_id, draft, tracker, parts)
            await release_parts(tracker, parts, _REASONS.get(state, ReleaseReason.USER_REQUEST))
    except Overtaken:
        return  # another worker asks for the rest; the draft stays due until its hours are marked
    except (Rejected, NotFound) as refusal:
        await _refused(runtime, link_id, draft, refusal)
        return
    except (Unreachable, RateLimited, Unauthorised) as fault:
        wait = patience(fault, runtime.clock() - draft.created_at)
        await _note(runtime, link_id, draft, state, "hours-wait", wait=wait)
        await pause_for(runtime, link_id, fault, books=False)
        return
    if state is DraftState.CREATED:
        await _note_completed(runtime, link_id, await read_draft(runtime, link_id, draft.draft_id))
        return
    problem = draft.problem if draft.problem not in _OVER else None
    await _note(runtime, link_id, draft, state, problem)


async def _note_completed(runtime: Runtime, link_id: LinkId, draft: Draft) -> None:
    """Keep that the hours are marked, and which are not because they were lost."""
    if draft.state != DraftState.CREATED:
        return
    lost = draft.facts.get(LOST, [])
    facts = {name: value for name, value in draft.facts.items() if name != CONFLICTS}
    problem = draft.problem if draft.problem not in _OVER else None
    if lost:
        facts[CONFLICTS] = lost
        problem = problem or TAKEN_LATER
    await _note(runtime, link_id, draft, DraftState.COMPLETED, problem, facts=facts)


async def _known(
    runtime: Runtime,
    link_id: LinkId,
    draft: Draft,
    tracker: TimeTracker,
    parts: Sequence[HeldHours],
) -> Sequence[HeldHours]:
    """Learn of holds whose answer was lost, by the very calls that asked for them."""
    if not any(part.asked is not None for part in parts):
        return parts
    await hold_asked(runtime, link_id, draft, tracker, parts)
    return await parts_of(runtime, link_id, draft)


async def _refused(
    runtime: Runtime, link_id: LinkId, draft: Draft, refusal: Rejected | NotFound
) -> None:
    """Keep what the time system said of each hour; a person sees both views and decides."""
    conflicts: list[dict[str, str | None]] = []
    if isinstance(refusal, EntriesTaken):
        conflicts = [
            {"entryId": c.id, "reason": c.reason, "heldBy": c.held_by} for c in refusal.conflicts
        ]
    draft = await read_draft(runtime, link_id, draft.draft_id)
    facts = {**draft.facts, CONFLICTS: [*draft.facts.get(LOST, []), *conflicts]}
    await _note(runtime, link_id, draft, DraftState(draft.state), TAKEN_LATER, facts=facts)


async def _complete(
    runtime: Runtime, tracker: TimeTracker, draft: Draft, parts: Sequence[HeldHours]
) -> None:
    link_id = LinkId(draft.link_id)
    async with runtime.database.reading(link_id) as session:
        link = await read_link(session, link_id)
    url = runtime.systems.books.draft_page(link.books_account) if link is not None else None
    books_id = draft.books_ids[0].removeprefix("invoice:")
    for part in parts:
        await mark_rest(
            runtime, draft, tracker, part,
            lambda held: tracker.complete(held, draft_id=books_id, draft_url=url),
        )  # fmt: skip


async def _note(
    runtime: Runtime,
    link_id: LinkId,
    draft: Draft,
    state: DraftState,
    problem: str | None,
    *,
    wait: timedelta | None = None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    now = runtime.clock()
    try:
        async with runtime.database.transaction(CommitPoint.DRAFT_COMPLETED, link_id) as session:
            await move(
                session, draft, state, now=now, what=problem or state.value, problem=problem,
                not_before=None if wait is None else now + wait,
            )  # fmt: skip
            if facts is not None:
                await keep_facts(session, draft, facts)
    except Overtaken:
        return

"""Mark a created draft's hours in the time system, or set them free there.

Repeatable, also late.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from app.canonical import LinkId
from app.database import CommitPoint
from app.invoicing.advance import RETRY, read_draft
from app.invoicing.record import Overtaken, move
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


async def complete_draft(runtime: Runtime, link_id: LinkId, *, draft_id: str) -> None:
    """Finish a draft's hours (job ``COMPLETE_DRAFT``); not while its link is paused or closed."""
    async with runtime.database.reading(link_id) as session:
        if not await is_at_work(session, link_id, LinkState.ACTIVE):
            return
    await finish_hours(runtime, link_id, await read_draft(runtime, link_id, UUID(draft_id)))


async def finish_hours(runtime: Runtime, link_id: LinkId, draft: Draft) -> None:
    """
    Complete (a created draft) or release (a refused or released one) each reservation.

    Timerabbit away: tried again later. An hour taken by someone else meanwhile: a person decides,
    the draft says ``entries-taken-later``.
    """
    parts = await _parts(runtime, link_id, draft)
    tracker = await open_time(runtime, link_id)
    try:
        if draft.state == DraftState.CREATED:
            await _complete(runtime, tracker, draft, parts)
        else:
            await _release(tracker, draft, parts)
    except (EntriesTaken, Rejected):
        await _note(runtime, link_id, draft, DraftState(draft.state), "entries-taken-later")
        return
    except (Unreachable, RateLimited, Unauthorised) as fault:
        wait = timedelta(seconds=fault.retry_after) if isinstance(fault, RateLimited) else RETRY
        await _note(runtime, link_id, draft, DraftState(draft.state), "hours-wait", wait=wait)
        return
    done = DraftState.COMPLETED if draft.state == DraftState.CREATED else DraftState(draft.state)
    await _note(runtime, link_id, draft, done, draft.problem)


async def _parts(runtime: Runtime, link_id: LinkId, draft: Draft) -> Sequence[HeldHours]:
    async with runtime.database.reading(link_id) as session:
        rows = await session.scalars(
            select(HeldHours)
            .where(HeldHours.link_id == link_id, HeldHours.draft_id == draft.draft_id)
            .order_by(HeldHours.part)
        )
        return rows.all()


async def _complete(
    runtime: Runtime, tracker: TimeTracker, draft: Draft, parts: Sequence[HeldHours]
) -> None:
    link_id = LinkId(draft.link_id)
    async with runtime.database.reading(link_id) as session:
        link = await read_link(session, link_id)
    url = runtime.systems.books.draft_page(link.books_account) if link is not None else None
    for part in parts:
        await tracker.complete(part.reservation_id, draft_id=draft.books_ids[0], draft_url=url)


async def _release(tracker: TimeTracker, draft: Draft, parts: Sequence[HeldHours]) -> None:
    reason = (
        ReleaseReason.DRAFT_DELETED
        if draft.state == DraftState.RELEASED
        else ReleaseReason.DRAFT_FAILED
    )
    for part in parts:
        try:
            await tracker.release(part.reservation_id, reason=reason)
        except NotFound:
            continue


async def _note(
    runtime: Runtime,
    link_id: LinkId,
    draft: Draft,
    state: DraftState,
    problem: str | None,
    *,
    wait: timedelta | None = None,
) -> None:
    now = runtime.clock()
    try:
        async with runtime.database.transaction(CommitPoint.DRAFT_COMPLETED, link_id) as session:
            await move(
                session, draft, state, now=now, what=problem or state.value, problem=problem,
                not_before=None if wait is None else now + wait,
            )  # fmt: skip
    except Overtaken:
        return

"""
Take a draft as far as it goes: reserve, send once, and where the outcome is unknown, look.

Each step is a short transaction at its own commit point; between two steps there is at most one
call to another system. Whoever finds ``sending`` never sends: it may have been sent.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import EntryId, LinkId, RecordId
from app.database import CommitPoint
from app.invoicing.look import look_for
from app.invoicing.record import Overtaken, move, record_created, record_refused
from app.invoicing.shapes import order_of
from app.invoicing.store import Draft, DraftAttempt, DraftState, HeldHours
from app.links.change_state import pause
from app.links.lifecycle import pause_reason
from app.links.open_systems import open_books, open_time
from app.links.store import LinkState, is_at_work
from app.runtime import Runtime
from app.systems.ports import (
    AccessReason,
    EntriesTaken,
    RateLimited,
    Rejected,
    Unauthorised,
    Unreachable,
)

PART: Final = 500
"""Most hours of one reservation, by Timerabbit's contract."""

RETRY: Final = timedelta(seconds=10)
_MOST_STEPS: Final = 12


async def advance(runtime: Runtime, link_id: LinkId, draft_id: object) -> Draft:
    """
    Take a draft as far as it goes now and give it as it stands then.

    Safe to call again after any death and by several at once: a step that someone else made first
    is left to them.
    """
    for _ in range(_MOST_STEPS):
        draft = await read_draft(runtime, link_id, draft_id)
        before = (draft.state, draft.attempt, draft.version)
        try:
            await _step(runtime, link_id, draft)
        except Overtaken:
            return await read_draft(runtime, link_id, draft_id)
        after = await read_draft(runtime, link_id, draft_id)
        if (after.state, after.attempt, after.version) == before:
            return after
    return await read_draft(runtime, link_id, draft_id)


async def read_draft(runtime: Runtime, link_id: LinkId, draft_id: object) -> Draft:
    """Read a draft of a link."""
    async with runtime.database.reading(link_id) as session:
        return await session.get_one(Draft, (link_id, draft_id))


async def _step(runtime: Runtime, link_id: LinkId, draft: Draft) -> None:
    now = runtime.clock()
    waits = draft.not_before is not None and draft.not_before > now
    match DraftState(draft.state):
        case DraftState.TAKEN:
            await _reserve(runtime, link_id, draft)
        case DraftState.RESERVED if not waits:
            await _send(runtime, link_id, draft)
        case DraftState.SENDING:
            await _doubt(runtime, link_id, draft, now)
        case DraftState.UNCONFIRMED if not waits:
            await look_for(runtime, link_id, draft)
        case _:
            return


async def _reserve(runtime: Runtime, link_id: LinkId, draft: Draft) -> None:
    """Hold the hours in Timerabbit, 500 a part; the keys make every part repeatable."""
    tracker = await open_time(runtime, link_id)
    versions = {EntryId(e): version for e, version in sorted(draft.versions.items())}
    ids = list(versions)
    held: list[tuple[int, str]] = []
    try:
        for part, start in enumerate(range(0, len(ids), PART), 1):
            chosen = {entry_id: versions[entry_id] for entry_id in ids[start : start + PART]}
            reservation = await tracker.reserve(
                RecordId(draft.customer_time_id), chosen,
                key=f"{draft.draft_id}-{part}", ttl_seconds=runtime.settings.transfer_ttl_seconds,
            )  # fmt: skip
            held.append((part, reservation.id))
    except EntriesTaken as taken:
        await _keep_parts(runtime, link_id, draft, held)
        conflicts = [{"entryId": c.id, "reason": c.reason} for c in taken.conflicts]
        await record_refused(runtime, draft, ["entries-taken"], {"conflicts": conflicts})
        return
    except (Unreachable, RateLimited, Unauthorised) as fault:
        await _wait(runtime, link_id, draft, fault)
        return
    await _keep_parts(runtime, link_id, draft, held)
    async with runtime.database.transaction(CommitPoint.DRAFT_RESERVED, link_id) as session:
        now = runtime.clock()
        await move(
            session, draft, DraftState.RESERVED, now=now, what="reserved", not_before=now,
            problem=None,
        )  # fmt: skip


async def _keep_parts(
    runtime: Runtime, link_id: LinkId, draft: Draft, held: list[tuple[int, str]]
) -> None:
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        for part, reservation_id in held:
            await session.merge(
                HeldHours(
                    link_id=link_id, draft_id=draft.draft_id, part=part,
                    reservation_id=reservation_id, completed=False,
                )
            )  # fmt: skip


async def _send(runtime: Runtime, link_id: LinkId, draft: Draft) -> None:
    """Send the one POST; what cannot be known to have had no effect is unknown."""
    attempt = await _begin_attempt(runtime, link_id, draft)
    try:
        books = await open_books(runtime, link_id)
        runtime.database.passing(CommitPoint.DRAFT_BEFORE_POST)
        remote = await books.create_draft(order_of(attempt.body))
        runtime.database.passing(CommitPoint.DRAFT_AFTER_POST)
    except Rejected as refusal:
        reasons = [reason.code for reason in refusal.reasons]
        await record_refused(runtime, attempt, reasons or ["refused"], {})
    except (RateLimited, Unauthorised) as fault:
        await _not_sent(runtime, link_id, attempt, fault)
    except Unreachable as fault:
        if fault.effect_possible:
            await _record_unknown(runtime, link_id, attempt)
        else:
            await _not_sent(runtime, link_id, attempt, fault)
    else:
        await record_created(runtime, attempt, remote, CommitPoint.DRAFT_CREATED, what="created")


async def _begin_attempt(runtime: Runtime, link_id: LinkId, draft: Draft) -> Draft:
    now = runtime.clock()
    deadline = now + timedelta(seconds=runtime.settings.draft_timeout_seconds * 2)
    async with runtime.database.transaction(CommitPoint.DRAFT_ATTEMPT, link_id) as session:
        if not await is_at_work(session, link_id, LinkState.ACTIVE):
            raise Overtaken  # paused or closed since the hours were reserved: nothing leaves
        await move(
            session, draft, DraftState.SENDING, now=now, what="sending",
            attempt=draft.attempt + 1, looks=0, not_before=deadline,
        )  # fmt: skip
        session.add(
            DraftAttempt(
                link_id=link_id, draft_id=draft.draft_id, number=draft.attempt + 1,
                started_at=now, deadline=deadline, outcome=None,
            )
        )  # fmt: skip
    return await read_draft(runtime, link_id, draft.draft_id)


async def _record_unknown(runtime: Runtime, link_id: LinkId, draft: Draft) -> None:
    now = runtime.clock()
    settle = timedelta(seconds=runtime.settings.settle_seconds)
    async with runtime.database.transaction(CommitPoint.DRAFT_UNKNOWN, link_id) as session:
        await move(
            session, draft, DraftState.UNCONFIRMED, now=now, what="outcome unknown",
            not_before=now + settle, problem="draft-unconfirmed",
        )  # fmt: skip
    runtime.metrics.drafts.labels("unknown").inc()


async def _not_sent(
    runtime: Runtime,
    link_id: LinkId,
    draft: Draft,
    fault: Unreachable | RateLimited | Unauthorised,
) -> None:
    """Go back to before the POST: it is proven that nothing was sent, or that it was refused."""
    now = runtime.clock()
    async with runtime.database.transaction(CommitPoint.DRAFT_REFUSED, link_id) as session:
        await move(
            session, draft, DraftState.RESERVED, now=now, what="not sent",
            not_before=now + _patience(fault), problem=_problem(fault),
        )  # fmt: skip
    await _pause_for(runtime, link_id, fault, books=True)


async def _doubt(runtime: Runtime, link_id: LinkId, draft: Draft, now: datetime) -> None:
    """Treat a sending draft whose time is over as unknown: its sender died."""
    async with runtime.database.reading(link_id) as session:
        running = await _attempt(session, draft)
    if running is None or running.deadline <= now:
        await _record_unknown(runtime, link_id, draft)


async def _attempt(session: AsyncSession, draft: Draft) -> DraftAttempt | None:
    return await session.scalar(
        select(DraftAttempt).where(
            DraftAttempt.link_id == draft.link_id,
            DraftAttempt.draft_id == draft.draft_id,
            DraftAttempt.number == draft.attempt,
        )
    )


async def _wait(
    runtime: Runtime,
    link_id: LinkId,
    draft: Draft,
    fault: Unreachable | RateLimited | Unauthorised,
) -> None:
    now = runtime.clock()
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await move(
            session, draft, DraftState(draft.state), now=now, what="waiting",
            not_before=now + _patience(fault), problem=_problem(fault),
        )  # fmt: skip
    await _pause_for(runtime, link_id, fault, books=False)
    raise Overtaken


def _patience(fault: Unreachable | RateLimited | Unauthorised) -> timedelta:
    if isinstance(fault, RateLimited):
        return timedelta(seconds=fault.retry_after)
    return RETRY


def _problem(fault: Unreachable | RateLimited | Unauthorised) -> str:
    return "system-access-refused" if isinstance(fault, Unauthorised) else "system-unreachable"


async def _pause_for(
    runtime: Runtime,
    link_id: LinkId,
    fault: Unreachable | RateLimited | Unauthorised,
    *,
    books: bool,
) -> None:
    if not isinstance(fault, Unauthorised) or fault.reason is AccessReason.PLAN:
        return
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        reason = pause_reason(fault.reason, books=books)
        await pause(session, link_id, reason=reason, now=runtime.clock())

"""
Take a draft as far as it goes: reserve, send once, and where the outcome is unknown, look.

Each step is a short transaction at its own commit point; between two steps there is at most one
call to another system. Whoever finds ``sending`` never sends: it may have been sent.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId
from app.database import CommitPoint
from app.invoicing.drafts.look import look_for
from app.invoicing.drafts.record import Overtaken, move, record_created, record_refused, set_due
from app.invoicing.drafts.reserve import hold_still, reserve
from app.invoicing.ledger.fate import WATCH
from app.invoicing.lines.shapes import order_of
from app.invoicing.store import Draft, DraftAttempt, DraftState
from app.links.change_state import pause
from app.links.lifecycle import pause_reason
from app.links.open_systems import open_books
from app.links.store import LinkState, is_at_work
from app.runtime import Runtime
from app.systems.ports import (
    AccessReason,
    NotFound,
    RateLimited,
    Rejected,
    Unauthorised,
    Unreachable,
)

_SOONEST: Final = timedelta(seconds=10)
_LATEST: Final = timedelta(minutes=5)
_MOST_STEPS: Final = 12


async def advance(runtime: Runtime, link_id: LinkId, draft_id: object) -> Draft:
    """
    Take a draft as far as it goes now and give it as it stands then.

    Safe to call again after any death and by several at once: a step that someone else made first
    is left to them.
    """
    draft = await read_draft(runtime, link_id, draft_id)
    for _ in range(_MOST_STEPS):
        before = (draft.state, draft.attempt, draft.version)
        try:
            await _step(runtime, link_id, draft)
        except Overtaken:
            return await _after_overtaken(runtime, link_id, draft_id)
        draft = await read_draft(runtime, link_id, draft_id)
        if (draft.state, draft.attempt, draft.version) == before:
            break
    return draft


async def _after_overtaken(runtime: Runtime, link_id: LinkId, draft_id: object) -> Draft:
    """
    Read where the draft is now; one that was set free meanwhile is looked at once more.

    The step that was overtaken may have held hours after they were set free.
    """
    draft = await read_draft(runtime, link_id, draft_id)
    if draft.state in (DraftState.REFUSED, DraftState.RELEASED):
        async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
            await set_due(session, draft, runtime.clock())
    return draft


async def read_draft(runtime: Runtime, link_id: LinkId, draft_id: object) -> Draft:
    """Read a draft of a link."""
    async with runtime.database.reading(link_id) as session:
        return await session.get_one(Draft, (link_id, draft_id))


async def _step(runtime: Runtime, link_id: LinkId, draft: Draft) -> None:
    now = runtime.clock()
    waits = draft.not_before is not None and draft.not_before > now
    match DraftState(draft.state):
        case DraftState.TAKEN:
            await _hold(runtime, link_id, draft, reserve)
        case DraftState.RESERVED if not waits:
            if await _hold(runtime, link_id, draft, hold_still):
                await _send(runtime, link_id, draft)
        case DraftState.SENDING:
            await _doubt(runtime, link_id, draft, now)
        case DraftState.UNCONFIRMED if not waits:
            await look_for(runtime, link_id, draft)
        case _:
            return


async def _hold(
    runtime: Runtime,
    link_id: LinkId,
    draft: Draft,
    deed: Callable[[Runtime, LinkId, Draft], Awaitable[bool | None]],
) -> bool:
    """Do what keeps the hours held; with the time system away the draft waits where it is."""
    async with runtime.database.reading(link_id) as session:
        await require_working(session, link_id)
    try:
        return bool(await deed(runtime, link_id, draft))
    except (Unreachable, RateLimited, Unauthorised) as fault:
        await _wait(runtime, link_id, draft, fault)
        return False


async def require_working(session: AsyncSession, link_id: LinkId) -> None:
    """
    Let nothing new begin for a link that was paused or closed meanwhile; resuming wakes the draft.

    Raises:
        Overtaken: The link does not work now.

    """
    if not await is_at_work(session, link_id, LinkState.ACTIVE):
        raise Overtaken


async def _send(runtime: Runtime, link_id: LinkId, draft: Draft) -> None:
    """Send the one POST; what cannot be known to have had no effect is unknown."""
    attempt = await _begin_attempt(runtime, link_id, draft)
    try:
        books = await open_books(runtime, link_id)
        _require_time(runtime, attempt)
        runtime.database.passing(CommitPoint.DRAFT_BEFORE_POST)
        remote = await books.create_draft(order_of(attempt.body))
        runtime.database.passing(CommitPoint.DRAFT_AFTER_POST)
    except (Rejected, NotFound) as refusal:
        reasons = refusal.reasons if isinstance(refusal, Rejected) else ()
        codes = [reason.code for reason in reasons]
        await record_refused(runtime, attempt, codes or ["customer-not-found"], {})
    except (RateLimited, Unauthorised) as fault:
        if isinstance(fault, Unauthorised) and fault.reason is AccessReason.PLAN:
            await record_refused(runtime, attempt, ["plan-lacks-feature"], {})
        else:
            await _not_sent(runtime, link_id, attempt, fault)
    except Unreachable as fault:
        if fault.effect_possible:
            await _record_unknown(runtime, link_id, attempt)
        else:
            await _not_sent(runtime, link_id, attempt, fault)
    else:
        await record_created(runtime, attempt, remote, CommitPoint.DRAFT_CREATED, what="created")


def _require_time(runtime: Runtime, attempt: Draft) -> None:
    """
    Send nothing that may land after others take this sender for dead: it stood still too long.

    Raises:
        Unreachable: Without effect: nothing was sent.

    """
    timeout = timedelta(seconds=runtime.settings.draft_timeout_seconds)
    if attempt.not_before is not None and runtime.clock() + timeout > attempt.not_before:
        raise Unreachable("the sender stood still before it sent", effect_possible=False)


async def _begin_attempt(runtime: Runtime, link_id: LinkId, draft: Draft) -> Draft:
    now = runtime.clock()
    deadline = now + timedelta(seconds=runtime.settings.draft_timeout_seconds * 2)
    watch_until = None if draft.watch_until is None else now + WATCH  # anew, for this POST too
    async with runtime.database.transaction(CommitPoint.DRAFT_ATTEMPT, link_id) as session:
        await require_working(session, link_id)
        await move(
            session, draft, DraftState.SENDING, now=now, what="sending",
            attempt=draft.attempt + 1, looks=0, not_before=deadline,
            watch_until=watch_until,
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
            not_before=now + settle, problem="draft-unconfirmed", watch_until=now + WATCH,
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
            not_before=now + patience(fault, now - draft.created_at), problem=_problem(fault),
        )  # fmt: skip
    await pause_for(runtime, link_id, fault, books=True)


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
            not_before=now + patience(fault, now - draft.created_at), problem=_problem(fault),
        )  # fmt: skip
    await pause_for(runtime, link_id, fault, books=False)
    raise Overtaken


def patience(fault: Unreachable | RateLimited | Unauthorised, age: timedelta) -> timedelta:
    """Say how long a draft of this age waits: longer the older it is, never less than asked for."""
    asked = timedelta(seconds=fault.retry_after) if isinstance(fault, RateLimited) else _SOONEST
    return max(asked, min(_LATEST, age / 4))


def _problem(fault: Unreachable | RateLimited | Unauthorised) -> str:
    return "system-access-refused" if isinstance(fault, Unauthorised) else "system-unreachable"


async def pause_for(
    runtime: Runtime,
    link_id: LinkId,
    fault: Unreachable | RateLimited | Unauthorised,
    *,
    books: bool,
) -> None:
    """Pause the link where a system does not let us in, so that a person is told once."""
    if not isinstance(fault, Unauthorised) or fault.reason is AccessReason.PLAN:
        return
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        reason = pause_reason(fault.reason, books=books)
        await pause(session, link_id, reason=reason, now=runtime.clock())

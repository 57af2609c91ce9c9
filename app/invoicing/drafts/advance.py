"""
Take a draft as far as it goes: reserve, send once, and where the outcome is unknown, look.

Each step is a short transaction at its own commit point; between two steps there is at most one
call to another system. Whoever finds ``sending`` never sends: it may have been sent.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId
from app.database import CommitPoint
from app.invoicing.drafts.elsewhere import find_elsewhere
from app.invoicing.drafts.look import LOOKS, ask_person, find_marked, look_for, take_found
from app.invoicing.drafts.record import Overtaken, move, record_created, record_refused, set_due
from app.invoicing.drafts.reserve import hold_still, reserve
from app.invoicing.drafts.wait import patience, pause_for, problem_of
from app.invoicing.ledger.fate import WATCH
from app.invoicing.lines.shapes import is_as_frozen, order_of
from app.invoicing.store import Draft, DraftAttempt, DraftState
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

_MOST_STEPS: Final = 12
_log = structlog.get_logger(__name__)


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
            made = not await _nothing_made(runtime, link_id, draft)
            if not made and await _hold(runtime, link_id, draft, hold_still):
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
        await _wait(runtime, link_id, draft, fault, books=False)
        return False


async def _nothing_made(runtime: Runtime, link_id: LinkId, draft: Draft) -> bool:
    """
    Look, before a POST that follows another, whether that one made the draft after all.

    Not where it is proven that nothing was sent before: then no mark is watched for.
    """
    if draft.watch_until is None:
        return True
    try:
        books = await open_books(runtime, link_id)
        found = await find_marked(runtime, books, draft)
        there = (await find_elsewhere(runtime, books, draft, found)).living()
    except (Rejected, NotFound):  # the customer is gone: the POST will be refused too
        return True
    except (Unreachable, RateLimited, Unauthorised) as fault:
        await _wait(runtime, link_id, draft, fault, books=True)
        return False
    if await take_found(runtime, link_id, draft, found):
        return False
    if there.as_drafts():  # a person moved what that POST made into another draft of ours
        await ask_person(runtime, link_id, draft, "draft-not-found", [])
    return not there.as_drafts()


async def require_working(session: AsyncSession, link_id: LinkId) -> None:
    """
    Let nothing new begin for a link that was paused or closed meanwhile; resuming wakes the draft.

    Raises:
        Overtaken: The link does not work now.

    """
    if not await is_at_work(session, link_id, LinkState.ACTIVE):
        raise Overtaken


async def _send(runtime: Runtime, link_id: LinkId, draft: Draft) -> None:
    """
    Send the one POST; what cannot be known to have had no effect is unknown.

    A body that is not the one a person was shown is never sent.
    """
    if not is_as_frozen(draft.body, draft.body_hash):
        _log.error("draft is not as frozen", link_id=str(link_id), draft_id=str(draft.draft_id))
        await ask_person(runtime, link_id, draft, "draft-altered", [])
        return
    attempt = await _begin_attempt(runtime, link_id, draft)
    sent = False
    try:
        books = await open_books(runtime, link_id)
        _require_time(runtime, attempt)
        runtime.database.passing(CommitPoint.DRAFT_BEFORE_POST)
        sent = True
        remote = await books.create_draft(order_of(draft.body))
        runtime.database.passing(CommitPoint.DRAFT_AFTER_POST)
    except (Rejected, NotFound) as refusal:
        reasons = refusal.reasons if isinstance(refusal, Rejected) else ()
        codes = [reason.code for reason in reasons]
        await record_refused(runtime, attempt, codes or ["customer-not-found"], {})
    except (RateLimited, Unauthorised) as fault:
        if isinstance(fault, Unauthorised) and fault.reason is AccessReason.PLAN:
            await record_refused(runtime, attempt, ["plan-lacks-feature"], {})
        else:
            await _not_made(runtime, link_id, attempt, fault, sent=sent)
    except Unreachable as fault:
        if fault.effect_possible:
            await _record_unknown(runtime, link_id, attempt)
        else:
            await _not_made(runtime, link_id, attempt, fault, sent=False)
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


async def _not_made(
    runtime: Runtime,
    link_id: LinkId,
    draft: Draft,
    fault: Unreachable | RateLimited | Unauthorised,
    *,
    sent: bool,
) -> None:
    """
    Go back to before the POST: nothing was sent, or the caller was refused.

    A refusal of the caller says that nothing was made and does not prove it. The next POST waits
    for as long as what was made all the same may be hidden, and looks for it first.
    """
    now = runtime.clock()
    wait, watch_until = patience(fault, now - draft.created_at), draft.watch_until
    if sent and not (isinstance(fault, RateLimited) and not fault.sent):
        wait = max(wait, LOOKS * timedelta(seconds=runtime.settings.settle_seconds))
        watch_until = now + WATCH
    async with runtime.database.transaction(CommitPoint.DRAFT_REFUSED, link_id) as session:
        await move(
            session, draft, DraftState.RESERVED, now=now, what="not sent",
            not_before=now + wait, problem=problem_of(fault), watch_until=watch_until,
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
    *,
    books: bool,
) -> None:
    now = runtime.clock()
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await move(
            session, draft, DraftState(draft.state), now=now, what="waiting",
            not_before=now + patience(fault, now - draft.created_at), problem=problem_of(fault),
        )  # fmt: skip
    await pause_for(runtime, link_id, fault, books=books)
    raise Overtaken

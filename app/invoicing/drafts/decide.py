"""Do what a person decided about a draft: send again, set free, name its invoice, mark again."""

from collections.abc import Awaitable, Iterable, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId
from app.database import CommitPoint
from app.invoicing.drafts.advance import advance, read_draft
from app.invoicing.drafts.come_late import TWICE
from app.invoicing.drafts.complete import finish_hours
from app.invoicing.drafts.elsewhere import require_not_elsewhere
from app.invoicing.drafts.follow import follow_draft
from app.invoicing.drafts.look import (
    INVOICE,
    LOOKS,
    Marked,
    find_marked,
    made_since_it_stood,
    take_found,
)
from app.invoicing.drafts.record import Overtaken, make_due, move, move_unchanged
from app.invoicing.drafts.seen import BY_PERSON, MISSING_SINCE, lines_known
from app.invoicing.ledger.corrections import follow_ups_upon, gave_back_from
from app.invoicing.ledger.fate import (
    OFFERS_RELEASE,
    WATCH,
    Fate,
    alike,
    fate_of_invoice,
    next_search,
)
from app.invoicing.ledger.in_books import IN_DRAFT
from app.invoicing.ledger.ledger import free_hours
from app.invoicing.ledger.places import STANDING, fate_of, offers_release
from app.invoicing.store import Draft, DraftState
from app.links.open_systems import open_books
from app.problems import Problem
from app.runtime import Runtime
from app.systems.ports import AccountingSystem, NotFound, Rejected, RemoteInvoice

_RELEASABLE = STANDING | {DraftState.NEEDS_PERSON, DraftState.TAKEN, DraftState.RESERVED}


async def send_again(runtime: Runtime, link_id: LinkId, draft: Draft, *, by: str) -> Draft:
    """
    Send once more because a person looked and says so; the books are asked before, always.

    A draft that turns up at that look is taken instead of sending, however late it is.

    Raises:
        Problem: ``draft-state`` where no person is asked, or where two drafts were found,
            ``draft-holds-hours`` where a person moved its lines into another draft of ours.

    """
    if draft.state != DraftState.NEEDS_PERSON:
        raise Problem("draft-state", state=draft.state)
    await _once(follow_draft(runtime, link_id, draft))
    draft = await read_draft(runtime, link_id, draft.draft_id)
    if draft.state == DraftState.NEEDS_PERSON:
        if draft.books_ids:
            raise Problem("draft-state", state=draft.state)
        await require_not_elsewhere(runtime, await open_books(runtime, link_id), draft, found=None)
        now = runtime.clock()
        async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
            await _moved(
                session, draft, DraftState.RESERVED, now=now, what="send again", not_before=now,
                problem=None, next_look=None, facts={"by": by},
            )  # fmt: skip
    after = await advance(runtime, link_id, draft.draft_id)
    if after.state in (DraftState.CREATED, DraftState.REFUSED):
        await finish_hours(runtime, link_id, after)
    return await read_draft(runtime, link_id, draft.draft_id)


async def release_hours(
    runtime: Runtime, link_id: LinkId, draft: Draft, *, reason: str, by: str, looked: bool
) -> Draft:
    """
    Set a draft's hours free, once, where no draft and no living invoice in the books holds them.

    Args:
        looked: A person looked in the books and says that no invoice without the mark is this
            draft's; without it such an invoice refuses the release.

    Raises:
        Problem: ``draft-state`` while something is under way, ``draft-holds-hours`` while the
            books still have the draft or an invoice of it, ``draft-just-gone`` for as long as its
            invoice may not be listed yet, ``draft-may-be-invoiced`` where an
            invoice without the mark may be it, ``follow-up-holds-hours`` while a follow-up
            bills a difference of its hours, ``follow-up-gave-hours-back`` for one that set hours
            free whose first invoice still stands.

    """
    if draft.state not in _RELEASABLE:
        raise Problem("draft-state", state=draft.state)
    if draft.books_ids and not offers_release(draft):
        await _once(follow_draft(runtime, link_id, draft))
        draft = await read_draft(runtime, link_id, draft.draft_id)
        if draft.state not in _RELEASABLE:
            raise Problem("draft-state", state=draft.state)
    _require_shown(runtime, draft)
    await _require_absent(runtime, link_id, draft, looked=looked)
    now = runtime.clock()
    watch = _watch(runtime, draft, now)
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await _moved(
            session, draft, DraftState.RELEASED, unchanged=True, now=now, what="released",
            not_before=now, facts={"reason": reason, "by": by}, problem=None, **watch,
        )  # fmt: skip
        await _require_no_follow_up(session, draft)
        await free_hours(session, draft, now=now)
        if watch:
            await make_due(session, link_id, watch["next_look"])
    await finish_hours(runtime, link_id, await read_draft(runtime, link_id, draft.draft_id))
    return await read_draft(runtime, link_id, draft.draft_id)


def _watch(runtime: Runtime, draft: Draft, now: datetime) -> dict[str, Any]:
    """Watch for what may yet turn up with the mark of a draft that was sent at least once."""
    if not draft.attempt:
        return {}
    settle = timedelta(seconds=runtime.settings.settle_seconds)
    return {"watch_until": now + WATCH, "next_look": next_search(now, now=now, settle=settle)}


async def name_invoice(
    runtime: Runtime, link_id: LinkId, draft: Draft, *, invoice_id: str, by: str
) -> Draft:
    """
    Keep which invoice a draft became, because a person says so (the mark was edited away).

    So can be said of one that was sent and never found: its lines may stand in another draft.

    Raises:
        Problem: ``draft-state`` for a draft that never stood in the books, ``not-found`` for an
            invoice that is not there or is another customer's.

    """
    sought = draft.state == DraftState.NEEDS_PERSON and draft.attempt and not draft.books_ids
    if draft.state not in STANDING and not sought:
        raise Problem("draft-state", state=draft.state)
    books = await open_books(runtime, link_id)
    invoice = await books.read_invoice(invoice_id)
    given_to = {draft.customer_books_id, (draft.invoice or {}).get("customerId")}
    if invoice is None or invoice.customer_id not in given_to:
        raise Problem("not-found")
    if sought:
        await take_found(runtime, link_id, draft, Marked(invoices=(invoice,)))
        draft = await read_draft(runtime, link_id, draft.draft_id)
    now = runtime.clock()
    seen = {"what": fate_of_invoice(invoice).value, "id": invoice.id, "by": BY_PERSON}
    problem = TWICE if draft.problem == TWICE else None  # what else has the mark is looked at
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await _moved(
            session, draft, DraftState(draft.state), now=now, what="invoice named", invoice=seen,
            facts={"invoiceId": invoice.id, "by": by}, problem=problem, next_look=now,
        )  # fmt: skip
        await make_due(session, link_id, now)
    return await look_now(runtime, link_id, await read_draft(runtime, link_id, draft.draft_id))


async def look_now(runtime: Runtime, link_id: LinkId, draft: Draft) -> Draft:
    """Look at a draft in the books now, and try once more to mark its hours where that waits."""
    if draft.state == DraftState.CREATED:
        await finish_hours(runtime, link_id, draft)
        draft = await read_draft(runtime, link_id, draft.draft_id)
    await _once(follow_draft(runtime, link_id, draft))
    return await read_draft(runtime, link_id, draft.draft_id)


async def _once(deed: Awaitable[None]) -> None:
    try:
        await deed
    except Overtaken:
        return


async def _require_no_follow_up(session: AsyncSession, draft: Draft) -> None:
    """
    Let an hour go only with all that was billed of it: its differences first, then the whole.

    Within the transaction that moved the draft: a follow-up being taken waits for it, or it for it.
    """
    link_id = LinkId(draft.link_id)
    upon = await follow_ups_upon(session, link_id, draft)
    if upon:
        raise Problem("follow-up-holds-hours", draft=upon[0])
    for first_id in await gave_back_from(session, link_id, draft.draft_id):
        first = await session.get_one(Draft, (link_id, first_id))
        if first.state in STANDING and fate_of(first) is not Fate.CREDITED:
            raise Problem("follow-up-gave-hours-back", draft=first_id)


def _require_shown(runtime: Runtime, draft: Draft) -> None:
    """Free nothing while a POST whose caller was refused may have made what no list shows yet."""
    if draft.state != DraftState.RESERVED or draft.watch_until is None:
        return
    hidden = LOOKS * timedelta(seconds=runtime.settings.settle_seconds)
    left = draft.watch_until - WATCH + hidden - runtime.clock()
    if left > timedelta(0):
        wait = {"Retry-After": str(ceil(left.total_seconds()))}
        raise Problem("draft-state", headers=wait, state=draft.state)


def _require_gone(runtime: Runtime, draft: Draft, *, looked: bool) -> None:
    """Free nothing before the draft has been gone for longer than the books' lists may lag."""
    seen, fate = draft.invoice or {}, fate_of(draft)
    if fate is Fate.MISSING:
        now = runtime.clock()
        since = datetime.fromisoformat(seen.get(MISSING_SINCE) or now.isoformat())
        left = since + timedelta(seconds=runtime.settings.settle_seconds) - now
        seconds = max(1, ceil(left.total_seconds()))
        raise Problem("draft-just-gone", headers={"Retry-After": str(seconds)}, seconds=seconds)
    if fate is Fate.UNCLEAR and not looked:
        raise Problem("draft-may-be-invoiced", more={"candidates": seen.get("candidates", [])})
    if fate is not Fate.UNCLEAR and fate not in OFFERS_RELEASE:
        held_by = seen.get("number") or seen.get("id") or seen.get(IN_DRAFT) or draft.books_ids[0]
        raise Problem("draft-holds-hours", draft=held_by)


async def _require_absent(runtime: Runtime, link_id: LinkId, draft: Draft, *, looked: bool) -> None:
    if draft.state in STANDING:
        _require_gone(runtime, draft, looked=looked)
    books = await open_books(runtime, link_id)
    named = (draft.invoice or {}).get("id")
    await _require_none_known(books, draft)
    try:
        found = await find_marked(runtime, books, draft)
    except (Rejected, NotFound):  # the customer is gone too: only a person can say
        await require_not_elsewhere(runtime, books, draft, None)
        _require_looked([], looked=looked)
        return
    _require_none_marked(found)
    await require_not_elsewhere(runtime, books, draft, found)
    if draft.attempt:  # of what was never sent no invoice can be made
        others = await made_since_it_stood(books, draft, found)
        _require_none_alike(draft, others, named, looked=looked)


async def _require_none_known(books: AccountingSystem, draft: Draft) -> None:
    named = (draft.invoice or {}).get("id")
    numbers = [one.removeprefix(INVOICE) for one in draft.books_ids if one.startswith(INVOICE)]
    for number in dict.fromkeys((*([named] if named else []), *numbers)):
        invoice = await books.read_invoice(number)
        if invoice is not None and _living([invoice]):
            raise Problem("draft-holds-hours", draft=invoice.number or number)
    for books_id in draft.books_ids:
        if not books_id.startswith(INVOICE) and await books.read_draft(books_id) is not None:
            raise Problem("draft-holds-hours", draft=books_id)


def _require_none_marked(found: Marked) -> None:
    if found.drafts:
        raise Problem("draft-holds-hours", draft=found.drafts[0].id)
    for invoice in _living(found.invoices):
        raise Problem("draft-holds-hours", draft=invoice.number or invoice.id)


def _require_none_alike(
    draft: Draft, others: Sequence[RemoteInvoice], named: str | None, *, looked: bool
) -> None:
    like = alike(lines_known(draft), others)
    candidates = [one for one in _living((*like.sure, *like.possible)) if one.id != named]
    if candidates:
        _require_looked(candidates, looked=looked)


def _require_looked(candidates: Sequence[RemoteInvoice], *, looked: bool) -> None:
    if not looked:
        told = [{"invoiceId": i.id, "number": i.number, "netOre": i.net} for i in candidates]
        raise Problem("draft-may-be-invoiced", more={"candidates": told})


def _living(invoices: Iterable[RemoteInvoice]) -> list[RemoteInvoice]:
    """Leave out the credited ones: they hold no hour any more."""
    return [one for one in invoices if fate_of_invoice(one) is not Fate.CREDITED]


async def _moved(
    session: AsyncSession,
    draft: Draft,
    target: DraftState,
    *,
    unchanged: bool = False,
    **values: Any,  # noqa: ANN401 - columns of the draft
) -> None:
    """Move a draft; ``unchanged``: only as it was read, since what was read decides."""
    try:
        await (move_unchanged if unchanged else move)(session, draft, target, **values)
    except Overtaken:
        raise Problem("draft-state", state="changed") from None

"""Look for a draft whose outcome is unknown.

By its mark in a line's text, never by sending again.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from sqlalchemy import select

from app.canonical import LinkId, RecordId
from app.database import CommitPoint
from app.invoicing.mark import marks_in
from app.invoicing.record import move, record_created
from app.invoicing.store import Draft, DraftState
from app.links.open_systems import open_books
from app.runtime import Runtime
from app.systems.ports import (
    AccountingSystem,
    NotFound,
    RateLimited,
    Rejected,
    RemoteDraft,
    RemoteInvoice,
    RemoteLine,
    Unauthorised,
    Unreachable,
)

LOOKS: Final = 3
"""Empty looks, each a settle time apart, after which a person decides."""

_DAY: Final = timedelta(days=1)


async def look_for(runtime: Runtime, link_id: LinkId, draft: Draft) -> None:
    """
    Look once: one draft with the mark is adopted, none waits for the next look, two are shown.

    An invoice with the mark counts too: the person in Conta may have sent the draft already.
    """
    try:
        books = await open_books(runtime, link_id)
        found = await find_marked(runtime, books, draft)
    except (Unreachable, RateLimited, Unauthorised):
        await _look_again(runtime, link_id, draft, looks=draft.looks)
        return
    except (Rejected, NotFound):  # the customer is gone from the books: no list can be read of it
        await _ask(runtime, link_id, draft, "draft-not-found", [])
        return
    if len(found) == 1:
        await record_created(runtime, draft, found[0], CommitPoint.DRAFT_ADOPTED, what="adopted")
        runtime.metrics.drafts.labels("adopted").inc()
    elif found:
        await _ask(runtime, link_id, draft, "duplicate-draft", [one.id for one in found])
    elif draft.looks + 1 >= LOOKS:
        await _ask(runtime, link_id, draft, "draft-not-found", [])
    else:
        await _look_again(runtime, link_id, draft, looks=draft.looks + 1)


async def find_marked(runtime: Runtime, books: AccountingSystem, draft: Draft) -> list[RemoteDraft]:
    """Find what carries the draft's mark among the customer's drafts and invoices."""
    customer = RecordId(draft.customer_books_id)
    since = (draft.created_at - _DAY).date()
    known = await _known_elsewhere(runtime, draft)
    found: list[RemoteDraft] = []
    for draft_id in await books.draft_ids(customer, since=since):
        if draft_id not in known:
            remote = await books.read_draft(draft_id)
            if remote is not None and _carries(remote.lines, draft.mark):
                found.append(remote)
    for invoice_id in await books.invoice_ids(customer, since=since):
        invoice = await books.read_invoice(invoice_id)
        if invoice is not None and _carries(invoice.lines, draft.mark):
            found.append(_as_draft(invoice))
    return found


async def _known_elsewhere(runtime: Runtime, draft: Draft) -> frozenset[str]:
    """Read the ids that other drafts of ours have in the books; they need not be read again."""
    link_id = LinkId(draft.link_id)
    async with runtime.database.reading(link_id) as session:
        rows = await session.scalars(
            select(Draft.books_ids).where(
                Draft.link_id == link_id,
                Draft.customer_books_id == draft.customer_books_id,
                Draft.draft_id != draft.draft_id,
            )
        )
    return frozenset(books_id for ids in rows for books_id in ids)


def _carries(lines: Iterable[RemoteLine], mark: str) -> bool:
    return any(mark in marks_in(line.text) for line in lines)


def _as_draft(invoice: RemoteInvoice) -> RemoteDraft:
    return RemoteDraft(
        id=f"invoice:{invoice.id}", customer_id=invoice.customer_id, lines=invoice.lines,
        net=invoice.net, vat=None, total=invoice.total,
    )  # fmt: skip


async def _look_again(runtime: Runtime, link_id: LinkId, draft: Draft, *, looks: int) -> None:
    now = runtime.clock()
    settle = timedelta(seconds=runtime.settings.settle_seconds)
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await move(
            session, draft, DraftState.UNCONFIRMED, now=now, what="looked", looks=looks,
            not_before=now + settle,
        )  # fmt: skip


async def _ask(
    runtime: Runtime, link_id: LinkId, draft: Draft, problem: str, books_ids: list[str]
) -> None:
    now = runtime.clock()
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await move(
            session, draft, DraftState.NEEDS_PERSON, now=now, what=problem, problem=problem,
            books_ids=books_ids, not_before=None,
        )  # fmt: skip

"""See where a draft is in the books now: itself, the invoice it became, or among others' lines."""

from datetime import datetime, timedelta
from typing import Any

from app.invoicing.drafts.elsewhere import find_elsewhere
from app.invoicing.drafts.look import INVOICE, Marked, find_marked, made_since_it_stood, marks_on
from app.invoicing.drafts.seen import BY_PERSON, gone, of_draft, of_invoice, without_mark
from app.invoicing.ledger.in_books import IN_DRAFT
from app.invoicing.store import Draft
from app.runtime import Runtime
from app.systems.ports import AccountingSystem, NotFound, Rejected, RemoteDraft


async def search(runtime: Runtime, books: AccountingSystem, draft: Draft) -> Marked | None:
    """Search by the mark; ``None`` where the books no longer have the customer to search."""
    try:
        return await find_marked(runtime, books, draft)
    except (Rejected, NotFound):
        return None


async def look_at(
    runtime: Runtime,
    books: AccountingSystem,
    draft: Draft,
    found: Marked | None,
    *,
    now: datetime,
) -> dict[str, Any]:
    """
    Read the draft, or the invoice it became; where both are gone, search once.

    Args:
        found: What a search found just before.

    """
    invoice_id = (draft.invoice or {}).get("id") or _adopted_invoice(draft)
    if invoice_id is not None:
        by = (draft.invoice or {}).get("by", "mark")
        invoice = await books.read_invoice(invoice_id)
        if invoice is not None:
            return of_invoice(draft, invoice, by=by)
        if by == BY_PERSON and draft.invoice is not None:
            return dict(draft.invoice)  # what a person said is not taken back by a look
    standing = await _standing(books, draft)
    if standing is not None:
        return of_draft(draft, standing, now=now)
    return await _gone(runtime, books, draft, found or await search(runtime, books, draft), now=now)


async def _gone(
    runtime: Runtime, books: AccountingSystem, draft: Draft, found: Marked | None, *, now: datetime
) -> dict[str, Any]:
    """Say what became of a draft that is gone, by what else carries its mark."""
    if found is not None and found.invoices:
        return of_invoice(draft, found.invoices[0], by="mark")
    there = await find_elsewhere(runtime, books, draft, found)
    if there.drafts:
        return of_draft(draft, there.drafts[0], now=now)
    if there.invoices:
        return of_invoice(draft, (*there.living().invoices, *there.invoices)[0], by="mark")
    settle = timedelta(seconds=runtime.settings.settle_seconds)
    if found is None:
        return gone(draft, [], now=now, settle=settle)
    others = await made_since_it_stood(books, draft, found)
    return without_mark(draft, others, now=now, settle=settle)


def _adopted_invoice(draft: Draft) -> str | None:
    first = draft.books_ids[0] if draft.books_ids else ""
    return first.removeprefix(INVOICE) if first.startswith(INVOICE) else None


async def _standing(books: AccountingSystem, draft: Draft) -> RemoteDraft | None:
    """Read the draft, or the one that its lines were last seen in and still are."""
    own = await books.read_draft(draft.books_ids[0])
    moved_to = (draft.invoice or {}).get(IN_DRAFT)
    if own is not None or moved_to is None:
        return own
    other = await books.read_draft(moved_to)
    return other if other is not None and draft.mark in marks_on(other.lines) else None

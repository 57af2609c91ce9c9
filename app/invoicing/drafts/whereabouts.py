"""See where a draft is in the books now: itself, the invoice it became, or among others' lines."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from app.invoicing.drafts.elsewhere import find_elsewhere
from app.invoicing.drafts.look import INVOICE, Marked, find_marked, made_since_it_stood, marks_on
from app.invoicing.drafts.seen import (
    BY_PERSON,
    gone,
    of_draft,
    of_invoice,
    was_shared,
    without_mark,
)
from app.invoicing.ledger.fate import Fate, fate_of_invoice
from app.invoicing.ledger.in_books import IN_DRAFT
from app.invoicing.store import Draft
from app.runtime import Runtime
from app.systems.ports import AccountingSystem, NotFound, Rejected, RemoteDraft, RemoteInvoice


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
) -> tuple[dict[str, Any], Marked | None]:
    """
    Read the draft, or the invoice it became; where nothing known lives, search once.

    What lives decides: a credited invoice says nothing while another thing carries the mark.

    Args:
        found: What a search found just before; given back, or what was found here.

    """
    invoice_id = (draft.invoice or {}).get("id") or _adopted_invoice(draft)
    by = (draft.invoice or {}).get("by", "mark")
    invoice = None if invoice_id is None else await books.read_invoice(invoice_id)
    if invoice is not None and fate_of_invoice(invoice) is not Fate.CREDITED:
        return of_invoice(draft, invoice, by=by), found
    if invoice_id is not None and invoice is None and by == BY_PERSON and draft.invoice is not None:
        return dict(draft.invoice), found  # what a person said is not taken back by a look
    standing = await _standing(books, draft)
    if standing is not None:
        return of_draft(draft, standing, now=now), found
    found = found or await search(runtime, books, draft)
    there = await _with_mark(runtime, books, draft, found)
    if there is None:
        seen = (
            await _gone(runtime, books, draft, found, now=now)
            if invoice is None
            else of_invoice(draft, invoice, by=by)
        )
    elif isinstance(there, RemoteDraft):
        seen = of_draft(draft, there, now=now)
    else:
        seen = of_invoice(draft, there, by="mark")
    return seen, found


async def _with_mark(
    runtime: Runtime, books: AccountingSystem, draft: Draft, found: Marked | None
) -> RemoteInvoice | RemoteDraft | None:
    """Give what carries the mark: what lives before what was credited, its own before others'."""
    own = found or Marked()
    living = own.living()
    left: list[RemoteInvoice | RemoteDraft] = [*living.invoices, *living.drafts]
    if not left:
        there = await find_elsewhere(runtime, books, draft, found)
        living = there.living()
        left += [*living.invoices, *living.drafts, *own.invoices, *there.invoices]
    return left[0] if left else None


async def _gone(
    runtime: Runtime, books: AccountingSystem, draft: Draft, found: Marked | None, *, now: datetime
) -> dict[str, Any]:
    """Say what became of a draft that is gone, where nothing carries its mark."""
    settle = timedelta(seconds=runtime.settings.settle_seconds)
    if found is None:
        return gone(draft, [], now=now, settle=settle)
    if was_shared(draft):  # the other draft may have claimed the invoice that both became
        there = await find_elsewhere(runtime, books, draft, found)
        found = replace(found, others=(*found.others, *there.others))
    others = await made_since_it_stood(books, draft, found)
    return without_mark(draft, others, now=now, settle=settle)


def _adopted_invoice(draft: Draft) -> str | None:
    first = draft.books_ids[0] if draft.books_ids else ""
    return first.removeprefix(INVOICE) if first.startswith(INVOICE) else None


async def _standing(books: AccountingSystem, draft: Draft) -> RemoteDraft | None:
    """Read the draft, or the one that its lines were last seen in and still are."""
    first = draft.books_ids[0]
    own = None if first.startswith(INVOICE) else await books.read_draft(first)
    moved_to = (draft.invoice or {}).get(IN_DRAFT)
    if own is not None or moved_to is None:
        return own
    other = await books.read_draft(moved_to)
    return other if other is not None and draft.mark in marks_on(other.lines) else None

"""Read the lines that a draft, or the invoice it became, has in the books now."""

from typing import Final

from app.canonical import LinkId
from app.invoicing.ledger.fate import Fate, fate_of_invoice
from app.invoicing.store import Draft
from app.links.open_systems import open_books
from app.runtime import Runtime
from app.systems.ports import RemoteLine

IN_DRAFT: Final = "contaDraftId"
"""Names, in what was last seen, the draft in the books that a draft's lines were moved into."""


async def lines_in_books(
    runtime: Runtime, link_id: LinkId, draft: Draft
) -> tuple[RemoteLine, ...] | None:
    """
    Read the lines; ``None`` where nothing of the draft lives there as far as is known.

    A draft that was sent is known as its invoice from the next look on.
    """
    books = await open_books(runtime, link_id)
    kind, _, number = draft.books_ids[0].rpartition(":")  # "invoice:…" was found sent already
    named = (draft.invoice or {}).get("id") or (number if kind else None)
    if named is not None:
        invoice = await books.read_invoice(named)
        if invoice is not None and fate_of_invoice(invoice) is not Fate.CREDITED:
            return tuple(invoice.lines)
    moved_to = (draft.invoice or {}).get(IN_DRAFT)
    remote = None if kind else await books.read_draft(moved_to or number)
    return None if remote is None else tuple(remote.lines)

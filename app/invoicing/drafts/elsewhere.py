"""
Find where a draft's lines live that a person moved into another draft of ours in the books.

None of it is the draft's own, so it is never adopted; but its hours are billed there.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import or_, select

from app.canonical import LinkId
from app.invoicing.drafts.look import INVOICE, Marked, customers_of, invoice_prefixed, marks_on
from app.invoicing.drafts.seen import ALSO_MARKS
from app.invoicing.ledger.fate import OFFERS_RELEASE, Fate
from app.invoicing.store import Draft
from app.problems import Problem
from app.runtime import Runtime
from app.systems.ports import AccountingSystem


async def find_elsewhere(
    runtime: Runtime, books: AccountingSystem, draft: Draft, found: Marked | None
) -> Marked:
    """
    Find the draft's mark in what other drafts of ours have in the books.

    Read are the drafts that stand for its customers, those that were last seen with its mark, and
    what a search passed over. An older invoice is not: nothing is moved into one.

    Args:
        found: What a search found before; ``None`` where the books could not be searched.

    """
    ids = {*await _standing(runtime, draft), *(found.passed_over if found else ())}
    drafts = [await books.read_draft(one) for one in sorted(ids) if not one.startswith(INVOICE)]
    numbers = [one.removeprefix(INVOICE) for one in sorted(ids) if one.startswith(INVOICE)]
    invoices = [await books.read_invoice(number) for number in numbers]
    return Marked(
        drafts=tuple(one for one in drafts if one and draft.mark in marks_on(one.lines)),
        invoices=tuple(one for one in invoices if one and draft.mark in marks_on(one.lines)),
        others=tuple(one for one in invoices if one and not marks_on(one.lines)),
    )


async def require_not_elsewhere(
    runtime: Runtime, books: AccountingSystem, draft: Draft, found: Marked | None
) -> None:
    """
    Refuse where the draft's hours stand among another draft's lines in the books.

    Raises:
        Problem: ``draft-holds-hours`` with the draft or invoice that has them.

    """
    there = (await find_elsewhere(runtime, books, draft, found)).living()
    held_by = [*(one.id for one in there.drafts), *(i.number or i.id for i in there.invoices)]
    if held_by:
        raise Problem("draft-holds-hours", draft=held_by[0])


async def _standing(runtime: Runtime, draft: Draft) -> frozenset[str]:
    """Read the ids of the other drafts of ours that the lines may have been moved into."""
    link_id = LinkId(draft.link_id)
    seen_there = Draft.invoice[ALSO_MARKS]
    async with runtime.database.reading(link_id) as session:
        rows = await session.execute(
            select(Draft.books_ids, Draft.invoice, seen_there.contains([draft.mark])).where(
                Draft.link_id == link_id,
                Draft.draft_id != draft.draft_id,
                or_(
                    Draft.customer_books_id.in_(customers_of(draft)),
                    seen_there.contains([draft.mark]),
                ),
            )
        )
    return frozenset(
        one for ids, seen, with_mark in rows for one in _may_hold(ids, seen or {}, bool(with_mark))
    )


def _may_hold(books_ids: Iterable[str], seen: Mapping[str, Any], with_mark: bool) -> Iterable[str]:
    """Give what a draft may stand as; of its invoice only where the mark was seen there."""
    invoice_id = seen.get("id")
    if invoice_id is not None:
        return [invoice_prefixed(invoice_id)] if with_mark else []
    if Fate(seen.get("what", Fate.OPEN)) in OFFERS_RELEASE:
        return []
    return [one for one in books_ids if with_mark or not one.startswith(INVOICE)]

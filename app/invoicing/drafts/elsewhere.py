"""
Find where a draft's lines live that a person moved into another draft of ours in the books.

None of it is the draft's own, so it is never adopted; but its hours are billed there.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, cast, func, or_, select, true

from app.canonical import LinkId
from app.database import Instant
from app.invoicing.drafts.look import (
    INVOICE,
    STOOD_AT,
    Marked,
    customers_of,
    invoice_prefixed,
    marks_on,
)
from app.invoicing.drafts.seen import ALSO_MARKS, MISSING_SINCE, standing_lines
from app.invoicing.ledger.fate import OFFERS_RELEASE, Fate, fate_of_invoice, taken_out
from app.invoicing.ledger.in_books import IN_DRAFT
from app.invoicing.ledger.places import STANDING, fate_of
from app.invoicing.lines.mark import marks_in, without_mark
from app.invoicing.store import Draft
from app.problems import Problem
from app.runtime import Runtime
from app.systems.ports import AccountingSystem, RemoteLine

_STILL_DRAFTS: Final = frozenset({Fate.OPEN, Fate.EDITED})
_AT_MOST: Final = 40
"""How many drafts of other customers a person's decision reads; one call each."""


async def find_elsewhere(
    runtime: Runtime,
    books: AccountingSystem,
    draft: Draft,
    found: Marked | None,
    *,
    also: Collection[str] = (),
) -> Marked:
    """
    Find the draft's mark in what other drafts of ours have in the books.

    Read are the drafts that stand for its customers, those that were last seen with its mark, and
    what a search passed over. An older invoice is not: nothing is moved into one.

    Args:
        found: What a search found before; ``None`` where the books could not be searched.
        also: Ids of drafts in the books to read beside these.

    """
    ids = {*also, *await _standing(runtime, draft), *(found.passed_over if found else ())}
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

    Read is also what stands for other customers and was not looked at since the draft was gone.

    Raises:
        Problem: ``draft-holds-hours`` with the draft or invoice that has them.

    """
    unseen = await _not_seen_since(runtime, draft)
    there = (await find_elsewhere(runtime, books, draft, found, also=unseen)).living()
    held_by = [*(one.id for one in there.drafts), *(i.number or i.id for i in there.invoices)]
    if held_by:
        raise Problem("draft-holds-hours", draft=held_by[0])


async def require_lines_not_elsewhere(
    runtime: Runtime, books: AccountingSystem, draft: Draft, lines: Sequence[Mapping[str, Any]]
) -> None:
    """
    Refuse where a person pasted lines of the draft into another draft of ours in the books.

    A single line seldom has the mark, so it is known by its text and net too; what the other draft
    had from the start is its own and refuses nothing.

    Raises:
        Problem: ``draft-holds-hours`` with the draft or invoice that has one of them.

    """
    seen = draft.invoice or {}  # what its own lines were read from was compared before
    own = {*draft.books_ids, seen.get(IN_DRAFT), f"{INVOICE}{seen.get('id')}"}
    for one, draft_id in sorted((await _standing(runtime, draft)).items()):
        theirs = () if one in own else await _lines_of(books, one)
        if not theirs:
            continue
        async with runtime.database.reading(LinkId(draft.link_id)) as session:
            other = await session.get_one(Draft, (draft.link_id, draft_id))
        strange = taken_out([*standing_lines(other).values()], theirs)[1]
        if any(draft.mark in marks_in(o.text) or _is_one_of(o, lines) for o in strange):
            raise Problem("draft-holds-hours", draft=one.removeprefix(INVOICE))


async def _lines_of(books: AccountingSystem, one: str) -> Sequence[RemoteLine]:
    """Read the lines of a draft or an invoice; none where it is gone or credited."""
    if not one.startswith(INVOICE):
        remote = await books.read_draft(one)
        return () if remote is None else remote.lines
    invoice = await books.read_invoice(one.removeprefix(INVOICE))
    living = invoice is not None and fate_of_invoice(invoice) is not Fate.CREDITED
    return invoice.lines if invoice is not None and living else ()


def _is_one_of(theirs: RemoteLine, lines: Sequence[Mapping[str, Any]]) -> bool:
    text = without_mark(theirs.text)
    return any(
        text == without_mark(line["text"]) and theirs.net in {None, line["net"]} for line in lines
    )


async def _standing(runtime: Runtime, draft: Draft) -> dict[str, UUID]:
    """
    Read the other drafts of ours that the lines may have been moved into.

    Returns:
        The drafts by their ids in the books.

    """
    link_id = LinkId(draft.link_id)
    seen_there = Draft.invoice[ALSO_MARKS]
    async with runtime.database.reading(link_id) as session:
        rows = await session.execute(
            select(
                Draft.draft_id, Draft.books_ids, Draft.invoice, seen_there.contains([draft.mark])
            ).where(
                Draft.link_id == link_id,
                Draft.draft_id != draft.draft_id,
                or_(
                    Draft.customer_books_id.in_(customers_of(draft)),
                    seen_there.contains([draft.mark]),
                ),
            )
        )
    return {
        one: draft_id
        for draft_id, ids, seen, with_mark in rows
        for one in _may_hold(ids, seen or {}, bool(with_mark))
    }


async def _not_seen_since(runtime: Runtime, draft: Draft) -> frozenset[str]:
    """
    Read the ids of the newest drafts of other customers that no look saw since this one was gone.

    One that was looked at later is known by the marks seen there. A look between when this one
    was last seen standing and when it was gone tells nothing: it may have been moved after that.
    """
    link_id = LinkId(draft.link_id)
    if not draft.attempt or fate_of(draft) is Fate.CREDITED:
        return frozenset()  # never sent, or its lines are in the invoice: there was none to move
    gone_since = (draft.invoice or {}).get(MISSING_SINCE)
    looked_at = cast(Draft.invoice[STOOD_AT].astext, Instant)
    unseen: ColumnElement[bool] = true()
    if gone_since is not None:
        unseen = or_(looked_at.is_(None), looked_at <= datetime.fromisoformat(gone_since))
    async with runtime.database.reading(link_id) as session:
        rows = await session.scalars(
            select(Draft.books_ids)
            .where(
                Draft.link_id == link_id,
                Draft.draft_id != draft.draft_id,
                Draft.customer_books_id.not_in(customers_of(draft)),  # theirs are read anyway
                Draft.state.in_(STANDING),
                func.coalesce(Draft.invoice["what"].astext, Fate.OPEN).in_(_STILL_DRAFTS),
                unseen,
            )
            .order_by(Draft.draft_id.desc())
            .limit(_AT_MOST)
        )
        return frozenset(one for ids in rows for one in ids if not one.startswith(INVOICE))


def _may_hold(books_ids: Iterable[str], seen: Mapping[str, Any], with_mark: bool) -> Iterable[str]:
    """Give what a draft may stand as; of its invoice only where the mark was seen there."""
    invoice_id = seen.get("id")
    if invoice_id is not None:
        return [invoice_prefixed(invoice_id)] if with_mark else []
    if Fate(seen.get("what", Fate.OPEN)) in OFFERS_RELEASE:
        return []
    return [one for one in books_ids if with_mark or not one.startswith(INVOICE)]

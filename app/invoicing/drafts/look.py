"""Look for a draft whose outcome is unknown.

By its mark in a line's text, never by sending again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from app.canonical import LinkId, RecordId
from app.database import CommitPoint
from app.invoicing.drafts.record import make_due, move, record_created
from app.invoicing.ledger.fate import WATCH, Fate, fate_of_invoice
from app.invoicing.lines.mark import marks_in
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

INVOICE: Final = "invoice:"

STOOD_AT: Final = "stoodAt"
"""Names, in what was last seen of a draft, when it was last seen standing."""

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Marked:
    """
    Hold what carries a draft's mark in the books.

    Args:
        others: Invoices of the customer since then that carry no mark at all.
        passed_over: Listed ids that other drafts of ours have; an invoice's has the prefix.

    """

    drafts: tuple[RemoteDraft, ...] = ()
    invoices: tuple[RemoteInvoice, ...] = ()
    others: tuple[RemoteInvoice, ...] = ()
    passed_over: tuple[str, ...] = ()

    def living(self) -> "Marked":
        """Leave out what was credited: it bills no hour any more."""
        kept = (one for one in self.invoices if fate_of_invoice(one) is not Fate.CREDITED)
        return replace(self, invoices=tuple(kept))

    def preferred(self) -> "Marked":
        """Leave out what was credited, unless nothing else is left."""
        living = self.living()
        return living if living.as_drafts() else self

    def as_drafts(self) -> list[RemoteDraft]:
        """Give all of it as drafts; an invoice's id has the prefix ``invoice:``."""
        return [*self.drafts, *(_as_draft(invoice) for invoice in self.invoices)]


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
        await ask_person(runtime, link_id, draft, "draft-not-found", [])
        return
    if await take_found(runtime, link_id, draft, found):
        return
    if draft.looks + 1 >= LOOKS:
        await ask_person(runtime, link_id, draft, "draft-not-found", [])
    else:
        await _look_again(runtime, link_id, draft, looks=draft.looks + 1)


async def take_found(runtime: Runtime, link_id: LinkId, draft: Draft, found: Marked) -> bool:
    """Adopt the one thing that carries the mark, show several; ``False`` where there is nothing."""
    everything = found.preferred().as_drafts()
    if len(everything) == 1:
        (one,) = everything
        await record_created(runtime, draft, one, CommitPoint.DRAFT_ADOPTED, what="adopted")
        runtime.metrics.drafts.labels("adopted").inc()
    elif everything:
        await ask_person(runtime, link_id, draft, "duplicate-draft", [one.id for one in everything])
    return bool(everything)


async def look_anew(runtime: Runtime, link_id: LinkId, draft: Draft) -> None:
    """Begin the looks again: what was found is gone, and its invoice may not be listed yet."""
    now = runtime.clock()
    settle = timedelta(seconds=runtime.settings.settle_seconds)
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await move(
            session, draft, DraftState.UNCONFIRMED, now=now, what="none left", looks=0,
            not_before=now + settle, problem="draft-unconfirmed", books_ids=[], next_look=None,
            watch_until=now + WATCH,
        )  # fmt: skip


async def find_marked(runtime: Runtime, books: AccountingSystem, draft: Draft) -> Marked:
    """
    Find what carries the draft's mark among the customer's drafts and invoices.

    What other drafts of ours have is passed over: no draft may be taken for two POSTs' work.
    """
    since = (draft.created_at - _DAY).date()
    known = await _known_elsewhere(runtime, draft)
    customers = customers_of(draft)
    listed = [one for c in customers for one in await books.draft_ids(c, since=since)]
    ids = [one for one in dict.fromkeys(listed) if one not in known]
    drafts = [remote for one in ids if (remote := await books.read_draft(one)) is not None]
    numbers = [one for c in customers for one in await books.invoice_ids(c, since=since)]
    ids = [one for one in numbers if invoice_prefixed(one) not in known]
    invoices = [seen for one in ids if (seen := await books.read_invoice(one)) is not None]
    return Marked(
        drafts=tuple(one for one in drafts if draft.mark in marks_on(one.lines)),
        invoices=tuple(one for one in invoices if draft.mark in marks_on(one.lines)),
        others=tuple(one for one in invoices if not marks_on(one.lines)),
        passed_over=tuple(
            one for one in (*listed, *(invoice_prefixed(n) for n in numbers)) if one in known
        ),
    )


async def made_since_it_stood(
    books: AccountingSystem, draft: Draft, found: Marked
) -> tuple[RemoteInvoice, ...]:
    """Keep the invoices without a mark that were made since the draft was last seen standing."""
    stood = (draft.invoice or {}).get(STOOD_AT)
    if stood is None or not found.others:
        return found.others
    since = (datetime.fromisoformat(stood) - _DAY).date()
    young = {one for c in customers_of(draft) for one in await books.invoice_ids(c, since=since)}
    return tuple(one for one in found.others if one.id in young)


def customers_of(draft: Draft) -> list[RecordId]:
    """Give whom to search: the draft's customer, and whom a person gave it to in the books."""
    seen = (draft.invoice or {}).get("customerId")
    both = (draft.customer_books_id, seen)
    return [RecordId(one) for one in dict.fromkeys(both) if one is not None]


def invoice_prefixed(invoice_id: str) -> str:
    """Tell an invoice's id from a draft's among a draft's ids in the books."""
    return f"{INVOICE}{invoice_id}"


async def _known_elsewhere(runtime: Runtime, draft: Draft) -> frozenset[str]:
    """Read the ids that other drafts of ours have in the books; they need not be read again."""
    link_id = LinkId(draft.link_id)
    async with runtime.database.reading(link_id) as session:
        rows = await session.execute(
            select(Draft.books_ids, Draft.invoice).where(
                Draft.link_id == link_id,
                Draft.customer_books_id == draft.customer_books_id,
                Draft.draft_id != draft.draft_id,
            )
        )
    known: set[str] = set()
    for ids, invoice in rows:
        known.update(ids)
        if invoice and invoice.get("id"):
            known.add(invoice_prefixed(invoice["id"]))
    return frozenset(known)


def marks_on(lines: Iterable[RemoteLine]) -> frozenset[str]:
    """Give every mark that lines carry."""
    return frozenset(mark for line in lines for mark in marks_in(line.text))


def _as_draft(invoice: RemoteInvoice) -> RemoteDraft:
    return RemoteDraft(
        id=invoice_prefixed(invoice.id), customer_id=invoice.customer_id, lines=invoice.lines,
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


async def ask_person(
    runtime: Runtime, link_id: LinkId, draft: Draft, problem: str, books_ids: list[str]
) -> None:
    """Leave a draft to a person; the books are looked at again a settle time later."""
    now = runtime.clock()
    settle = timedelta(seconds=runtime.settings.settle_seconds)
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await move(
            session, draft, DraftState.NEEDS_PERSON, now=now, what=problem, problem=problem,
            books_ids=books_ids, not_before=None, next_look=now + settle,
        )  # fmt: skip
        await make_due(session, link_id, now + settle)

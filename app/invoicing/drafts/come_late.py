"""
Sort out what carries a draft's mark and was not expected: a late first POST, or several.

Nothing is sent and nothing deleted: one is taken, more are shown to a person until one is left.
"""

from datetime import timedelta
from typing import Final

from app.canonical import LinkId
from app.database import CommitPoint
from app.invoicing.drafts.elsewhere import find_elsewhere
from app.invoicing.drafts.look import INVOICE, Marked, invoice_prefixed, look_anew, take_found
from app.invoicing.drafts.record import make_due, move_unchanged
from app.invoicing.drafts.whereabouts import search
from app.invoicing.ledger.fate import WATCH, Fate, fate_of_invoice
from app.invoicing.ledger.places import STANDING
from app.invoicing.store import Draft, DraftState
from app.runtime import Runtime
from app.systems.ports import AccountingSystem

_SOON: Final = timedelta(minutes=10)
_FREED: Final = frozenset({DraftState.REFUSED, DraftState.RELEASED})
_AFTER: Final = "draft-after-release"
TWICE: Final = "duplicate-draft"


async def settle_asked(
    runtime: Runtime, books: AccountingSystem, draft: Draft, found: Marked
) -> bool:
    """
    See whether the books answer what a person is asked; ``True`` when the draft moved on.

    One that a list does not name may stand all the same: what was found before is read by its id.
    """
    link_id = LinkId(draft.link_id)
    ids = {one.id for one in found.preferred().as_drafts()}
    for one in draft.books_ids:
        hidden = one not in ids and not one.startswith(INVOICE)
        if hidden and await books.read_draft(one) is not None:
            return False
    if ids and ids == set(draft.books_ids):
        return False
    if await take_found(runtime, link_id, draft, found):
        return True
    if draft.books_ids:
        await look_anew(runtime, link_id, draft)
    return bool(draft.books_ids)


async def came_late(
    runtime: Runtime, link_id: LinkId, draft: Draft, found: Marked, books: AccountingSystem
) -> bool:
    """Handle what a first POST that was given up made after all; ``True`` when that is all."""
    state = DraftState(draft.state)
    ids = [one.id for one in found.living().as_drafts()]
    if state in _FREED and draft.problem == _AFTER and not ids:
        if not await _held_by_others(runtime, books, draft, found):
            await _none_left(runtime, link_id, draft)
        return False
    own = _own(draft)
    more = [one for one in ids if one not in own]
    if not more:
        return False
    living = [one for one in own if one in ids]
    if state in STANDING and not living and len(more) == 1 and more[0].startswith(INVOICE):
        return False  # our own draft, sent meanwhile: not a second one
    problem = _AFTER if state not in STANDING else TWICE
    if draft.problem == problem and set(draft.books_ids) >= set(ids):
        return False
    now = runtime.clock()
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await move_unchanged(
            session, draft, state, now=now, what=problem, problem=problem, facts={"found": ids},
            books_ids=[*dict.fromkeys((*draft.books_ids, *ids))], next_look=now + _SOON,
        )  # fmt: skip
        await make_due(session, link_id, now + _SOON)
    runtime.metrics.drafts.labels("duplicate").inc()
    return True


async def _held_by_others(
    runtime: Runtime, books: AccountingSystem, draft: Draft, found: Marked | None
) -> frozenset[str]:
    """Give the living drafts and invoices of other drafts of ours that have the mark too."""
    there = (await find_elsewhere(runtime, books, draft, found)).living()
    return frozenset(one.id for one in there.as_drafts())


def _own(draft: Draft) -> list[str]:
    """Give what is known to carry the draft's mark, the invoice it became too."""
    invoice_id = (draft.invoice or {}).get("id")
    known = [*draft.books_ids, *([invoice_prefixed(invoice_id)] if invoice_id else [])]
    return [*dict.fromkeys(known)]


async def _none_left(runtime: Runtime, link_id: LinkId, draft: Draft) -> None:
    """Take the alarm of a released draft back once nothing that bills its hours has the mark."""
    now = runtime.clock()
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await move_unchanged(
            session, draft, DraftState(draft.state), now=now, what="none left", problem=None
        )


async def one_left(
    runtime: Runtime, link_id: LinkId, draft: Draft, books: AccountingSystem
) -> bool:
    """
    Take the alarm back once a person deleted or credited all but one of what has the mark.

    What is gone may have been sent: it is searched for once more, and watched for from then on,
    since its invoice may not be listed yet.
    """
    living = [one for one in _own(draft) if await _lives(books, one)]
    if len(living) > 1:
        return False
    searched = await search(runtime, books, draft)
    found = searched or Marked()
    living = [*dict.fromkeys((*living, *(one.id for one in found.living().as_drafts())))]
    if len(living) <= 1 and await _held_by_others(runtime, books, draft, searched) - {*living}:
        return False  # a person moved one among another draft's lines: it bills the hours still
    now = runtime.clock()
    alone = len(living) <= 1
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await move_unchanged(
            session, draft, DraftState(draft.state), now=now,
            what="one draft left" if alone else TWICE, problem=None if alone else TWICE,
            books_ids=living or draft.books_ids[:1], next_look=now if alone else now + _SOON,
            watch_until=now + WATCH,
        )  # fmt: skip
        await make_due(session, link_id, now)
    return True


async def _lives(books: AccountingSystem, one: str) -> bool:
    if one.startswith(INVOICE):
        invoice = await books.read_invoice(one.removeprefix(INVOICE))
        return invoice is not None and fate_of_invoice(invoice) is not Fate.CREDITED
    return await books.read_draft(one) is not None

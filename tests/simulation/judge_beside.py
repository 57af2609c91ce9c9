"""
Judge what hours have beside time: each expense and each hour's kilometres billed once, none lost.

By the twins' own stores; of the service only what it offers to bill and what a draft shows.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.invoicing.store import Draft
from tests.simulation.beside import (
    EVERYTHING,
    EXPENSE_VAT,
    KILOMETRE_RATE,
    KILOMETRE_VAT,
    Beside,
    left_out_of,
)
from tests.simulation.judge_money import Books
from tests.simulation.pieces import BESIDE, KILOMETRES, Piece, half_up

if TYPE_CHECKING:
    from tests.simulation.drafts import DraftWorld

STANDING = frozenset({"created", "completed"})
KINDS = {True: "kilometres", False: "expenses"}


@dataclass(frozen=True)
class Offered:
    """
    Hold what the service offers to bill of one hour.

    Args:
        what: Expenses by text, and kilometres.
        shown: The kinds that the draft that has the hour shows; ``None`` where no draft has it.

    """

    what: Counter[str]
    shown: frozenset[str] | None = None


async def judge_beside(
    world: "DraftWorld", books: Books, drafts: Sequence[Draft], changed: Mapping[str, Any]
) -> list[str]:
    """Name every expense and all kilometres that are billed twice, otherwise, or not at all."""
    offers = [
        *[await _of_free_hour(world, hour) for hour in sorted(books.free)],
        *[one for draft in drafts if draft.state in STANDING
          for one in await _of_draft(world, draft, changed)],
    ]  # fmt: skip
    found: list[str] = []
    for number, hour in enumerate(world.hours):
        mine = [offered for whose, offered in offers if whose == hour]
        there = Hour(number, hour, world.had_beside[hour], books)
        found += [*_twice(there, mine), *_otherwise(there)]
        found += [*_lost(there, mine), *_unseen(there, mine)]
    return found


async def _of_free_hour(world: "DraftWorld", hour: str) -> tuple[str, Offered]:
    wish = {
        "customerId": world.versions[hour][-1].customer, "entryIds": [hour],
        **world.terms.wish(), **EVERYTHING,
    }  # fmt: skip
    answer = await world.call("POST", "/invoice-drafts/preview", wish)
    lines = answer.json()["lines"] if answer.status_code == 201 else []
    return hour, Offered(Counter(one for line in lines for one in BESIDE.findall(line["text"])))


async def _of_draft(
    world: "DraftWorld", draft: Draft, changed: Mapping[str, Any]
) -> list[tuple[str, Offered]]:
    answer = await left_out_of(world, str(draft.draft_id), EVERYTHING)
    if answer.status_code != 201:
        return []
    shown = (await world.call("GET", f"/invoice-drafts/{draft.draft_id}")).json()
    listed = [one for one in changed["expensesAdded"] if one["draftId"] == str(draft.draft_id)]
    found: dict[str, Counter[str]] = {}
    for line in answer.json()["lines"]:
        (hour,) = line["entryIds"]
        found.setdefault(hour, Counter()).update(BESIDE.findall(line["text"]))
    return [
        (hour, Offered(what, frozenset(
            [*shown["expensesLeftOut"].get(hour, ()),
             *[kind for one in listed if one["entryId"] == hour for kind in one["what"]]]
        )))
        for hour, what in found.items()
    ]  # fmt: skip


@dataclass(frozen=True)
class Hour:
    """Hold one hour: which it is in its world, its id, all it ever had, and the books."""

    number: int
    id: str
    had: Sequence[Beside]
    books: Books

    def lines(self, what: str, *, shown: bool = True) -> list[Piece]:
        """Give the living lines of it; without those of drafts that are shown to stand twice."""
        return [
            piece for piece in self.books.living
            if piece.beside == what and (what != KILOMETRES or self.driven(piece))
            and (shown or not {piece.mark, str(piece.born)} & self.books.shown)
        ]  # fmt: skip

    def driven(self, piece: Piece) -> int:
        """Read the hour's digit in a line of kilometres."""
        digits = f"{int(piece.quantity):0{self.number + 1}}"
        return int(digits[-1 - self.number])

    @property
    def texts(self) -> list[str]:
        """Give all it ever had beside time."""
        texts = dict.fromkeys(text for one in self.had for text, _ in one.expenses)
        return [*texts, *([KILOMETRES] if any(one.kilometres for one in self.had) else [])]

    def at_most(self, what: str) -> int:
        """Say how many of a text it had at one time."""
        if what == KILOMETRES:
            return 1
        return max(Counter(text for text, _ in one.expenses)[what] for one in self.had)


def _twice(hour: Hour, offers: Sequence[Offered]) -> Iterator[str]:
    """No expense stands more often than it ever was there, nor may be billed so."""
    for what in hour.texts:
        lines = hour.lines(what, shown=False)
        offered = sum(offer.what[what] for offer in offers)
        if len(lines) + offered > hour.at_most(what):
            where = [piece.where for piece in lines]
            yield f"{hour.id}: {what} is billed in {where} and offered {offered} times more"


def _otherwise(hour: Hour) -> Iterator[str]:
    """Each line is what it was worth at some time, with the code that was asked for."""
    for what in hour.texts:
        for piece in hour.lines(what):
            if what == KILOMETRES:
                net = int(half_up(piece.quantity * KILOMETRE_RATE, "1"))
                known = hour.driven(piece) in {one.kilometres for one in hour.had}
                right = known and (piece.net, piece.vat) == (net, KILOMETRE_VAT)
            else:
                ever = {ore for one in hour.had for text, ore in one.expenses if text == what}
                right = piece.net in ever and (piece.quantity, piece.vat) == (
                    Decimal(1), EXPENSE_VAT,
                )  # fmt: skip
            if not right:
                yield f"{hour.id}: {what} is {piece.net} øre ({piece.vat}) in {piece.where}"


def _lost(hour: Hour, offers: Sequence[Offered]) -> Iterator[str]:
    """What an hour has is billed or offered, wherever the hour is its customer's."""
    now, books = hour.books.versions[hour.id][-1], hour.books
    bills = books.bills(hour.id)
    moved = bills and books.customers.get(bills[-1].customer) != now.customer
    waits = hour.id not in books.free and (not bills or moved)
    told = books.told | books.told_beside | books.excused | books.empty
    if now.customer is None or waits or hour.id in told:
        return
    for what, wanted in _owed(hour):
        there = len(hour.lines(what)) + sum(offer.what[what] for offer in offers)
        if there < wanted:
            yield f"{hour.id}: {what} is lost, {wanted} owed and {there} billed or offered"


def _owed(hour: Hour) -> Iterator[tuple[str, int]]:
    """
    Say what of an hour must be billed.

    Where an expense changed after it was billed nobody can say which is new (docs/invoicing.md).
    """
    now = hour.had[-1]
    if now.kilometres:
        yield KILOMETRES, 1
    texts = [text for text in hour.texts if text != KILOMETRES]
    billed = Counter((text, line.net) for text in texts for line in hour.lines(text))
    if billed <= Counter(now.expenses):
        yield from Counter(text for text, _ in now.expenses).items()


def _unseen(hour: Hour, offers: Sequence[Offered]) -> Iterator[str]:
    """What may be billed of a draft's hour stands on that draft's page."""
    for offer in offers:
        kinds = {KINDS[what == KILOMETRES] for what in offer.what}
        if offer.shown is not None and kinds - offer.shown:
            yield f"{hour.id}: {sorted(offer.what)} may be billed, and no page shows it"

"""
Judge the money of a world: what stands in the books for each hour, and where each hour is.

By the twins' own stores and arithmetic of our own; of the service only what it tells a person:
which hours may be billed, which changes wait, which drafts have a problem.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from tests.simulation.pieces import Piece, Terms, Version, at


@dataclass(frozen=True)
class Books:
    """
    Hold what is judged.

    Args:
        versions: All that each hour ever was, the last as it is now.
        living: Lines that stand; ``removed`` those that a person deleted or credited.
        customers: The time side's customer by its id in the books.
        free: Hours that the service offers to bill; ``empty`` those of no minutes in no draft: it
            says that neither they nor what they have beside time can be billed; ``open`` those with
            a change that waits for a person, ``told`` those of a draft that shows a problem,
            ``left`` those where a person once chose to leave what was billed.
        told_beside: Hours whose expenses or kilometres are on a draft that shows a problem.
        excused: Hours of drafts that stand twice and are shown, or that a person sent twice.
        shown: Marks of drafts that show a problem, and their ids in the books.
        rewritten: Drafts that a person wrote over, with the newest of all drafts at that time: what
            was taken off before is that person's to know.

    """

    terms: Terms
    names: Mapping[str, str]
    versions: Mapping[str, list[Version]]
    living: list[Piece]
    removed: list[Piece]
    customers: Mapping[str, str]
    free: frozenset[str]
    empty: frozenset[str]
    open: frozenset[str]
    told: frozenset[str]
    told_beside: frozenset[str]
    left: frozenset[str]
    excused: frozenset[str]
    shown: frozenset[str]
    rewritten: Mapping[int, int]

    def hours(self, piece: Piece) -> frozenset[str]:
        """Say which hours a line is of."""
        return frozenset(self.names[name] for name in piece.names)

    def bills(self, hour: str, *, ever: bool = False) -> list[Piece]:
        """Give the living lines that bill an hour whole, or all there ever were; oldest first."""
        pieces = [*self.living, *self.removed] if ever else self.living
        bills = [p for p in pieces if not p.difference and hour in self.hours(p)]
        return sorted(bills, key=lambda bill: bill.born)

    def base(self, difference: Piece) -> Piece | None:
        """Give the bill whose hour a difference is of: the last that was there before it."""
        (hour,) = self.hours(difference)
        before = [bill for bill in self.bills(hour, ever=True) if bill.born < difference.born]
        return before[-1] if before else None

    def differences(self, bill: Piece, *, removed: bool = False) -> list[Piece]:
        """Give the lines that bill what changed of a bill's hours."""
        pieces = self.removed if removed else self.living
        return [p for p in pieces if p.difference and _same(self.base(p), bill)]

    def was_gone(self, hour: str, customer: str | None) -> bool:
        """Say whether an hour was deleted or another customer's at some time."""
        return any(version.customer != customer for version in self.versions[hour])


def judge_money(books: Books) -> Iterator[str]:
    """Name every hour that is billed twice, too high, otherwise than agreed, or not at all."""
    yield from judge_twice(books)
    for hour in books.versions:
        if hour not in books.excused:
            yield from _lost(books, hour)
    for bill in books.living:
        hours = books.hours(bill)
        if hours and not bill.difference and not hours & books.excused:
            yield from _agreed(books, bill, hours)


def judge_twice(books: Books) -> Iterator[str]:
    """Name every hour that is billed twice, too high, or could be."""
    for piece in books.living:
        hours = books.hours(piece)
        if not hours or hours & books.excused:
            continue
        yield from _without_base(books, piece) if piece.difference else _too_high(books, piece)


def _without_base(books: Books, piece: Piece) -> Iterator[str]:
    """A difference stands without the bill it is of only until the hour is billed anew."""
    (hour,) = books.hours(piece)
    base = books.base(piece)
    if base is not None and (base in books.living or {base.mark, str(base.born)} & books.shown):
        return
    again = [bill.where for bill in books.bills(hour) if bill.born > piece.born]
    if again or hour in books.free:
        how = f"is billed by {again}" if again else "may be billed"
        yield f"{hour} {how} though {piece.where} bills a change of it"


def _too_high(books: Books, bill: Piece) -> Iterator[str]:
    """
    No line and what followed of it is more than its hours ever were worth.

    An hour that is billed once more, or may be, counts no more: it must have been taken off.
    """
    hours = books.hours(bill)
    counted = [hour for hour in sorted(hours) if not _billed_elsewhere(books, bill, hour)]
    later = books.differences(bill)
    held = bill.net + sum(piece.net for piece in later)
    customer = _customer(books, bill)
    most = books.terms.most([books.versions[hour] for hour in counted], customer)
    taken_back = sum(-p.net for p in books.differences(bill, removed=True) if p.net < 0)
    slack = len(later)  # each line is rounded to the øre by itself
    # What a person left before a later change was followed up stays, also when its hour goes.
    gone = [books.versions[one] for one in sorted(hours & books.left) if one not in counted]
    left = books.terms.most(gone, customer) if gone else 0
    off = bill.net + sum(p.net for p in later if p.born > books.rewritten.get(bill.born, 0))
    # A person credited a difference that a later one had taken off already: its draft says so.
    by_hand = sum(
        p.net
        for p in books.differences(bill, removed=True)
        if p.net > 0 and {p.mark, str(p.born)} & books.shown
    )
    if off < -slack - by_hand:
        yield f"{sorted(hours)}: {-off} øre more are taken off than {bill.where} ever billed"
    if held > most + taken_back + left + slack:
        again = sorted(hours - set(counted))
        why = f"{again} billed elsewhere or free too, " if again else ""
        yield f"{sorted(hours)}: {held} øre in {bill.where}, {why}never worth more than {most}"


def _agreed(books: Books, bill: Piece, hours: frozenset[str]) -> Iterator[str]:
    """What stands for the hours of a line is what they are worth now, or a person was told."""
    if books.differences(bill, removed=True) or hours & (books.left | books.open | books.told):
        return
    customer = _customer(books, bill)
    later = books.differences(bill)
    held = bill.net + sum(piece.net for piece in later)
    counted = [hour for hour in sorted(hours) if not _billed_elsewhere(books, bill, hour)]
    in_a_draft = {h for p in later if p.where.startswith("draft") for h in books.hours(p)}
    may_be_off = [h for h in counted if h in in_a_draft and books.was_gone(h, customer)]
    worths = {
        books.terms.worth(at([_now(books, hour) for hour in counted if hour not in off], customer))
        for size in range(len(may_be_off) + 1)
        for off in combinations(may_be_off, size)
    }
    if all(abs(held - worth) > len(later) for worth in worths):
        yield f"{sorted(hours)}: {held} øre stand in {bill.where}, worth {worths}, nobody is told"


def _lost(books: Books, hour: str) -> Iterator[str]:
    """An hour that lives can be billed, stands in the books, or waits with a reason to be seen."""
    now = _now(books, hour)
    if now.customer is None or hour in books.free | books.open | books.told | books.left:
        return
    if not now.minutes:
        return
    bills = books.bills(hour)
    if not bills:
        if _is_billed_by_changes(books, hour):
            return
        yield f"{hour} is lost: neither billed nor billable, and nobody is told"
        return
    last = bills[-1]
    waits = any(
        hour in books.hours(piece) and piece.where.startswith("draft")
        for piece in books.differences(last)
    )  # taken off by a follow-up that is no invoice yet: free once it is
    if _customer(books, last) != now.customer and not waits:
        yield f"{hour} is lost: it is {now.customer}'s, whom it was never billed to"


def _is_billed_by_changes(books: Books, hour: str) -> bool:
    """Say whether all time of an hour came after it was billed for what it had beside alone."""
    if all(version.minutes for version in books.versions[hour]):
        return False
    later = [p for p in books.living if p.difference and hour in books.hours(p)]
    held = sum(piece.net for piece in later)
    return bool(later) and abs(held - books.terms.worth([_now(books, hour)])) <= len(later)


def _billed_elsewhere(books: Books, bill: Piece, hour: str) -> bool:
    return hour in books.free or not _same(books.bills(hour)[-1], bill)


def _same(one: Piece | None, other: Piece) -> bool:
    return one is not None and (one.born, one.names) == (other.born, other.names)


def _now(books: Books, hour: str) -> Version:
    return books.versions[hour][-1]


def _customer(books: Books, piece: Piece) -> str | None:
    return books.customers.get(piece.customer)

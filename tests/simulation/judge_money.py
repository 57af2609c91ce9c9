"""
Judge the money of a world: what stands in the books for each hour, and where each hour is.

By the twins' own stores and arithmetic of our own; of the service only what it tells a person:
which hours may be billed, which changes wait, which drafts have a problem.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.simulation.pieces import Piece, Terms, Version, at


@dataclass(frozen=True)
class Books:
    """
    Hold what is judged.

    Args:
        versions: All that each hour ever was, the last as it is now.
        living: Lines that stand; ``removed`` those that a person deleted or credited.
        customers: The time side's customer by its id in the books.
        free: Hours that the service offers to bill; ``open`` those with a change that waits for a
            person, ``told`` those of a draft that shows a problem, ``left`` those where a person
            once chose to leave what was billed.
        excused: Hours of drafts that stand twice and are shown, or that a person sent twice.

    """

    terms: Terms
    names: Mapping[str, str]
    versions: Mapping[str, list[Version]]
    living: list[Piece]
    removed: list[Piece]
    customers: Mapping[str, str]
    free: frozenset[str]
    open: frozenset[str]
    told: frozenset[str]
    left: frozenset[str]
    excused: frozenset[str]

    def hours(self, piece: Piece) -> frozenset[str]:
        """Say which hours a line is of."""
        return frozenset(self.names[name] for name in piece.names)

    def bills(self, hour: str) -> list[Piece]:
        """Give the living lines that bill an hour whole."""
        return [p for p in self.living if not p.difference and hour in self.hours(p)]

    def differences(self, hours: frozenset[str], *, removed: bool = False) -> list[Piece]:
        """Give the lines that bill what changed of these hours."""
        pieces = self.removed if removed else self.living
        return [p for p in pieces if p.difference and hours & self.hours(p)]


def judge_money(books: Books) -> Iterator[str]:
    """Name every hour that is billed twice, too high, otherwise than agreed, or not at all."""
    yield from judge_twice(books)
    for hour in books.versions:
        if hour not in books.excused:
            yield from _lost(books, hour)
    for bill in books.living:
        hours = books.hours(bill)
        if hours and not bill.difference and not hours & books.excused:
            yield from _amount(books, bill, hours)


def judge_twice(books: Books) -> Iterator[str]:
    """Name every hour that is billed twice or could be."""
    for hour in books.versions:
        if hour not in books.excused:
            yield from _twice(books, hour)


def _twice(books: Books, hour: str) -> Iterator[str]:
    bills = books.bills(hour)
    if len(bills) > 1:
        yield f"{hour} is billed {len(bills)} times: {[bill.where for bill in bills]}"
    differences = books.differences(frozenset({hour}))
    for bill in bills:
        early = [piece.where for piece in differences if piece.born < bill.born]
        if early:
            yield f"{hour} is billed by {bill.where} though {early} bill changes of it"
    if differences and not bills and hour in books.free:
        yield f"{hour} may be billed though {differences[0].where} bills a change of it"
    if bills and hour in books.free and _now(books, hour).customer == _customer(books, bills[0]):
        yield f"{hour} may be billed though {bills[0].where} bills it"


def _amount(books: Books, bill: Piece, hours: frozenset[str]) -> Iterator[str]:
    """Hold what stands for the hours of one line against what they were and are worth."""
    customer = _customer(books, bill)
    later = [piece for piece in books.differences(hours) if piece.born > bill.born]
    gone = [p for p in books.differences(hours, removed=True) if p.born > bill.born]
    held = bill.net + sum(piece.net for piece in later)
    slack = len(later)  # each line is rounded to the øre by itself
    most = books.terms.most([books.versions[hour] for hour in sorted(hours)], customer)
    taken_back = sum(-piece.net for piece in gone if piece.net < 0)
    if held > most + taken_back + slack:
        yield f"{sorted(hours)}: {held} øre stand for it, it never was worth more than {most}"
    if gone or hours & (books.left | books.open | books.told):
        return
    worth = books.terms.worth(at([_now(books, hour) for hour in sorted(hours)], customer))
    if abs(held - worth) > slack:
        yield f"{sorted(hours)}: {held} øre stand for it, it is worth {worth} and nobody is told"


def _lost(books: Books, hour: str) -> Iterator[str]:
    """An hour that lives can be billed, stands in the books, or waits with a reason to be seen."""
    now = _now(books, hour)
    if now.customer is None or hour in books.free | books.open | books.told | books.left:
        return
    bills = books.bills(hour)
    if not bills:
        yield f"{hour} is lost: neither billed nor billable, and nobody is told"
    elif all(_customer(books, bill) != now.customer for bill in bills):
        yield f"{hour} is lost: it is {now.customer}'s, whom it was never billed to"


def _now(books: Books, hour: str) -> Version:
    return books.versions[hour][-1]


def _customer(books: Books, piece: Piece) -> Any:
    return books.customers.get(piece.customer)

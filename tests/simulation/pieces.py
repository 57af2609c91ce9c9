"""
Read what the books' own store has of a world's hours, and reckon what hours are worth.

Nothing here is our code's: a line's hours are known by the names of who worked them, which stand
in its text, and the arithmetic is written a second time.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import product
from typing import Any, NamedTuple

MARK = re.compile(r"TR-[0-9A-HJKMNP-TV-Z]{8}")
NAME = re.compile(r"Person \d+")
KILOMETRES = "Kilometer"
BESIDE = re.compile(rf"Utlegg \d[a-z]|{KILOMETRES}")
OF_A_DIFFERENCE = "Korreksjon"


class Version(NamedTuple):
    """Hold an hour as it once was; ``customer`` is ``None`` where it was deleted."""

    minutes: int
    rate: int
    customer: str | None


@dataclass(frozen=True)
class Terms:
    """
    Hold how one world bills: the same for each of its drafts.

    Args:
        discount: Percent.
        step: Minutes to which is rounded up, ``per`` line or entry; 0 bills worked minutes.

    """

    grouping: str
    discount: Decimal
    step: int
    per: str

    def wish(self) -> dict[str, Any]:
        """Give the members of a preview's wish."""
        rounding = {"minutes": self.step, "direction": "up", "per": self.per}
        return {
            "grouping": self.grouping, "template": "{person}",
            "discountPercent": str(self.discount), **({"rounding": rounding} if self.step else {}),
        }  # fmt: skip

    def worth(self, hours: Iterable[Version]) -> int:
        """Give what hours are worth as one line at each rate, in øre."""
        minutes_by_rate: dict[int, list[int]] = {}
        for hour in hours:
            minutes_by_rate.setdefault(hour.rate, []).append(hour.minutes)
        return sum(self._line(minutes, rate) for rate, minutes in minutes_by_rate.items())

    def _line(self, minutes: list[int], rate: int) -> int:
        counted = [sum(minutes)] if self.per == "line" else minutes
        if self.step:
            counted = [-(-one // self.step) * self.step for one in counted]
        quantity = half_up(Decimal(sum(counted)) / 60, "0.01")
        return int(half_up(quantity * rate * (100 - self.discount) / 100, "1"))

    def most(self, versions: Sequence[Sequence[Version]], customer: str | None) -> int:
        """Give the most that a line of these hours was ever worth to a customer."""
        choices = [dict.fromkeys(one) for one in versions]
        return max(self.worth(at(chosen, customer)) for chosen in product(*choices))


PLAIN = Terms("entry", Decimal(0), 0, "line")
TERMS = (
    PLAIN,
    PLAIN,
    Terms("entry", Decimal("12.5"), 0, "line"),
    Terms("sum", Decimal(0), 0, "line"),
    Terms("entry", Decimal(0), 30, "line"),
    Terms("project", Decimal(10), 15, "entry"),
)
"""What the worlds bill by, each by one of these."""


def at(versions: Iterable[Version], customer: str | None) -> list[Version]:
    """Keep the versions that were there and this customer's."""
    return [one for one in versions if one.customer is not None and one.customer == customer]


@dataclass(frozen=True)
class Piece:
    """
    Hold one line of a draft or invoice of the books.

    Args:
        where: Which draft or invoice.
        born: The id of the draft it was made as; ids only rise.
        mark: Empty where a person wrote over it.
        difference: Whether it bills what changed of an hour, and not the hour.
        net: Øre.
        beside: Which expense it bills, or that it bills kilometres, so many as ``quantity``; empty
            where it bills hours.

    """

    where: str
    born: int
    mark: str
    customer: str
    names: frozenset[str]
    difference: bool
    net: int
    beside: str
    quantity: Decimal
    vat: str


def living_pieces(organization: Any) -> list[Piece]:
    """Read all that stands: drafts, and invoices that were not credited."""
    return [
        piece
        for kept in (*organization.drafts.values(), *living_invoices(organization))
        for piece in pieces_of(kept)
    ]


def living_invoices(organization: Any) -> Iterator[Any]:
    """Give the invoices that were not credited; credit notes are none."""
    for kept in organization.invoices.values():
        if kept.data["type"] != "CREDIT" and kept.data["status"] != "CLOSED_BY_CREDIT_NOTE":
            yield kept


def pieces_of(kept: Any) -> list[Piece]:
    """Read one draft or invoice; none where it is no world's."""
    data = kept.data
    is_draft = "invoiceDraftLines" in data
    lines = data["invoiceDraftLines"] if is_draft else data["invoiceLines"]
    marks = marks_of(lines)
    if not any(marks) and not any(names_in(line) or beside_in(line) for line in lines):
        return []
    born = kept.id if is_draft else kept.hidden["fromDraftId"]
    where = f"draft {kept.id}" if is_draft else f"invoice {kept.id}"
    return [
        Piece(
            where, born, mark, str(data.get("customerId")), names_in(line),
            line["description"].startswith(OF_A_DIFFERENCE),
            int(half_up(Decimal(line["sumNet"]) * 100, "1")), beside_in(line),
            Decimal(line["quantity"]), str(line["vatCode"]),
        )
        for line, mark in zip(lines, marks, strict=True)
    ]  # fmt: skip


def marks_of(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """Give each line's mark: the nearest above it, for lines that stood below it were moved so."""
    found = [MARK.findall(line["description"]) for line in lines]
    mark = next((marks[0] for marks in found if marks), "")
    return [mark := marks[0] if marks else mark for marks in found]


def names_in(line: Mapping[str, Any]) -> frozenset[str]:
    """Say whose hours a line of the books is of."""
    return frozenset(NAME.findall(line["description"]))


def beside_in(line: Mapping[str, Any]) -> str:
    """Say which expense a line of the books is of, or that it is of kilometres."""
    found = BESIDE.search(line["description"])
    return found[0] if found else ""


def standing_marks(pieces: Iterable[Piece]) -> Mapping[str, set[str]]:
    """Say in which drafts and invoices each mark stands, where no person wrote over it."""
    found: dict[str, set[str]] = {}
    for piece in pieces:
        if piece.mark:
            found.setdefault(piece.mark, set()).add(piece.where)
    return found


def half_up(amount: Decimal, to: str) -> Decimal:
    """Round half up to so many decimals."""
    return amount.quantize(Decimal(to), ROUND_HALF_UP)

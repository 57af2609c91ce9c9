"""
Name everything that stands against a draft as previewed, all at once and each with its place; pure.

A blocking objection must be mended before the draft is made; the others are told.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from app.canonical import Customer, Project, TimeEntry
from app.invoicing.lines.lines import LONGEST_TEXT, Line, Lines
from app.invoicing.lines.mark import marks_in
from app.invoicing.unbilled.hindrances import close_to_limit, past_limit

MOST_LINES: Final = 1000
MOST_HOURS: Final = Decimal(100_000)
MOST_ORE: Final = 9_999_999_999_999
"""Conta's own limit of a sum is 99 999 999 999,99 kr (its twin's guess); we stay below it."""

Objection = dict[str, Any]
_TAG: Final = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True)
class Partners:
    """
    Hold the draft's customer and project as the books have them now.

    Args:
        customer: ``None`` when the books do not have it any more.
        project_wanted: Whether a project was chosen; ``project_linked`` whether it has a partner.

    """

    customer: Customer | None
    project: Project | None = None
    project_wanted: bool = False
    project_linked: bool = False


@dataclass(frozen=True, slots=True)
class VatSaid:
    """Hold what the books last said to a VAT code, or of several codes without saying which."""

    accepted: bool
    at: datetime
    alone: bool = True

    @property
    def answer(self) -> str:
        """Give it as the word of the API."""
        if self.accepted:
            return "accepted"
        return "refused" if self.alone else "doubtful"


def objections(
    entries: Sequence[TimeEntry],
    lines: Lines,
    *,
    mark: str,
    partners: Partners,
    vat_said: Mapping[str, VatSaid],
    today: date,
) -> list[Objection]:
    """Name every objection; an empty list means that the draft can be made as it is."""
    return [
        *_of_partners(partners),
        *_of_vat(lines, vat_said),
        *_of_whole(lines),
        *(found for number, line in enumerate(lines.lines, 1) for found in _of_line(
            number, line, mark)),
        *_of_hours(entries, today),
    ]  # fmt: skip


def _of_partners(partners: Partners) -> Iterator[Objection]:
    if partners.customer is None:
        yield _blocking("customer-gone")
    elif not partners.customer.active:
        yield _told("customer-archived")
    if partners.project_wanted and not partners.project_linked:
        yield _told("project-not-linked")
    elif partners.project_wanted and partners.project is None:
        yield _blocking("project-gone")
    elif partners.project is not None:
        owner = partners.project.customer_id
        if partners.customer is not None and owner not in (None, partners.customer.id):
            yield _blocking("project-customer-differs")
        if not partners.project.active:
            yield _told("project-hidden")


def _of_vat(lines: Lines, vat_said: Mapping[str, VatSaid]) -> Iterator[Objection]:
    for code in sorted({line.vat_code for line in lines.lines}):
        said = vat_said.get(code)
        if said is None:
            yield _told("vat-code-untried", vatCode=code)
        elif not said.accepted:
            when = said.at.date().isoformat()
            told = "vat-code-refused-before" if said.alone else "vat-code-doubtful"
            yield _told(told, vatCode=code, when=when)


def _of_whole(lines: Lines) -> Iterator[Objection]:
    if len(lines.lines) > MOST_LINES:
        yield _blocking("too-many-lines", limit=MOST_LINES)
    if lines.total < 0:
        yield _blocking("total-negative")
    if abs(lines.total) > MOST_ORE:
        yield _blocking("total-too-large")


def _of_line(number: int, line: Line, mark: str) -> Iterator[Objection]:
    bare = line.text.removesuffix(f"(spes. {mark})").strip()
    if not bare:
        yield _blocking("text-empty", line=number)
    elif not _TAG.sub("", bare).strip():
        yield _blocking("text-only-tags", line=number)
    if len(line.text) > LONGEST_TEXT:
        yield _blocking("text-too-long", line=number, limit=LONGEST_TEXT, length=len(line.text))
    if marks_in(bare):  # another draft's mark would let it be taken for that draft
        yield _blocking("text-holds-mark", line=number)
    if line.quantity == 0 or line.net == 0:
        yield _blocking("line-zero", line=number)
    elif line.net < 0:
        yield _blocking("line-negative", line=number)
    if abs(line.quantity) > MOST_HOURS:
        yield _blocking("line-too-large", line=number)


def _of_hours(entries: Sequence[TimeEntry], today: date) -> Iterator[Objection]:
    late = _ids(e for e in entries if past_limit(e.day, today=today))
    if late:
        yield _told("past-billing-limit", entries=late)
    near = _ids(
        e for e in entries
        if close_to_limit(e.day, today=today) and not past_limit(e.day, today=today)
    )  # fmt: skip
    if near:
        yield _told("close-to-billing-limit", entries=near)


def not_included(left: Mapping[str, object]) -> Iterator[Objection]:
    """Tell of expenses and kilometres on the hours that the draft does not bill."""
    if left:
        yield _told("expenses-not-included", entries=list(left))


def without_amount(entry_ids: Sequence[str]) -> Iterator[Objection]:
    """Tell of hours with an expense of no kroner: no line is made of it."""
    if entry_ids:
        yield _told("expense-without-amount", entries=list(entry_ids))


def useless_edits(
    lines: Lines, keys: Iterable[str], numbers: Iterable[int], order: Iterable[str] = ()
) -> Iterator[Objection]:
    """Tell of edits, texts and an order for lines that are not there: nothing asked is lost."""
    present = {line.key for line in lines.lines}
    gone = sorted(set(keys) - present)
    if gone:
        yield _told("edit-without-line", lines=gone)
    beyond = sorted(n for n in numbers if not 1 <= n <= len(lines.lines))
    if beyond:
        yield _told("edit-without-line", lines=beyond)
    elsewhere = [key for key in dict.fromkeys(order) if key not in present]
    if elsewhere:
        yield _told("order-without-line", lines=elsewhere)


def _ids(entries: Iterable[TimeEntry]) -> list[str]:
    return [entry.id for entry in entries]


def _blocking(code: str, **facts: object) -> Objection:
    return {"code": code, "blocking": True, **facts}


def _told(code: str, **facts: object) -> Objection:
    return {"code": code, "blocking": False, **facts}

"""
Turn time entries into draft lines, to the øre; pure.

Minutes are summed first and converted once per line; the printed hours times the printed price is
the line. Different rates never share a line. Every entry given is in exactly one line.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final

from app.canonical import EntryId, Ore, RecordId, TimeEntry
from app.invoicing.mark import with_mark
from app.invoicing.vat import expected_vat

LONGEST_TEXT: Final = 500
"""Longest text of a line that Conta takes (facts of 2026-11, section 5.2)."""

_CENT: Final = Decimal("0.01")


class Grouping(StrEnum):
    """Name what shares a line: each entry alone, or all of a project with one rate."""

    ENTRY = "entry"
    PROJECT = "project"


@dataclass(frozen=True, slots=True)
class Line:
    """
    Hold one line as it will stand in the draft.

    Args:
        minutes: What was summed; ``quantity`` is it in hours, two decimals, half-up.
        unit_price: Øre an hour, excluding VAT.
        net: Quantity times price, half-up in øre.
        vat: What we expect Conta to compute.

    """

    text: str
    minutes: int
    quantity: Decimal
    unit_price: Ore
    vat_code: str
    net: Ore
    vat: Ore
    entry_ids: tuple[EntryId, ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """Hold a draft's lines with their sums in øre."""

    lines: tuple[Line, ...]
    net: Ore
    vat: Ore
    total: Ore


def build_lines(
    entries: Iterable[TimeEntry],
    *,
    grouping: Grouping,
    vat_code: str,
    mark: str,
    project_names: Mapping[RecordId, str],
    texts: Mapping[int, str] | None = None,
) -> Lines:
    """
    Build the lines of a draft; the order of the entries does not matter.

    Args:
        entries: Billable ones; each has a rate.
        mark: Stands in the first line's text.
        project_names: Names of the entries' projects; an unknown one is left out of the text.
        texts: A person's own texts by line number from 1, in place of ours.

    """
    groups: dict[tuple[str, ...], list[TimeEntry]] = {}
    for entry in sorted(entries, key=lambda e: (e.day, e.id)):
        groups.setdefault(_key(entry, grouping, project_names), []).append(entry)
    ordered = sorted(groups.items()) if grouping is Grouping.PROJECT else list(groups.items())
    lines = []
    for number, (_, members) in enumerate(ordered, 1):
        text = (texts or {}).get(number) or _text(members, grouping, project_names)
        lines.append(_line(members, with_mark(text, mark) if number == 1 else text, vat_code))
    net = Ore(sum(line.net for line in lines))
    vat = Ore(sum(line.vat for line in lines))
    return Lines(tuple(lines), net, vat, Ore(net + vat))


def hours(minutes: int) -> Decimal:
    """Convert minutes to hours with two decimals, half-up."""
    return (Decimal(minutes) / 60).quantize(_CENT, ROUND_HALF_UP)


def line_net(quantity: Decimal, unit_price: Ore) -> Ore:
    """Multiply printed hours with printed price, half-up in øre."""
    return Ore(int((quantity * unit_price).quantize(Decimal(1), ROUND_HALF_UP)))


def _key(
    entry: TimeEntry, grouping: Grouping, project_names: Mapping[RecordId, str]
) -> tuple[str, ...]:
    if grouping is Grouping.ENTRY:
        return (entry.id,)
    project = entry.project_id
    name = project_names.get(project, "") if project is not None else ""
    return (name, project or "", f"{entry.hourly_rate or 0:012d}", entry.overtime_type or "")


def _line(members: Sequence[TimeEntry], text: str, vat_code: str) -> Line:
    minutes = sum(entry.minutes for entry in members)
    price = members[0].hourly_rate
    assert price is not None  # noqa: S101 - entries without a rate are hindered before
    quantity = hours(minutes)
    net = line_net(quantity, price)
    return Line(
        text=text,
        minutes=minutes,
        quantity=quantity,
        unit_price=price,
        vat_code=vat_code,
        net=net,
        vat=expected_vat(net, vat_code),
        entry_ids=tuple(entry.id for entry in members),
    )


def _text(
    members: Sequence[TimeEntry], grouping: Grouping, project_names: Mapping[RecordId, str]
) -> str:
    first = members[0]
    project = project_names.get(first.project_id, "") if first.project_id is not None else ""
    if grouping is Grouping.ENTRY:
        parts = [f"{_day(first.day)} {first.employee_name}", project, first.comment or ""]
    else:
        parts = [project or "Timer", _period(first.day, members[-1].day)]
    if first.overtime_type:
        parts.append(first.overtime_type)
    return ": ".join(part.strip() for part in parts if part.strip())


def _period(first: date, last: date) -> str:
    return _day(first) if first == last else f"{_day(first)}–{_day(last)}"


def _day(day: date) -> str:
    return f"{day.day:02d}.{day.month:02d}.{day.year}"

"""
Turn time entries into draft lines, to the øre; pure.

Minutes are summed first and converted once per line; the printed hours times the printed price,
less the printed discount, is the line. Different rates never share a line. Every entry given is in
exactly one line.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final, assert_never

from app.canonical import EntryId, Ore, RecordId, TimeEntry
from app.invoicing.lines.mark import with_mark
from app.invoicing.lines.rounding import Rounding, billed_minutes, cuts
from app.invoicing.lines.template import fill, one_line, values_of
from app.invoicing.lines.vat import expected_vat

LONGEST_TEXT: Final = 500
"""Longest text of a line that Conta takes (facts of 2026-11, section 5.2)."""

_CENT: Final = Decimal("0.01")
_HUNDRED: Final = Decimal(100)


class Grouping(StrEnum):
    """Name what shares a line; whatever it is, one line has one rate."""

    ENTRY = "entry"
    DAY = "day"
    WEEK = "week"
    PERSON = "person"
    PROJECT = "project"
    OVERTIME = "overtime"
    SUM = "sum"


TEMPLATES: Final[Mapping[Grouping, str]] = {
    Grouping.ENTRY: "{day} {person}: {project}: {comments}: {overtime}",
    Grouping.DAY: "{day}: {overtime}",
    Grouping.WEEK: "{week}, {period}: {overtime}",
    Grouping.PERSON: "{person}: {period}: {overtime}",
    Grouping.PROJECT: "{project}: {period}: {overtime}",
    Grouping.OVERTIME: "{overtime}: {period}",
    Grouping.SUM: "{project}: {period}",
}
"""The texts when nobody chose one; ``fill`` drops what is empty."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Hold what a person changed on one line; ``None`` leaves it."""

    text: str | None = None
    vat_code: str | None = None
    discount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """
    Hold one line as it will stand in the draft.

    Args:
        key: Names the line's group, the same in the next preview though hours came or went; a
            part of a group that was split is named by its hours.
        minutes: Worked; ``billed`` is it after the increments, ``quantity`` that in hours.
        unit_price: Øre an hour, excluding VAT.
        discount: Percent.
        net: Quantity times price less discount, half-up in øre.
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
    key: str = ""
    billed: int = 0
    discount: Decimal = Decimal(0)
    rounding: Rounding | None = None


@dataclass(frozen=True, slots=True)
class Lines:
    """Hold a draft's lines with their sums in øre."""

    lines: tuple[Line, ...]
    net: Ore
    vat: Ore
    total: Ore


@dataclass(frozen=True, slots=True)
class Style:
    """
    Hold how lines are made of hours.

    Args:
        template: Text with variables; ``None`` takes the grouping's own.
        split: Whether a group whose text is too long becomes several lines.
        roundings: By project, also inherited; ``rounding`` is for all others.
        edits: By line key; ``texts`` by line number from 1.
        order: Line keys in the wanted order; others follow as they come.

    """

    grouping: Grouping = Grouping.PROJECT
    vat_code: str = "high"
    language: str = "nb"
    template: str | None = None
    split: bool = False
    discount: Decimal = Decimal(0)
    rounding: Rounding | None = None
    roundings: Mapping[RecordId, Rounding | None] = field(default_factory=dict)
    edits: Mapping[str, Edit] = field(default_factory=dict)
    texts: Mapping[int, str] = field(default_factory=dict)
    order: Sequence[str] = ()
    customer_name: str = ""

    def rounding_of(self, entry: TimeEntry) -> Rounding | None:
        """Give the rounding of an hour: its project's where one is set, else the general one."""
        if entry.project_id is not None and entry.project_id in self.roundings:
            return self.roundings[entry.project_id]
        return self.rounding


def build_lines(
    entries: Iterable[TimeEntry],
    *,
    style: Style,
    mark: str,
    project_names: Mapping[RecordId, str],
    further: Sequence[Line] = (),
) -> Lines:
    """
    Build the lines of a draft; the order of the entries does not matter.

    Args:
        entries: Billable ones; each has a rate. One without minutes is in none but ``further``.
        mark: Stands in the first line's text.
        project_names: Names of the entries' projects; an unknown one is left out of the text.
        further: Lines that are no time (expenses, kilometres); they follow.

    """
    groups: dict[tuple[str, ...], list[TimeEntry]] = {}
    timed = (entry for entry in entries if entry.minutes > 0)
    for entry in sorted(timed, key=lambda e: (e.day, e.id)):
        groups.setdefault(_key(entry, style, project_names), []).append(entry)
    keep_order = style.grouping in {Grouping.ENTRY, Grouping.DAY, Grouping.WEEK}
    ordered = list(groups.items()) if keep_order else sorted(groups.items())
    room = LONGEST_TEXT - len(with_mark("", mark))
    made = [
        _line(members, _named(key, members if len(members) < len(group) else ()), style,
              project_names)
        for key, group in ordered
        for members in _fitting(group, style, project_names, room)
    ]  # fmt: skip
    return summed(_finished(_in_order([*made, *further], style.order), style.texts, mark))


def summed(lines: Sequence[Line]) -> Lines:
    """Sum lines in øre; the total is the sum of the lines and nothing else."""
    net = Ore(sum(line.net for line in lines))
    vat = Ore(sum(line.vat for line in lines))
    return Lines(tuple(lines), net, vat, Ore(net + vat))


def hours(minutes: int) -> Decimal:
    """Convert minutes to hours with two decimals, half-up."""
    return (Decimal(minutes) / 60).quantize(_CENT, ROUND_HALF_UP)


def line_net(quantity: Decimal, unit_price: Ore, discount: Decimal = Decimal(0)) -> Ore:
    """Multiply printed hours with printed price, less the discount, half-up in øre."""
    exact = quantity * unit_price * (_HUNDRED - discount) / _HUNDRED
    return Ore(int(exact.quantize(Decimal(1), ROUND_HALF_UP)))


def _key(entry: TimeEntry, style: Style, project_names: Mapping[RecordId, str]) -> tuple[str, ...]:
    """Give what a line has in common: the rate and the rounding always, the rest by grouping."""
    project = entry.project_id
    overtime = entry.overtime_type or ""
    parts: tuple[str, ...]
    match style.grouping:
        case Grouping.ENTRY:
            parts = (entry.id,)
        case Grouping.DAY:
            parts = (entry.day.isoformat(), overtime)
        case Grouping.WEEK:
            year, week, _ = entry.day.isocalendar()
            parts = (f"{year}-{week:02d}", overtime)
        case Grouping.PERSON:
            parts = (entry.employee_name, entry.employee_id, overtime)
        case Grouping.PROJECT:
            name = project_names.get(project, "") if project else ""
            parts = (name, project or "", overtime)
        case Grouping.OVERTIME:
            parts = (overtime,)
        case Grouping.SUM:
            parts = ()
        case unreachable:
            assert_never(unreachable)
    rounding = style.rounding_of(entry)
    return (*parts, f"{entry.hourly_rate or 0:012d}", repr(rounding.as_json()) if rounding else "")


def _named(key: tuple[str, ...], part: Sequence[TimeEntry]) -> str:
    """
    Name a group, or a part of it by all its hours.

    Another text moves the cuts, and then a person's edit of the third part would be of other hours.
    """
    text = "\0".join((*key, *(entry.id for entry in part), ""))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _fitting(
    group: list[TimeEntry], style: Style, project_names: Mapping[RecordId, str], room: int
) -> list[list[TimeEntry]]:
    """
    Halve a group until each part's text fits, where that is wished.

    Neither an hour nor what is rounded together is cut; what is too long then is refused.
    """
    if not style.split or len(_text(group, style, project_names)) <= room:
        return [group]
    places = cuts(group, style.rounding_of(group[0]))
    if not places:
        return [group]
    middle = min(places, key=lambda place: abs(2 * place - len(group)))
    halves = (group[:middle], group[middle:])
    return [part for half in halves for part in _fitting(half, style, project_names, room)]


def _line(
    members: Sequence[TimeEntry],
    key: str,
    style: Style,
    project_names: Mapping[RecordId, str],
) -> Line:
    edit = style.edits.get(key, Edit())
    price = members[0].hourly_rate
    assert price is not None  # noqa: S101 - entries without a rate are hindered before
    rounding = style.rounding_of(members[0])
    billed = billed_minutes(members, rounding)
    quantity = hours(billed)
    discount = style.discount if edit.discount is None else edit.discount
    vat_code = edit.vat_code or style.vat_code
    net = line_net(quantity, price, discount)
    text = one_line(edit.text) if edit.text is not None else _text(members, style, project_names)
    return Line(
        text=text, minutes=sum(entry.minutes for entry in members), billed=billed,
        quantity=quantity, unit_price=price, key=key, rounding=rounding, vat_code=vat_code,
        net=net, vat=expected_vat(net, vat_code), discount=discount,
        entry_ids=tuple(entry.id for entry in members),
    )  # fmt: skip


def priced(line: Line) -> Line:
    """Reckon a line's net and expected VAT from what is printed on it."""
    net = line_net(line.quantity, line.unit_price, line.discount)
    return replace(line, net=net, vat=expected_vat(net, line.vat_code))


def _text(members: Sequence[TimeEntry], style: Style, project_names: Mapping[RecordId, str]) -> str:
    names = {
        project_names.get(entry.project_id, "") if entry.project_id is not None else ""
        for entry in members
    }
    worked = hours(billed_minutes(members, style.rounding_of(members[0])))
    values = values_of(
        members, language=style.language, project=names.pop() if len(names) == 1 else "",
        customer=style.customer_name, hours=str(worked),
    )  # fmt: skip
    return fill(style.template or TEMPLATES[style.grouping], values)


def _in_order(lines: list[Line], order: Sequence[str]) -> list[Line]:
    places = {key: place for place, key in enumerate(order)}
    return sorted(lines, key=lambda line: places.get(line.key, len(places)))


def _finished(lines: list[Line], texts: Mapping[int, str], mark: str) -> list[Line]:
    own = [
        replace(line, text=one_line(texts[number])) if number in texts else line
        for number, line in enumerate(lines, 1)
    ]
    if own:
        own[0] = replace(own[0], text=with_mark(own[0].text, mark))
    return own

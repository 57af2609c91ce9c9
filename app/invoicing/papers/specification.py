"""
Write the time specification of a draft: per person, day and project, as the regulation asks; pure.

Everything comes from the frozen body of the draft, which is what the ledger keeps; nothing is read
anew. Printed amounts are the lines' own (bookkeeping regulation § 5-14).
"""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from app.invoicing.lines.difference import last_line
from app.invoicing.lines.lines import hours
from app.invoicing.lines.shapes import percent_text
from app.invoicing.papers.letters import spelled

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "nb": {
        "title": "Timespesifikasjon", "page": "Side", "seller": "Selger", "customer": "Kunde",
        "period": "Periode", "number": "Nummer", "hours": "Timer", "total": "Sum eks. mva.",
        "lines": "Linjer i utkastet", "line": "Linje", "text": "Tekst", "rate": "Pris",
        "discount": "Rabatt", "net": "Netto", "day": "Dag", "project": "Prosjekt",
        "comment": "Utført", "minutes": "Minutter", "person": "Person", "sum": "Sum",
        "rounded": "Avrunding: {worked} arbeidet, {billed} fakturert",
        "kind": "Type", "hour": "Time", "before": "Fakturert før",
    },
    "nn": {
        "title": "Timespesifikasjon", "page": "Side", "seller": "Seljar", "customer": "Kunde",
        "period": "Periode", "number": "Nummer", "hours": "Timar", "total": "Sum eks. mva.",
        "lines": "Linjer i utkastet", "line": "Linje", "text": "Tekst", "rate": "Pris",
        "discount": "Rabatt", "net": "Netto", "day": "Dag", "project": "Prosjekt",
        "comment": "Utført", "minutes": "Minutt", "person": "Person", "sum": "Sum",
        "rounded": "Avrunding: {worked} arbeidd, {billed} fakturert",
        "kind": "Type", "hour": "Time", "before": "Fakturert før",
    },
    "en": {
        "title": "Time specification", "page": "Page", "seller": "Seller", "customer": "Customer",
        "period": "Period", "number": "Number", "hours": "Hours", "total": "Total excl. VAT",
        "lines": "Lines of the draft", "line": "Line", "text": "Text", "rate": "Price",
        "discount": "Discount", "net": "Net", "day": "Day", "project": "Project",
        "comment": "Work done", "minutes": "Minutes", "person": "Person", "sum": "Sum",
        "rounded": "Rounding: {worked} worked, {billed} billed",
        "kind": "Kind", "hour": "Hour", "before": "Billed before",
    },
}  # fmt: skip
_LONG_WORD: Final = re.compile(r"\S{21,}")
_PIECE: Final = re.compile(r"\S{10}(?=\S)")
_DANGEROUS: Final = ("=", "+", "-", "@", "\t")


@dataclass(frozen=True, slots=True)
class Hour:
    """
    Hold one billed hour as it was frozen, and the number of its line; 0 where it made none.

    Args:
        taken_off: A follow-up takes off what was billed of it before.

    """

    entry_id: str
    line: int
    frozen: Mapping[str, Any]
    taken_off: bool = False

    @property
    def minutes(self) -> int:
        """Give the minutes as they count here: below zero where they are taken off."""
        minutes: int = self.frozen["minutes"]
        return -minutes if self.taken_off else minutes


@dataclass(frozen=True, slots=True)
class Sheet:
    """Hold what a specification is written from."""

    mark: str
    language: str
    seller: str
    customer: str
    lines: Sequence[Mapping[str, Any]]
    hours: Sequence[Hour]


def sheet_of(mark: str, body: Mapping[str, Any], *, seller: str) -> Sheet:
    """
    Take a draft's frozen body apart, ordered by person, day and entry.

    A follow-up shows each hour twice: as it was billed, taken off, and as it is now.
    """
    about = body.get("about", {})
    entries = body["entries"]
    found = [
        Hour(entry_id, number, entries[entry_id])
        for number, line in enumerate(body["lines"], 1)
        for entry_id in line["entryIds"]
        if entry_id in entries
    ]
    for one in about.get("corrections", ()):
        off, now = one["before"], one["now"]
        found += [Hour(one["entryId"], last_line(one), off, taken_off=True)] if off else []
        found += [Hour(one["entryId"], last_line(one), now)] if now else []
    ordered = sorted(
        found, key=lambda h: (*_person(h), h.frozen["day"], h.entry_id, not h.taken_off)
    )
    return Sheet(
        mark, about.get("language", "nb"), seller, about.get("customer", ""), body["lines"], ordered
    )


def as_csv(sheet: Sheet) -> bytes:
    """
    Write the paper as CSV that a spreadsheet opens: semicolons, decimal comma, UTF-8 with mark.

    One table: a row for each hour, one for each line, one for the sum; the kind says which. Each
    names its customer. Amounts are digits and a comma only, which every spreadsheet reads as a
    number. A text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    words = _WORDS[sheet.language]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    columns = (
        "number", "customer", "kind", "person", "day", "project", "minutes", "hours", "rate",
        "comment", "line", "discount", "net",
    )  # fmt: skip
    writer.writerow([words[name] for name in columns])
    writer.writerows([sheet.mark, _tame(sheet.customer), *row] for row in _table(sheet, words))
    return out.getvalue().encode("utf-8-sig")


def _table(sheet: Sheet, words: Mapping[str, str]) -> Iterator[list[str]]:
    for hour in sheet.hours:
        frozen = hour.frozen
        yield [
            words["hour"], _tame(frozen["employeeName"]), frozen["day"],
            _tame(frozen["project"] or ""), str(hour.minutes), _number(hours(hour.minutes)),
            _plain(frozen["rate"]), _tame(_text(hour, words)), _line_number(hour.line), "", "",
        ]  # fmt: skip
    for number, line in enumerate(sheet.lines, 1):
        yield [
            words["line"], "", "", "", str(line["minutes"]), _number(Decimal(line["quantity"])),
            _plain(line["unitPrice"]), _tame(_with_rounding(line, words)), str(number),
            _percent(line.get("discount", "0")), _plain(line["net"]),
        ]  # fmt: skip
    minutes = sum(hour.minutes for hour in sheet.hours)
    net = sum(line["net"] for line in sheet.lines)
    yield [
        words["sum"], "", "", "", str(minutes), _number(hours(minutes)), "", "", "", "",
        _plain(net),
    ]  # fmt: skip


def as_print(sheet: Sheet) -> dict[str, Any]:
    """Give the data of the printed form: finished texts only, the template reckons nothing."""
    words = _WORDS[sheet.language]
    days = [hour.frozen["day"] for hour in sheet.hours]
    minutes = sum(hour.minutes for hour in sheet.hours)
    net = sum(line["net"] for line in sheet.lines)
    return {
        "words": words,
        "mark": sheet.mark,
        "lang": sheet.language,
        "seller": sheet.seller,
        "facts": [
            [words["seller"], _folding(sheet.seller)],
            [words["customer"], _folding(sheet.customer)],
            [words["period"], f"{_day(min(days))}–{_day(max(days))}" if days else ""],
            [words["hours"], _number(hours(minutes))],
            [words["total"], _money(net)],
        ],
        "lines": _printed_lines(sheet, words),
        "groups": _groups(sheet, words),
    }


def _printed_lines(sheet: Sheet, words: Mapping[str, str]) -> dict[str, Any]:
    columns = [words[name] for name in ("line", "text", "hours", "rate", "discount", "net")]
    rows = [
        [
            str(number), _folding(_with_rounding(line, words)), _number(Decimal(line["quantity"])),
            _money(line["unitPrice"]), _percent(line.get("discount", "0")), _money(line["net"]),
        ]
        for number, line in enumerate(sheet.lines, 1)
    ]  # fmt: skip
    return {
        "name": words["lines"], "columns": columns, "rows": rows, "sum": "",
        "widths": [10, 84, 16, 20, 14, 24],
    }  # fmt: skip


def _with_rounding(line: Mapping[str, Any], words: Mapping[str, str]) -> str:
    text: str = line["text"]
    if not line.get("rounding"):
        return text
    worked, billed = _number(hours(line["minutes"])), _number(hours(line["billed"]))
    return f"{text} [{words['rounded'].format(worked=worked, billed=billed)}]"


def _groups(sheet: Sheet, words: Mapping[str, str]) -> list[dict[str, Any]]:
    people: dict[tuple[str, str], list[Hour]] = defaultdict(list)
    for hour in sheet.hours:
        people[_person(hour)].append(hour)
    columns = [words[n] for n in ("day", "project", "comment", "minutes", "hours", "rate", "line")]
    return [
        {
            "name": _folding(name),
            "columns": columns,
            "widths": [18, 34, 64, 14, 12, 18, 8],
            "rows": [_row(hour, words) for hour in own],
            "sum": _sum(own, words),
        }
        for (name, _), own in people.items()
    ]


def _sum(own: Sequence[Hour], words: Mapping[str, str]) -> str:
    minutes = sum(hour.minutes for hour in own)
    in_hours = f"{_number(hours(minutes))} {words['hours'].lower()}"
    return f"{words['sum']}: {minutes} {words['minutes'].lower()}, {in_hours}"


def _row(hour: Hour, words: Mapping[str, str]) -> list[str]:
    frozen = hour.frozen
    return [
        _day(frozen["day"]), _folding(frozen["project"] or ""), _folding(_text(hour, words)),
        str(hour.minutes), _number(hours(hour.minutes)), _money(frozen["rate"]),
        _line_number(hour.line),
    ]  # fmt: skip


def _folding(text: str) -> str:
    """
    Write a text so that the paper shows all of it.

    A sign without a letter in its fonts is spelled out; a word that no column is wide enough for,
    an address say, may go on in the next line.
    """
    whole = spelled(text)
    return _LONG_WORD.sub(lambda word: _PIECE.sub("\\g<0>\N{ZERO WIDTH SPACE}", word[0]), whole)


def _person(hour: Hour) -> tuple[str, str]:
    return (hour.frozen["employeeName"], hour.frozen["employeeId"])


def _line_number(line: int) -> str:
    return str(line) if line else ""


def _text(hour: Hour, words: Mapping[str, str]) -> str:
    frozen = hour.frozen
    first = words["before"] if hour.taken_off else ""
    parts = (first, frozen.get("comment") or "", frozen.get("overtimeType") or "")
    return " · ".join(" ".join(part.split()) for part in parts if part.strip())


def _day(day: str) -> str:
    year, month, number = day.split("-")
    return f"{number}.{month}.{year}"


def _number(value: Decimal) -> str:
    return f"{value:.2f}".replace(".", ",")


def _percent(value: str) -> str:
    return "" if Decimal(value) == 0 else f"{percent_text(value)} %".replace(".", ",")


def _money(ore: int | None) -> str:
    if ore is None:
        return ""
    sign, whole, part = "-" if ore < 0 else "", abs(ore) // 100, abs(ore) % 100
    return f"{sign}{whole:,}".replace(",", "\N{NO-BREAK SPACE}") + f",{part:02d}"


def _plain(ore: int | None) -> str:
    return _money(ore).replace("\N{NO-BREAK SPACE}", "")


def _tame(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_DANGEROUS) else cell

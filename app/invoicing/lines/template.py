"""
Write a line's text from a template with variables in braces; pure.

``{{`` and ``}}`` are braces themselves. What a variable holds is never read as a template again.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Final

from app.canonical import TimeEntry

VARIABLES: Final = frozenset(
    {"project", "customer", "period", "day", "week", "person", "comments", "overtime", "hours"}
)
LANGUAGES: Final = ("nb", "nn", "en")

_PIECE: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "nb": {"hours": "Timer", "week": "uke"},
    "nn": {"hours": "Timar", "week": "veke"},
    "en": {"hours": "Hours", "week": "week"},
}
_SEPARATORS: Final = " :,;–-"


class TemplateError(ValueError):
    """Say what is wrong with a template: ``what`` is the piece, ``place`` its character from 1."""

    def __init__(self, what: str, place: int) -> None:
        super().__init__(what)
        self.what = what
        self.place = place


def check_template(template: str) -> None:
    """
    Refuse a template that cannot be filled.

    Raises:
        TemplateError: An unknown variable or a brace without its partner.

    """
    for piece in _PIECE.finditer(template):
        text, name = piece.group(0), piece.group(1)
        if text in {"{", "}"} or (name is not None and name.strip() not in VARIABLES):
            raise TemplateError(text, piece.start() + 1)


def fill(template: str, values: Mapping[str, str]) -> str:
    """Fill a checked template; an empty variable takes the separator after it away with it."""
    written, after_nothing = "", True
    for name, plain in _pieces(template):
        if name is not None:
            value = values.get(name, "")
            written += value
            after_nothing = not value
        else:
            written += plain.lstrip(_SEPARATORS) if after_nothing else plain
            after_nothing = after_nothing and not plain.strip(_SEPARATORS)
    return one_line(written).strip(_SEPARATORS)


@lru_cache(maxsize=64)
def _pieces(template: str) -> tuple[tuple[str | None, str], ...]:
    """Take a template apart, once for all its lines: a variable's name, or plain text."""
    return tuple(
        (name.strip() if name is not None else None, text[0] if text in {"{{", "}}"} else text)
        for text, name in ((one.group(0), one.group(1)) for one in _PIECE.finditer(template))
    )


def one_line(text: str) -> str:
    """Give a text as one line without control characters, as an invoice line holds it."""
    if not text.isprintable():  # seldom, and character by character it was a tenth of a preview
        text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())


def values_of(
    members: Sequence[TimeEntry], *, language: str, project: str, customer: str, hours: str
) -> dict[str, str]:
    """Give the variables of a line's hours; several people or comments are joined once each."""
    days = [entry.day for entry in members]
    comments = dict.fromkeys(one_line(e.comment) for e in members if e.comment)
    people = dict.fromkeys(one_line(e.employee_name) for e in members if e.employee_name)
    weeks = dict.fromkeys(_week(day, language) for day in sorted(days))
    return {
        "project": project or _WORDS[language]["hours"],
        "customer": customer,
        "period": _period(min(days), max(days), language),
        "day": _day(min(days), language),
        "week": ", ".join(weeks),
        "person": ", ".join(people),
        "comments": "; ".join(comment for comment in comments if comment),
        "overtime": ", ".join(dict.fromkeys(e.overtime_type for e in members if e.overtime_type)),
        "hours": hours if language == "en" else hours.replace(".", ","),
    }


def _period(first: date, last: date, language: str) -> str:
    if first == last:
        return _day(first, language)
    return f"{_day(first, language)}–{_day(last, language)}"


def _week(day: date, language: str) -> str:
    return f"{_WORDS[language]['week']} {day.isocalendar().week}"


def _day(day: date, language: str) -> str:
    if language == "en":
        return day.isoformat()
    return f"{day.day:02d}.{day.month:02d}.{day.year}"

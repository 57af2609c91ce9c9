"""
Say which line bills an hour's expenses and kilometres, and of which hours a line bills them.

An expense has no row of its own in the hour ledger: what of it is billed stands beside it, and its
line is known by the key it was frozen with.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from app.invoicing.ledger.corrections import BILLED, CorrectionRow
from app.invoicing.lines.extras import (
    DRIVEN,
    EXPENSES,
    KILOMETRES,
    expense_key,
    extra_id,
    hours_beside,
)
from app.invoicing.store import Draft


class Beside(NamedTuple):
    """
    Say where an hour's expense, or its kilometres, is billed.

    Args:
        what: ``expenses`` or ``kilometres``.
        line_no: The draft's line, from 1; ``None`` where its texts were erased.
        net: The line's øre; ``None`` where it bills other hours' kilometres too.
        driven: The hour's kilometres, where the draft says them.

    """

    what: str
    line_no: int | None
    text: str
    net: int | None
    driven: str | None


def hours_of_line(line: Mapping[str, Any], about: Mapping[str, Any]) -> Sequence[str]:
    """
    Give the hours whose expense or kilometres a line bills.

    Args:
        about: What is frozen with the lines, as ``Draft.body`` has it.

    """
    return hours_beside(line, about.get(BILLED, {}))


def line_beside(row: CorrectionRow, draft: Draft) -> Beside:
    """Give the line that bills an hour's expense, or its kilometres."""
    by_road = row.change_id == extra_id(row.entry_id, KILOMETRES)
    what = KILOMETRES if by_road else EXPENSES
    lines = draft.body["lines"]
    number = row.line_no or _own_line(row.entry_id, row.change_id, lines, by_road=by_road)
    if number is None or number > len(lines):
        return Beside(what, None, "", None, None)
    line, about = lines[number - 1], draft.body.get("about", {})
    alone = len(hours_of_line(line, about)) == 1
    driven = about.get(DRIVEN, {}).get(row.entry_id, {}).get(DRIVEN)
    if by_road and driven is None and alone:
        driven = line["quantity"]
    return Beside(what, number, line["text"], line["net"] if alone else None,
                  driven if by_road else None)  # fmt: skip


def _own_line(
    entry_id: str, name: UUID, lines: Sequence[Mapping[str, Any]], *, by_road: bool
) -> int | None:
    key = KILOMETRES if by_road else expense_key(entry_id, name)
    return next((n for n, line in enumerate(lines, 1) if line.get("key") == key), None)

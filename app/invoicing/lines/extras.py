"""Make lines of expenses and kilometres, where a person wants them billed; pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from app.canonical import Ore, TimeEntry
from app.invoicing.lines.lines import Edit, Line, priced
from app.invoicing.lines.template import one_line
from app.invoicing.lines.wish import Wish

EXPENSES: Final = "expenses"
KILOMETRES: Final = "kilometres"

_CENT: Final = Decimal("0.01")
_WORDS: Final = {"nb": "Kilometer", "nn": "Kilometer", "en": "Kilometres"}


def further_lines(
    entries: Sequence[TimeEntry], wish: Wish, *, language: str, default_vat: str
) -> tuple[Line, ...]:
    """Give a line for each expense and one for all kilometres, each only where wished for."""
    ordered = sorted(entries, key=lambda e: (e.day, e.id))
    lines = []
    if wish.expense_vat is not None:
        lines += [
            _line(
                f"cost-{entry.id}-{number}", f"{one_line(cost.description)} ({entry.day:%d.%m.%Y})",
                Decimal("1.00"), cost.amount, wish.expense_vat, wish.edits,
            )
            for entry in ordered
            for number, cost in enumerate(entry.costs)
        ]  # fmt: skip
    driven = sum((entry.kilometers or Decimal(0) for entry in ordered), Decimal(0))
    if wish.kilometre_rate is not None and driven:
        code = wish.kilometre_vat or default_vat
        lines.append(
            _line(
                "kilometres", _WORDS[language], driven.quantize(_CENT), wish.kilometre_rate,
                code, wish.edits,
            )
        )  # fmt: skip
    return tuple(lines)


def extra_id(entry_id: str, what: str) -> UUID:
    """Name an hour's ``expenses`` or ``kilometres``, always the same: they are billed once."""
    return uuid5(NAMESPACE_URL, f"{entry_id}/{what}")


def extras_of(entry: TimeEntry) -> list[str]:
    """Say what an hour has beside time: ``expenses``, ``kilometres``, both or none."""
    there = [EXPENSES] if entry.costs else []
    return [*there, KILOMETRES] if entry.kilometers else there


def without(entries: Sequence[TimeEntry], billed: Collection[UUID]) -> list[TimeEntry]:
    """Give the hours without the expenses and kilometres that are billed already."""
    return [_without(entry, billed) if billed else entry for entry in entries]


def _without(entry: TimeEntry, billed: Collection[UUID]) -> TimeEntry:
    told = {what for what in extras_of(entry) if extra_id(entry.id, what) in billed}
    if not told:
        return entry
    return replace(
        entry,
        costs=() if EXPENSES in told else entry.costs,
        kilometers=None if KILOMETRES in told else entry.kilometers,
    )


def split_extras(
    entries: Sequence[TimeEntry], wish: Wish
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Give what a draft bills of expenses and kilometres, and what it leaves out, by hour."""
    wanted = {
        what
        for what, value in ((EXPENSES, wish.expense_vat), (KILOMETRES, wish.kilometre_rate))
        if value is not None
    }
    billed, left = {}, {}
    for entry in entries:
        there = extras_of(entry)
        if taken := [what for what in there if what in wanted]:
            billed[str(entry.id)] = taken
        if missed := [what for what in there if what not in wanted]:
            left[str(entry.id)] = missed
    return billed, left


def _line(
    key: str, text: str, quantity: Decimal, price: Ore, vat_code: str, edits: Mapping[str, Edit]
) -> Line:
    edit = edits.get(key, Edit())
    return priced(
        Line(
            text=text if edit.text is None else one_line(edit.text), minutes=0, quantity=quantity,
            unit_price=price, vat_code=edit.vat_code or vat_code, net=Ore(0), vat=Ore(0),
            entry_ids=(), key=key, discount=edit.discount or Decimal(0),
        )
    )  # fmt: skip

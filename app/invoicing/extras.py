"""Make lines of expenses and kilometres, where a person wants them billed; pure."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from app.canonical import Ore, TimeEntry
from app.invoicing.lines import Edit, Line, priced
from app.invoicing.template import one_line
from app.invoicing.wish import Wish

_CENT: Final = Decimal("0.01")
_KILOMETRES: Final = {"nb": "Kilometer", "nn": "Kilometer", "en": "Kilometres"}


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
                "kilometres", _KILOMETRES[language], driven.quantize(_CENT), wish.kilometre_rate,
                code, wish.edits,
            )
        )  # fmt: skip
    return tuple(lines)


def extras_left(
    entries: Sequence[TimeEntry], *, expenses: bool, kilometres: bool
) -> dict[str, list[str]]:
    """Give what a draft leaves out, by hour: ``expenses``, ``kilometres`` or both."""
    found: dict[str, list[str]] = {}
    for entry in entries:
        own = [
            what
            for what, there in (
                ("expenses", entry.costs and not expenses),
                ("kilometres", entry.kilometers and not kilometres),
            )
            if there
        ]
        if own:
            found[entry.id] = own
    return found


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

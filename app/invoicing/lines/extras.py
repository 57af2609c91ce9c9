"""
Make lines of expenses and kilometres, where a person wants them billed, each once; pure.

An expense has no id in the time system: it is known by what it is and what it costs.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from app.canonical import Cost, EntryId, Ore, TimeEntry
from app.invoicing.lines.lines import Edit, Line, priced
from app.invoicing.lines.template import one_line
from app.invoicing.lines.wish import Wish

EXPENSES: Final = "expenses"
KILOMETRES: Final = "kilometres"
DRIVEN: Final = "driven"
"""Names, in a draft's frozen body, the kilometres it bills and their rate, by entry id."""

Billed = Mapping[str, Collection[UUID]]
"""What is billed of hours beside time, by entry id: the names that ``extra_id`` gives."""

_COST: Final = "cost-"
_CENT: Final = Decimal("0.01")
_WORDS: Final = {"nb": "Kilometer", "nn": "Kilometer", "en": "Kilometres"}
_SPENT: Final = {"nb": "Utlegg", "nn": "Utlegg", "en": "Expense"}
"""What an expense is called that has no text of its own."""


@dataclass(frozen=True, slots=True)
class Extra:
    """
    Hold an expense of an hour, or its kilometres.

    Args:
        what: Names it among what the hour has: its kind, and an expense's text and øre, counted
            where several are alike.
        cost: The expense; ``None`` for kilometres.

    """

    what: str
    cost: Cost | None = None

    @property
    def kind(self) -> str:
        """Give ``expenses`` or ``kilometres``."""
        return KILOMETRES if self.cost is None else EXPENSES


def extra_id(entry_id: str, what: str) -> UUID:
    """Name an hour's expense or kilometres, always the same: they are billed once."""
    return uuid5(NAMESPACE_URL, f"{entry_id}/{what}")


def extras_of(entry: TimeEntry, billed: Billed | None = None) -> list[Extra]:
    """
    Give what an hour has beside time that is not billed yet; an expense of no kroner is nothing.

    Where a billed expense is there no more it was changed: what is new may be the same under
    another text or sum, and is not billed a second time. So with all expenses of an hour that were
    billed under one name, as was done before each had its own.
    """
    if not entry.costs and not entry.kilometers:  # most hours, and naming things costs
        return []
    costs = _costs(entry)
    driven = [Extra(KILOMETRES)] if entry.kilometers else []
    known = set((billed or {}).get(entry.id, ())) - {extra_id(entry.id, KILOMETRES)}
    changed = known - {extra_id(entry.id, one.what) for one in costs}
    there = [*(() if changed else costs), *driven]
    taken = (billed or {}).get(entry.id, ())
    return [one for one in there if extra_id(entry.id, one.what) not in taken]


def expenses_of(extras: Iterable[Extra]) -> list[Cost]:
    """Give the expenses among these."""
    return [one.cost for one in extras if one.cost is not None]


def kilometres_of(entry: TimeEntry, extras: Iterable[Extra]) -> Decimal:
    """Give an hour's kilometres where they are among these, as they are printed."""
    driven = any(one.cost is None for one in extras) and entry.kilometers
    return (driven or Decimal(0)).quantize(_CENT)


def costs_by_id(entry: TimeEntry) -> dict[str, Ore]:
    """Give what each expense of an hour comes to, by ``extra_id``."""
    return {str(extra_id(entry.id, one.what)): one.cost.amount for one in _costs(entry) if one.cost}


def unbilled_costs(entry_id: str, costs: Mapping[str, Ore], billed: Collection[UUID]) -> Ore:
    """Sum the expenses of ``costs_by_id`` that ``extras_of`` gives where this is billed already."""
    known = {str(one) for one in billed if one != extra_id(entry_id, KILOMETRES)}
    left = {} if known - costs.keys() else {n: o for n, o in costs.items() if n not in known}
    return Ore(sum(left.values()))


def _costs(entry: TimeEntry) -> list[Extra]:
    found, alike = [], Counter[Cost]()
    for cost in entry.costs:
        if cost.amount:
            name = f"{EXPENSES}/{cost.amount}/{alike[cost]}/{cost.description}"
            found.append(Extra(name, cost))
            alike[cost] += 1
    return found


def further_lines(
    entries: Sequence[TimeEntry],
    wish: Wish,
    *,
    language: str,
    default_vat: str,
    billed: Billed | None = None,
) -> tuple[Line, ...]:
    """
    Give a line for each expense and one for all kilometres, each only where wished for.

    An hour without minutes has no line of its own: the first of these that bills of it names it, so
    that it too is in exactly one line.
    """
    lines, driven = [], Decimal(0)
    unnamed = {entry.id for entry in entries if entry.minutes <= 0}
    drivers: list[EntryId] = []
    for entry in sorted(entries, key=lambda e: (e.day, e.id)):
        for one in extras_of(entry, billed):
            if one.cost is None:
                driven += entry.kilometers or 0
                drivers += [entry.id] if entry.id in unnamed else []
            elif wish.expense_vat is not None:
                line = expense_line(entry, one, wish, language=language)
                named = (entry.id,) if entry.id in unnamed else ()
                lines.append(replace(line, entry_ids=named))
                unnamed.discard(entry.id)
    if wish.kilometre_rate is not None and driven:
        line = kilometre_line(KILOMETRES, driven, wish, language=language, default_vat=default_vat)
        lines.append(replace(line, entry_ids=tuple(drivers)))
    return tuple(lines)


def expense_line(entry: TimeEntry, extra: Extra, wish: Wish, *, language: str) -> Line:
    """Give the line of one expense, by the wish's code for them."""
    assert extra.cost is not None and wish.expense_vat is not None  # noqa: S101, PT018 - chosen so
    what = one_line(extra.cost.description) or _SPENT[language]
    text = f"{what} ({entry.day:%d.%m.%Y})"
    key = expense_key(entry.id, extra_id(entry.id, extra.what))
    return _line(key, text, Decimal("1.00"), extra.cost.amount, wish.expense_vat, wish.edits)


def expense_key(entry_id: str, name: UUID) -> str:
    """
    Name the line of an hour's expense.

    Of what it is, never of its place: others come before it, and its edit would be of another.
    """
    return f"{_COST}{entry_id}-{name.hex[-12:]}"


def hours_beside(line: Mapping[str, Any], billed: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """
    Give the hours whose expense or kilometres a frozen line bills; none for a line of time.

    Args:
        billed: The names of what its draft bills beside its own hours' time, by entry id.

    """
    key: str = line.get("key", "")
    if key.startswith((_COST, f"{KILOMETRES}-")) and line["entryIds"]:
        return list(line["entryIds"])  # of a draft of what was left out: each line is one hour's
    if key == KILOMETRES:
        return sorted(entry_id for entry_id, names in billed.items() if KILOMETRES in names)
    entry_id = key.removeprefix(_COST).rpartition("-")[0] if key.startswith(_COST) else ""
    return [entry_id] if entry_id in billed else []


def kilometre_line(
    key: str, driven: Decimal, wish: Wish, *, language: str, default_vat: str
) -> Line:
    """Give the line of kilometres, by the wish's rate and code for them."""
    assert wish.kilometre_rate is not None  # noqa: S101 - chosen so
    code = wish.kilometre_vat or default_vat
    return _line(
        key, _WORDS[language], driven.quantize(_CENT), wish.kilometre_rate, code, wish.edits
    )


def split_extras(
    entries: Sequence[TimeEntry], wish: Wish, *, billed: Billed | None = None
) -> tuple[dict[str, list[Extra]], dict[str, list[Extra]]]:
    """Give what a draft bills of expenses and kilometres, and what it leaves out, by hour."""
    wanted = {
        kind
        for kind, value in ((EXPENSES, wish.expense_vat), (KILOMETRES, wish.kilometre_rate))
        if value is not None
    }
    takes: dict[str, list[Extra]] = {}
    leaves: dict[str, list[Extra]] = {}
    for entry in entries:
        for one in extras_of(entry, billed):
            side = takes if one.kind in wanted else leaves
            side.setdefault(str(entry.id), []).append(one)
    return takes, leaves


def extra_names(extras: Mapping[str, Sequence[Extra]]) -> dict[str, list[str]]:
    """Give each hour's expenses and kilometres by name, as JSON."""
    return {entry_id: [one.what for one in there] for entry_id, there in extras.items()}


def expense_ore(what: str) -> Ore | None:
    """Read an expense's øre from its name; ``None`` of any other name."""
    kind, _, rest = what.partition("/")
    return Ore(int(rest.partition("/")[0])) if kind == EXPENSES and rest else None


def driven_at(
    entries: Sequence[TimeEntry], takes: Mapping[str, Sequence[Extra]], rate: Ore | None
) -> dict[str, Any]:
    """Give the kilometres that are billed of each hour, and at what rate, as JSON."""
    return {
        entry.id: {DRIVEN: str((entry.kilometers or Decimal(0)).quantize(_CENT)), "rate": rate}
        for entry in entries
        if any(one.cost is None for one in takes.get(entry.id, ()))
    }


def kinds(extras: Mapping[str, Sequence[Extra]]) -> dict[str, list[str]]:
    """Say of each hour whether it has expenses, kilometres or both."""
    return {
        entry_id: list(dict.fromkeys(one.kind for one in there))
        for entry_id, there in extras.items()
    }


def worthless(entries: Sequence[TimeEntry]) -> list[str]:
    """Give the hours with an expense of no kroner, which is never a line."""
    return [entry.id for entry in entries if any(not cost.amount for cost in entry.costs)]


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

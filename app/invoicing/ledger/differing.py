"""Say what of a draft's lines and sums is otherwise in the books; pure."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from app.invoicing.ledger.matched import match_lines
from app.systems.documents import RemoteLine

_ROUNDED: Final = Decimal("0.005")
"""Ours have two decimals; the books may keep as many, and no edit is smaller."""

Side = dict[str, Any]


def differing_lines(
    ours: Mapping[int, Mapping[str, Any]], theirs: Sequence[RemoteLine]
) -> list[dict[str, Any]]:
    """
    Compare our lines with the books'; a side without the line has null there.

    Paired are lines that say the same, wherever they stand, and what is left by place: a line that
    merely moved is no difference. Lines that only the books have are numbered after ours.

    ``what`` names the members that differ, or ``line`` where one side lacks it. What the books do
    not say is null on their side and not compared.

    Args:
        ours: By their numbers from 1, in that order; a line that was released is not among them.

    """
    found = []
    for number, line in _paired(ours, theirs).items():
        mine = _ours(ours[number]) if number in ours else None
        other = None if line is None else _theirs(line)
        what = _what_differs(mine, other)
        if what:
            found.append({"line": number, "what": what, "ours": mine, "theirs": other})
    return found


def _paired(
    ours: Mapping[int, Mapping[str, Any]], theirs: Sequence[RemoteLine]
) -> dict[int, RemoteLine | None]:
    """Give the line in the books of each number, those that only the books have at the end."""
    others, same = list(theirs), dict[int, RemoteLine]()
    for number, line in ours.items():
        alike = (o for o in others if o.text == line["text"] and o.net in {None, line["net"]})
        _take(same, number, next(alike, None), others)
    rest = {number: line for number, line in ours.items() if number not in same}
    for number, other in match_lines(rest, others).lines.items():
        _take(same, number, other, others)
    for number in ours:
        if number not in same and others:
            _take(same, number, others[0], others)
    after = max(ours, default=0) + 1
    return {number: same.get(number) for number in ours} | dict(enumerate(others, after))


def _take(
    same: dict[int, RemoteLine], number: int, other: RemoteLine | None, others: list[RemoteLine]
) -> None:
    if other is not None:
        same[number] = other
        others.remove(other)


def total_differs(
    *, net: int, vat: int, lines: int, their_net: int | None, their_vat: int | None
) -> bool:
    """
    Say whether the books' sums are not ours: net strictly, VAT beyond an øre a line.

    VAT is the books' own arithmetic; ours is an expectation.
    """
    if their_net is not None and their_net != net:
        return True
    return their_vat is not None and abs(their_vat - vat) > lines


def _ours(line: Mapping[str, Any]) -> Side:
    return {
        "text": line["text"], "netOre": line["net"], "hours": line["quantity"],
        "unitPriceOre": line["unitPrice"], "discountPercent": line.get("discount", "0"),
        "vatCode": line["vatCode"],
    }  # fmt: skip


def _theirs(line: RemoteLine) -> Side:
    return {
        "text": line.text, "netOre": line.net, "hours": _number(line.quantity),
        "unitPriceOre": line.unit_price, "discountPercent": _number(line.discount),
        "vatCode": line.vat_code,
    }  # fmt: skip


def _number(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _what_differs(mine: Side | None, other: Side | None) -> list[str]:
    if mine is None or other is None:
        return ["line"]
    return [name for name, value in mine.items() if not _same(name, value, other[name])]


def _same(name: str, value: Any, other: Any) -> bool:  # noqa: ANN401 - as the member has it
    if other is None:
        return True
    if name in {"hours", "discountPercent"}:
        return abs(Decimal(value) - Decimal(other)) < _ROUNDED
    return bool(value == other)

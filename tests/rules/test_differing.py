"""What a person changed on a draft or invoice in the books is told line by line."""

from decimal import Decimal
from typing import Any

import pytest

from app.canonical import Ore
from app.invoicing.ledger.differing import differing_lines, total_differs
from app.systems.documents import RemoteLine


def ours(*lines: tuple[str, int]) -> dict[int, dict[str, Any]]:
    whole = {"quantity": "1.50", "unitPrice": 100, "discount": "10", "vatCode": "high"}
    return {n: {"text": text, "net": net, **whole} for n, (text, net) in enumerate(lines, 1)}


def theirs(*lines: tuple[str, int | None]) -> tuple[RemoteLine, ...]:
    return tuple(RemoteLine(text, None if net is None else Ore(net)) for text, net in lines)


@pytest.mark.parametrize(
    ("books", "places"),
    [
        ([("a", 1), ("b", 2)], []),
        ([("a", None), ("b", 2)], []),
        ([("a", 3), ("b", 2)], [1]),
        ([("a", 1)], [2]),
        ([("a", 1), ("b", 2), ("c", 3)], [3]),
        ([("x", 1), ("b", 2)], [1]),
        ([("b", 2)], [1]),
        ([("b", 2), ("a", 1)], []),
        ([("b", None), ("a", None)], []),
        ([("c", 3), ("a", 1), ("b", 2)], [3]),
        ([("b", 2), ("a", 3)], [1]),
        ([("x", 9)], [1, 2]),
        ([], [1, 2]),
    ],
)
def test_lines_are_compared(books: list[tuple[str, int | None]], places: list[int]) -> None:
    """A net that the books do not say is not compared."""
    found = differing_lines(ours(("a", 1), ("b", 2)), theirs(*books))

    assert [one["line"] for one in found] == places


@pytest.mark.parametrize(
    ("books", "what"),
    [
        (RemoteLine("a", Ore(1), Decimal("1.5"), Ore(100), Decimal(10), "high"), []),
        (RemoteLine("a", Ore(1), Decimal("1.504"), None, Decimal("10.004"), None), []),
        (RemoteLine("a", Ore(1), Decimal("0.75"), Ore(200)), ["hours", "unitPriceOre"]),
        (RemoteLine("a", Ore(1), discount=Decimal(0)), ["discountPercent"]),
        (RemoteLine("a", Ore(1), vat_code="low"), ["vatCode"]),
        (RemoteLine("b", Ore(2)), ["text", "netOre"]),
    ],
)
def test_what_differs_of_a_line_is_named(books: RemoteLine, what: list[str]) -> None:
    """Below half a hundredth is the books' rounding; what they do not say is not compared."""
    found = differing_lines(ours(("a", 1)), [books])

    assert [one["what"] for one in found] == ([what] if what else [])


def test_both_sides_of_a_line_are_told_and_the_one_that_lacks_it() -> None:
    whole, missing = differing_lines(
        ours(("a", 1), ("b", 2)), [RemoteLine("a", Ore(1), Decimal("2.0"))]
    )

    assert (whole["ours"]["hours"], whole["theirs"]["hours"]) == ("1.50", "2.0")
    assert whole["theirs"]["vatCode"] is None
    assert (missing["what"], missing["theirs"]) == (["line"], None)


def test_a_mark_that_was_moved_to_another_line_is_told_of_both() -> None:
    """Two lines that say the same, the mark apart, are not taken for each other."""
    marked, plain = "a (spes. TR-7K3QF9M2)", "a"

    assert differing_lines(ours((marked, 1), (plain, 1)), theirs((plain, 1), (marked, 1))) == []
    found = differing_lines(ours((marked, 1), ("b", 2)), theirs(("a", 1), ("b (TR-7K3QF9M2)", 2)))
    assert [(one["line"], one["what"]) for one in found] == [(1, ["text"]), (2, ["text"])]


def test_lines_of_a_released_number_are_not_missed() -> None:
    left = {n: line for n, line in ours(("a", 1), ("b", 2), ("c", 3)).items() if n != 2}

    found = differing_lines(left, theirs(("c", 3), ("a", 1), ("d", 4)))

    assert [(one["line"], one["ours"]) for one in found] == [(4, None)]


@pytest.mark.parametrize(
    ("net", "vat", "differs"),
    [(100, 25, False), (None, None, False), (101, 25, True), (100, 27, False), (100, 28, True)],
)
def test_sums_differ_by_net_strictly_and_by_vat_beyond_an_ore_a_line(
    net: int | None, vat: int | None, differs: bool
) -> None:
    """The books' own arithmetic of VAT is theirs."""
    assert total_differs(net=100, vat=25, lines=2, their_net=net, their_vat=vat) is differs

"""The worked examples of `docs/money.md` are what the code computes."""

import re
from pathlib import Path

import pytest

from app.canonical import Ore
from app.invoicing.lines import hours, line_net

TEXT = (Path(__file__).parents[2] / "docs" / "money.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([\d +]+) \| ([\d,]+) \| ([\d ,]+) \| ([\d ,]+) \|$", TEXT, re.MULTILINE)


def _ore(text: str) -> int:
    return int(text.replace(" ", "").replace(",", ""))


@pytest.mark.parametrize(("minutes", "quantity", "price", "net"), ROWS)
def test_an_example_of_the_document_is_true(
    minutes: str, quantity: str, price: str, net: str
) -> None:
    """Hours and line are those printed in the document."""
    summed = sum(int(part) for part in minutes.split("+"))

    assert str(hours(summed)).replace(".", ",") == quantity
    assert line_net(hours(summed), Ore(_ore(price))) == _ore(net)


def test_there_are_examples() -> None:
    """The pattern finds the table."""
    assert len(ROWS) == 4

"""The worked examples of `docs/money.md` are what the code computes."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from app.canonical import EntryId, Ore
from app.invoicing.lines.difference import Changed, corrections
from app.invoicing.lines.lines import Line, hours, line_net
from app.invoicing.lines.rounding import Direction, Per, Rounding, Worked, billed_minutes
from app.invoicing.lines.shapes import line_to_json
from app.invoicing.lines.vat import expected_vat

TEXT = (Path(__file__).parents[2] / "docs" / "money.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([\d +]+) \| ([\d,]+) \| ([\d ,]+) \| ([\d ,]+) \|$", TEXT, re.MULTILINE)


def _table(heading: str) -> list[list[str]]:
    part = TEXT.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line for line in part.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in rows]


BILLED, FOLLOWED = _table("Increments and discount"), _table("A follow-up")


def _ore(text: str) -> int:
    return int(text.replace(" ", "").replace(",", ""))


def _percent(text: str) -> Decimal:
    return Decimal(text.removesuffix(" %").replace(",", "."))


def _printed(quantity: Decimal) -> str:
    return str(quantity).replace(".", ",")


def _hours(minutes: str) -> list[Worked]:
    return [
        Worked(f"ent_{number}", date(2026, 11, 20), "emp_1", int(part))
        for number, part in enumerate(minutes.split("+"))
    ]


def _rounding(text: str) -> Rounding | None:
    if text == "none":
        return None
    step, direction, _, per = text.split()
    return Rounding(int(step), Direction(direction), Per(per))


@pytest.mark.parametrize(("minutes", "quantity", "price", "net"), ROWS)
def test_an_example_of_the_document_is_true(
    minutes: str, quantity: str, price: str, net: str
) -> None:
    """Hours and line are those printed in the document."""
    summed = sum(int(part) for part in minutes.split("+"))

    assert str(hours(summed)).replace(".", ",") == quantity
    assert line_net(hours(summed), Ore(_ore(price))) == _ore(net)


@pytest.mark.parametrize("row", BILLED, ids=lambda row: f"{row[0]}-{row[1]}")
def test_an_example_with_increments_is_true(row: list[str]) -> None:
    """Billed hours, line and VAT are those printed."""
    worked, increment, quantity, price, discount, net, vat = row
    rounding = _rounding(increment)
    minutes = billed_minutes(_hours(worked), rounding)
    line = line_net(hours(minutes), Ore(_ore(price)), _percent(discount))
    code, expected = vat.split(": ")

    assert _printed(hours(minutes)) == quantity
    assert (line, expected_vat(line, code)) == (_ore(net), _ore(expected))


@pytest.mark.parametrize("row", FOLLOWED, ids=lambda row: f"{row[0]}-{row[1]}-{row[2]}")
def test_an_example_of_a_follow_up_is_true(row: list[str]) -> None:
    """What was billed and what the follow-up bills are those printed."""
    was, now, increment, price, discount, before, follow_up = row
    rounding, percent = _rounding(increment), _percent(discount)
    billed, today = (billed_minutes(_hours(one), rounding) for one in (was, now))
    line = Line(
        text="", minutes=int(was), billed=billed, quantity=hours(billed),
        unit_price=Ore(_ore(price)), vat_code="high", net=Ore(0), vat=Ore(0),
        entry_ids=(EntryId("ent_0"),), discount=percent, rounding=rounding,
    )  # fmt: skip
    frozen = {
        "day": "2026-11-20", "employeeId": "emp_1", "employeeName": "Kari", "rate": _ore(price),
    }  # fmt: skip
    (found,) = corrections(
        line_to_json(line), {"ent_0": {**frozen, "minutes": int(was)}},
        [Changed("c", "ent_0", {**frozen, "minutes": int(now)} if int(now) else None)],
        language="nb",
    )  # fmt: skip
    quantity, net = follow_up.split(" h: ")

    assert line_net(hours(billed), Ore(_ore(price)), percent) == _ore(before)
    assert sum(piece.net for piece in found.lines) == _ore(net)
    pieces = sum((piece.quantity for piece in found.lines), Decimal("0.00"))
    assert _printed(pieces) == quantity == _printed(hours(today) - hours(billed))


def test_there_are_examples() -> None:
    """The patterns find the tables."""
    assert (len(ROWS), len(BILLED), len(FOLLOWED)) == (4, 4, 5)

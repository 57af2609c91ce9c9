"""What a draft is frozen as comes back as it was, and is what the books are asked for."""

import json
from decimal import Decimal
from typing import Any

import pytest

from app.canonical import EntryId, Ore
from app.invoicing.lines.lines import Line
from app.invoicing.lines.rounding import Direction, Per, Rounding
from app.invoicing.lines.shapes import freeze, is_as_frozen, line_from_json, line_to_json, order_of

LINE = Line(
    text="Tilbygg (spes. TR-7K3QF9M2)", minutes=65, quantity=Decimal("1.25"),
    unit_price=Ore(95_000), vat_code="high", net=Ore(106_875), vat=Ore(26_719),
    entry_ids=(EntryId("ent_1"),), key="prj_1", billed=75, discount=Decimal(10),
    rounding=Rounding(15, Direction.UP, Per.LINE),
)  # fmt: skip


def frozen(project: str | None = "77", **changed: Any) -> tuple[dict[str, Any], bytes]:
    facts: dict[str, Any] = {
        "customer_id": "10001", "project_id": project, "minutes": {"ent_1": 65},
        "entries": {"ent_1": {"minutes": 65}}, "about": {"language": "nb"},
    } | changed  # fmt: skip
    return freeze([line_to_json(LINE)], **facts)


def test_a_line_comes_back_as_it_was() -> None:
    assert line_from_json(line_to_json(LINE)) == LINE


def test_a_line_of_before_increments_bills_its_worked_minutes() -> None:
    """Rows written by an older version lack what came later."""
    old = {
        name: value
        for name, value in line_to_json(LINE).items()
        if name not in {"key", "billed", "discount", "rounding"}
    }

    read = line_from_json(old)

    assert (read.key, read.billed, read.discount, read.rounding) == ("", 65, Decimal(0), None)


@pytest.mark.parametrize("project", ["77", None])
def test_the_books_are_asked_for_what_was_frozen(project: str | None) -> None:
    order = order_of(frozen(project)[0])

    assert (order.customer_id, order.project_id) == ("10001", project)
    (line,) = order.lines
    assert (line.text, line.vat_code) == (LINE.text, "high")
    assert (line.quantity, line.unit_price, line.discount_percent) == (
        Decimal("1.25"), 95_000, Decimal(10),
    )  # fmt: skip


def test_the_print_tells_two_bodies_apart_and_equal_ones_not() -> None:
    assert frozen()[1] == frozen()[1]
    assert len({frozen()[1], frozen(None)[1], frozen(minutes={"ent_1": 66})[1]}) == 3


def test_a_body_is_known_again_after_the_database_kept_it() -> None:
    """Its members may come back in another order, and a changed one is none."""
    body, digest = frozen(about={"språk": "nynorsk – «ja»", "a": [1, {"c": None, "b": True}]})
    kept = json.loads(json.dumps(dict(reversed(body.items()))))

    assert is_as_frozen(kept, digest)
    assert not is_as_frozen({**kept, "customerId": "10002"}, digest)

"""A person edits single lines in Conta: what differs is told, and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.features.invoicing.bookkeeper import Bookkeeper
from tests.features.invoicing.test_drafts import drafts_with
from tests.features.invoicing.test_followed import person
from tests.features.invoicing.test_merged import seen

Lines = list[dict[str, Any]]


async def edited(
    kari: Bookkeeper, draft: dict[str, Any], change: Callable[[Lines], Lines]
) -> dict[str, Any]:
    """Change a draft's lines in Conta and let that be seen."""
    (stored,) = await drafts_with(kari.twins, draft["mark"])
    lines = change(stored["invoiceDraftLines"])
    await person(kari.twins, f"drafts/{draft['contaDraftIds'][0]}/edit", lines=lines)
    (shown,) = await seen(kari, draft)
    return shown


def second(**fields: Any) -> Callable[[Lines], Lines]:
    return lambda lines: [one | fields if n == 1 else one for n, one in enumerate(lines)]


async def test_another_vat_code_is_told_of_the_draft_and_of_its_invoice(kari: Bookkeeper) -> None:
    """The net is the same, so it stood as if nothing were changed; the customer pays less."""
    draft = await kari.bill(grouping="entry")

    stands = await edited(kari, draft, second(vatCode="exempted"))
    await person(kari.twins, f"drafts/{draft['contaDraftIds'][0]}/send")
    (sent,) = await seen(kari, draft)

    for one, what in ((stands, "edited"), (sent, "sent")):
        assert (one["became"]["what"], one["problem"]) == (what, "remote-total-differs")
        assert [(d["line"], d["what"]) for d in one["differs"]] == [(2, ["vatCode"])]
        sides = one["differs"][0]
        assert (sides["ours"]["vatCode"], sides["theirs"]["vatCode"]) == ("high", "exempted")


@pytest.mark.parametrize(
    ("half", "what"),
    [
        (lambda line: {"quantity": line["quantity"] * 2, "price": line["price"] / 2}, "hours"),
        (lambda line: {"price": line["price"] * 2, "discount": 50}, "unitPriceOre"),
    ],
)
async def test_another_way_to_the_same_sum_is_told_too(
    kari: Bookkeeper, half: Any, what: str
) -> None:
    draft = await kari.bill(grouping="entry")

    shown = await edited(kari, draft, lambda lines: [lines[0] | half(lines[0]), *lines[1:]])

    assert (shown["became"]["what"], shown["problem"]) == ("edited", None)
    assert [one["line"] for one in shown["differs"]] == [1]
    assert what in shown["differs"][0]["what"]


async def test_a_draft_nobody_edited_differs_in_nothing(kari: Bookkeeper) -> None:
    draft = await kari.bill(grouping="entry", discountPercent="12.5")
    (stands,) = await seen(kari, draft)
    await person(kari.twins, f"drafts/{draft['contaDraftIds'][0]}/send")
    (sent,) = await seen(kari, draft)

    assert [one["differs"] for one in (draft, stands, sent)] == [[], [], []]
    assert (stands["became"]["what"], sent["became"]["what"]) == ("open", "sent")


async def test_a_line_taken_out_is_the_only_one_that_differs(kari: Bookkeeper) -> None:
    draft = await kari.bill(grouping="entry")

    shown = await edited(kari, draft, lambda lines: [lines[0], *lines[2:]])

    assert len(draft["lines"]) > 3
    assert [(one["line"], one["what"]) for one in shown["differs"]] == [(2, ["line"])]
    assert (shown["became"]["what"], shown["problem"]) == ("edited", "remote-total-differs")


async def test_lines_in_another_order_differ_in_nothing(kari: Bookkeeper) -> None:
    draft = await kari.bill(grouping="entry")

    shown = await edited(kari, draft, lambda lines: lines[::-1])

    assert (shown["differs"], shown["became"]["what"], shown["problem"]) == ([], "open", None)

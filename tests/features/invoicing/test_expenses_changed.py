"""Expenses and kilometres that were billed and are otherwise now: told of, and billed once."""

from typing import Any

import pytest

from tests.features.invoicing.bookkeeper import Bookkeeper
from tests.features.invoicing.test_drafts import previewed
from tests.features.invoicing.test_preview import change

EVERYTHING = {"expenseVatCode": "exempted", "kilometres": {"rateOre": 350}}


def hotel(amount: str, text: str = "Hotell") -> list[dict[str, str]]:
    return [{"description": text, "amount": amount}]


async def told(kari: Bookkeeper) -> list[tuple[str, int, int]]:
    await kari.look()
    found = (await kari.get("changed-hours"))["expensesChanged"]
    return [(one["what"], one["beforeOre"], one["afterOre"]) for one in found]


@pytest.fixture
async def hour(kari: Bookkeeper, twins: Any) -> str:
    """Give an hour with a hotel and ten kilometres."""
    found = (await previewed(kari.client, kari.link, grouping="entry"))["lines"][0]["entryIds"][0]
    await change(twins, found, costs=hotel("1500"), kilometers="10")
    return str(found)


async def test_what_was_raised_after_it_was_billed_is_told_while_it_differs(
    kari: Bookkeeper, twins: Any, hour: str
) -> None:
    """With old and new øre; nothing bills the difference, and it is told of no more once equal."""
    draft = await kari.bill(grouping="entry", **EVERYTHING)
    before = await told(kari)
    await change(twins, hour, costs=hotel("2500"), kilometers="90")

    raised = await told(kari)

    assert before == []
    assert raised == [("expenses", 150_000, 250_000), ("kilometres", 3_500, 31_500)]
    (first, _) = (await kari.get("changed-hours"))["expensesChanged"]
    assert (first["draftId"], first["entryId"]) == (draft["id"], hour)
    again = await kari.post(f"invoice-drafts/{draft['id']}/left-out", **EVERYTHING)
    assert again.json()["code"] == "nothing-to-bill"
    assert (await kari.get("changed-hours"))["expensesAdded"] == []
    await change(twins, hour, costs=hotel("1500", "Hotell Bergen"), kilometers="90")
    assert await told(kari) == [("kilometres", 3_500, 31_500)]
    await change(twins, hour, costs=[], kilometers=None)
    assert await told(kari) == [("expenses", 150_000, 0), ("kilometres", 3_500, 0)]
    await change(twins, hour, costs=hotel("1500"), kilometers="10")
    assert await told(kari) == []


async def test_what_a_draft_of_its_own_billed_is_told_until_that_is_released(
    kari: Bookkeeper, twins: Any, hour: str
) -> None:
    draft = await kari.bill(grouping="entry")
    shown = await kari.post(f"invoice-drafts/{draft['id']}/left-out", **EVERYTHING)
    later = await kari.send(shown.json())
    await change(twins, hour, costs=hotel("2500"), kilometers="90")

    raised = await told(kari)

    assert raised == [("expenses", 150_000, 250_000), ("kilometres", 3_500, 31_500)]
    await kari.in_conta(later, "send")
    await kari.in_conta(later, "credit")
    assert (await kari.release(later)).json()["state"] == "released"
    assert (await kari.get("changed-hours"))["expensesChanged"] == []


async def test_what_stands_billed_of_an_hour_that_moved_is_told(
    kari: Bookkeeper, twins: Any, hour: str
) -> None:
    """It is another customer's now, or gone: nothing of it is the first one's."""
    draft = await kari.bill(grouping="entry", **EVERYTHING)
    await change(twins, hour, customerId="cus_9")

    moved = await told(kari)

    assert moved == [("expenses", 150_000, 0), ("kilometres", 3_500, 0)]
    await kari.in_conta(draft, "delete")
    assert (await kari.release(draft)).json()["state"] == "released"
    assert (await kari.get("changed-hours"))["expensesChanged"] == []

"""Several customers at once: the expenses and kilometres of each are billed as a single one's."""

from typing import Any

import pytest

from tests.features.invoicing.bookkeeper import Bookkeeper
from tests.features.invoicing.test_drafts import drafts_with, previewed
from tests.features.invoicing.test_preview import change, codes

EVERYTHING = {"expenseVatCode": "exempted", "kilometres": {"rateOre": 500}}


@pytest.fixture
async def customers(kari: Bookkeeper) -> list[str]:
    """Give a customer with an expense, one with kilometres, and one with neither."""
    found = (await kari.get("billable-entries"))["items"]
    own = {one["customerId"]: one["id"] for one in found[::-1] if one["billable"]}
    spent, driven, neither = sorted(own)[:3]
    await change(kari.twins, own[spent], costs=[{"description": "Parkering", "amount": "120"}])
    await change(kari.twins, own[driven], kilometers="18.5")
    return [spent, driven, neither]


def billed(preview: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Give what a preview says but for its mark, which is in its first line's text."""
    own = preview["mark"]
    return [
        (one["text"].replace(own, ""), one["netOre"], one["vatCode"]) for one in preview["lines"]
    ]


async def test_each_customers_expenses_are_billed_as_in_a_preview_of_one(
    kari: Bookkeeper, customers: list[str]
) -> None:
    """Line by line, also by what is remembered of one of them; nothing is told of as left out."""
    put = await kari.client.put(
        f"{kari.link.path}/billing-choices/customer:{customers[1]}", headers=kari.link.books,
        json={"vatCode": "low"},
    )  # fmt: skip
    assert put.is_success
    single = [
        await previewed(kari.client, kari.link, customerId=one, **EVERYTHING) for one in customers
    ]

    answer = await kari.post("invoice-drafts/previews", customerIds=customers, **EVERYTHING)

    shown = [one["preview"] for one in answer.json()["items"]]
    assert [billed(one) for one in shown] == [billed(one) for one in single]
    assert [codes(one) for one in shown] == [codes(one) for one in single]
    assert (billed(shown[0])[-1][1:], billed(shown[1])[-1][1:]) == (
        (12_000, "exempted"), (9_250, "low"),
    )  # fmt: skip
    assert all("expenses-not-included" not in codes(one) for one in shown)


async def test_they_stand_in_conta_once_the_batch_is_sent(
    kari: Bookkeeper, customers: list[str]
) -> None:
    """And are billed: a draft of what was left out finds nothing more."""
    answer = await kari.post("invoice-drafts/previews", customerIds=customers, **EVERYTHING)
    previews = [one["preview"] for one in answer.json()["items"]]

    made = await kari.client.post(
        f"{kari.link.path}/invoice-drafts/batch",
        headers={**kari.link.books, "Idempotency-Key": "month-end"},
        json={"previewIds": [one["previewId"] for one in previews]},
    )

    drafts = [one["draft"] for one in made.json()["items"]]
    assert [one["state"] for one in drafts] == ["completed"] * 3
    (stored,) = await drafts_with(kari.twins, previews[0]["mark"])
    assert "Parkering" in stored["invoiceDraftLines"][-1]["description"]
    assert [one["expensesLeftOut"] for one in drafts] == [{}] * 3
    again = await kari.post(f"invoice-drafts/{drafts[0]['id']}/left-out", **EVERYTHING)
    assert again.json()["code"] == "nothing-to-bill"


async def test_without_being_asked_for_they_are_told_of(
    kari: Bookkeeper, customers: list[str]
) -> None:
    """Null says the same; a code or a rate that a single preview refuses is refused here."""
    asked = {"expenseVatCode": None, "kilometres": None}
    answer = await kari.post("invoice-drafts/previews", customerIds=customers, **asked)
    wrong = [
        await kari.post("invoice-drafts/previews", customerIds=customers, **one)
        for one in ({"expenseVatCode": "none"}, {"kilometres": {"rateOre": 0}})
    ]

    told = [codes(one["preview"]).get("expenses-not-included") for one in answer.json()["items"]]
    assert told == [False, False, None]
    assert [one.status_code for one in wrong] == [422, 422]

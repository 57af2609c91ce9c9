"""Hours that cannot be billed are left out by name, and keep none of the others back."""

from typing import Any

import pytest

from tests.features.invoicing.bookkeeper import Bookkeeper
from tests.features.invoicing.test_drafts import busiest, previewed
from tests.features.invoicing.test_preview import change
from tests.features.invoicing.test_protocol import ids_of


def reasons(preview: dict[str, Any]) -> dict[str, list[str]]:
    return {one["entryId"]: one["hindrances"] for one in preview["leftOut"]}


@pytest.mark.parametrize("rate", ["0", "-950"])
async def test_an_hour_without_worth_keeps_no_other_back(
    kari: Bookkeeper, twins: Any, rate: str
) -> None:
    """Neither in a preview nor in a batch; the table says why it lies there."""
    customer = await busiest(kari.client, kari.link)
    hours = ids_of(await previewed(kari.client, kari.link, customerId=customer))
    await change(twins, hours[0], hourlyRate=rate)

    listed = await kari.get(f"billable-entries?customerId={customer}")
    several = (await kari.post("invoice-drafts/previews", customerIds=[customer])).json()
    (preview,) = [one["preview"] for one in several["items"]]
    made = await kari.client.post(
        f"{kari.link.path}/invoice-drafts/batch",
        headers={**kari.link.books, "Idempotency-Key": "all"},
        json={"previewIds": [preview["previewId"]]},
    )
    await kari.look()
    table = await kari.get("money-on-the-table")

    (told,) = [one for one in listed["items"] if one["id"] == hours[0]]
    assert (told["billable"], [one["code"] for one in told["hindrances"]]) == (False, ["zero-rate"])
    assert ids_of(preview) == hours[1:]
    assert reasons(preview)[hours[0]] == ["zero-rate"]
    assert made.json()["items"][0]["draft"]["state"] == "completed"
    (pile,) = [one for one in table["customers"] if one["customerId"] == customer]
    assert pile["byHindrance"]["zero-rate"]["entryCount"] == 1

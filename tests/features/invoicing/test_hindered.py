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


async def test_an_overtime_type_of_another_shape_hides_no_other_hour(
    kari: Bookkeeper, twins: Any
) -> None:
    """Neither from the list nor from the table; the hour itself is billed, on a line of its own."""
    customer = await busiest(kari.client, kari.link)
    hours = ids_of(await previewed(kari.client, kari.link, customerId=customer))
    await change(twins, hours[0], overtimeType=["Overtid 50 %"])

    listed = await kari.get(f"billable-entries?customerId={customer}")
    preview = await previewed(kari.client, kari.link, customerId=customer, grouping="overtime")

    assert {one["id"]: one["overtimeType"] for one in listed["items"]}[hours[0]] == "?"
    assert [hours[0]] in [line["entryIds"] for line in preview["lines"]]
    assert sorted(ids_of(preview)) == sorted(hours)


async def test_chosen_hours_beside_the_other_choices_are_named(
    kari: Bookkeeper, twins: Any
) -> None:
    """Period, person and overtime type hold for them too; an unknown one always says so."""
    customer = await busiest(kari.client, kari.link)
    hours = ids_of(await previewed(kari.client, kari.link, customerId=customer))
    stored = {one["id"]: one for one in (await twins.time())["entries"]}
    day, person = stored[hours[0]]["date"], stored[hours[0]]["employeeId"]
    plain = hours[0]
    project = next(stored[one]["projectId"] for one in hours if stored[one]["projectId"])

    async def left(**chosen: Any) -> dict[str, list[str]]:
        asked = {"customerId": customer, "entryIds": [*hours, "ent_x", "ent_x"], **chosen}
        return reasons((await kari.post("invoice-drafts/preview", **asked)).json())

    def beside(name: str, member: str, value: str) -> dict[str, list[str]]:
        return {one: [f"other-{name}"] for one in hours if stored[one][member] != value}

    unknown = {"ent_x": ["unknown"]}
    assert await left(firstDay=day, lastDay=day) == beside("period", "date", day) | unknown
    assert await left(employeeId=person) == beside("person", "employeeId", person) | unknown
    await change(twins, plain, overtimeType={"name": "Overtid 50 %"})
    assert (await left(overtimeType="")).get(plain) == ["other-overtime"]
    assert (await left(overtimeType="Overtid 50 %"))["ent_x"] == ["unknown"]
    found = await left(projectId=project, firstDay="2020-01-01", lastDay="2020-01-02")
    inside = [one for one in hours if stored[one]["projectId"] == project]
    assert [found[one] for one in inside] == [["other-period"]] * len(inside)

"""Hours of 0 minutes are billed for the expenses and kilometres that hang on them, and held."""

from collections import Counter
from typing import Any

import httpx
import pytest

from tests.features.invoicing.bookkeeper import Bookkeeper
from tests.features.invoicing.test_drafts import drafts_with, entries_of, previewed
from tests.features.invoicing.test_expenses_seen import PARKING, listed, plain_ones, seen
from tests.features.invoicing.test_followed import person
from tests.features.invoicing.test_preview import change, codes, refused

BOTH = {"expenseVatCode": "exempted", "kilometres": {"rateOre": 500, "vatCode": "high"}}


async def of_one_customer(kari: Bookkeeper) -> list[dict[str, Any]]:
    """Give the billable hours, with nothing beside time, of the customer that has most of them."""
    free = plain_ones(await listed(kari.client, kari.link), billable=True)
    (customer, _), *_ = Counter(one["customerId"] for one in free).most_common(1)
    return [one for one in free if one["customerId"] == customer]


async def emptied(kari: Bookkeeper, count: int = 1, **beside: Any) -> list[dict[str, Any]]:
    """Take the time off hours of one customer and hang something on them; give them as listed."""
    chosen = (await of_one_customer(kari))[:count]
    for one in chosen:
        await change(kari.twins, one["id"], minutes=0, **(beside or PARKING))
    return chosen


def wanted(chosen: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    ids = [one["id"] for one in chosen]
    return {"customerId": chosen[0]["customerId"], "entryIds": ids, **more}


@pytest.mark.parametrize("beside", [PARKING, {"kilometers": "18.5"}])
async def test_a_trip_is_billed_once(
    client: httpx.AsyncClient, kari: Bookkeeper, twins: Any, beside: dict[str, Any]
) -> None:
    """No line of time; two trips and an hour: each held and marked once, then told as billed."""
    hour = (await of_one_customer(kari))[2]
    trips = await emptied(kari, 2, **beside)
    chosen = [*trips, hour]
    preview = await previewed(client, kari.link, **wanted(chosen, **BOTH))

    draft = await kari.send(preview)

    nets = [line["netOre"] for line in preview["lines"] if not line["minutes"]]
    costs = [12_000, 12_000] if "costs" in beside else []
    assert nets == [*costs, 18_500], "kilometres of both in one line"
    named = [one for line in preview["lines"] for one in line["entryIds"]]
    assert sorted(named) == sorted(one["id"] for one in chosen), "each in one line"
    assert draft["state"] == "completed"
    (stored,) = await drafts_with(twins, draft["mark"])
    assert round(float(stored["sumNet"]) * 100) == preview["netOre"]
    assert {e["invoiceStatus"] for e in await entries_of(twins, named)} == {"invoiced"}
    rows = {e["entryId"]: e for e in draft["entries"]}
    rates = {one["id"]: one["rateOre"] for one in chosen}
    assert {one: row["rateOre"] for one, row in rows.items()} == rates
    again = await refused(client, kari.link, **wanted(trips, **BOTH))
    assert again["code"] == "nothing-to-bill"
    assert all("in-draft" in one["hindrances"] for one in again["leftOut"])
    path = f"{kari.link.path}/invoice-drafts/{draft['id']}/specification.csv"
    paper = (await client.get(path, headers=kari.link.books)).text
    assert paper.count(";0;0,00;") >= 2
    pdf = await client.get(path.replace(".csv", ".pdf"), headers=kari.link.books)
    assert pdf.status_code == 200


async def test_a_trip_that_is_not_wanted_is_told_and_stays_free(
    client: httpx.AsyncClient, kari: Bookkeeper, twins: Any
) -> None:
    """With an hour beside it the draft goes without; alone there is nothing to bill."""
    hour = (await of_one_customer(kari))[1]
    (trip,) = await emptied(kari)
    alone = await refused(client, kari.link, **wanted([trip]))

    preview = await previewed(client, kari.link, **wanted([trip, hour]))
    draft = await kari.send(preview)

    left = {one["entryId"]: one["hindrances"] for one in preview["leftOut"]}
    assert left == {trip["id"]: ["no-minutes"]}
    told = next(p for p in preview["problems"] if p["code"] == "expenses-not-included")
    assert told["entries"] == [trip["id"]]
    assert [one["hindrances"] for one in alone["leftOut"]] == [["no-minutes"]]
    assert ([e["entryId"] for e in draft["entries"]], draft["expensesLeftOut"]) == (
        [hour["id"]],
        {},
    )
    (free,) = [o for o in (await listed(client, kari.link))["items"] if o["id"] == trip["id"]]
    assert (free["billable"], seen(free)) == (True, ([("Parkering", 12_000)], "18.50"))
    only = await previewed(client, kari.link, **wanted([trip], expenseVatCode="exempted"))
    assert codes(only)["expenses-not-included"] is False
    later = await kari.send(only)
    assert later["expensesLeftOut"] == {trip["id"]: ["kilometres"]}
    body = {"kilometres": {"rateOre": 500}}
    rest = (await kari.post(f"invoice-drafts/{later['id']}/left-out", **body)).json()
    assert [(line["netOre"], line["vatCode"]) for line in rest["lines"]] == [(9_250, "high")]


async def test_without_anything_on_it_it_stays_hindered(
    client: httpx.AsyncClient, kari: Bookkeeper
) -> None:
    """An expense of no kroner is nothing."""
    (trip,) = await emptied(kari, costs=[{"description": "Gratis", "amount": "0"}])

    problem = await refused(client, kari.link, **wanted([trip], **BOTH))

    assert [one["hindrances"] for one in problem["leftOut"]] == [["no-minutes"]]


async def test_released_it_can_be_billed_anew(client: httpx.AsyncClient, kari: Bookkeeper) -> None:
    """With its draft, never by its line alone: what hangs on it stays billed by the draft."""
    trips = await emptied(kari, 2)
    draft = await kari.send(await previewed(client, kari.link, **wanted(trips, **BOTH)))
    (stored,) = await drafts_with(kari.twins, draft["mark"])
    rest = stored["invoiceDraftLines"][:-1]
    await person(kari.twins, f"drafts/{draft['contaDraftIds'][0]}/edit", lines=rest)
    path = f"invoice-drafts/{draft['id']}/release"
    by_line = await kari.post(path, reason="tatt ut", lines=[1])
    await kari.in_conta(draft, "delete")

    whole = await kari.release(draft)

    assert by_line.json()["code"] == "invalid-request"
    assert whole.json()["state"] == "released"
    marks = {e["invoiceStatus"] for e in await entries_of(kari.twins, [o["id"] for o in trips])}
    assert marks == {"to_invoice"}
    anew = await kari.send(await previewed(client, kari.link, **wanted(trips, **BOTH)))
    assert (anew["state"], anew["netOre"]) == ("completed", draft["netOre"])


@pytest.mark.parametrize("taken_out", [False, True])
async def test_time_that_comes_later_is_followed_up(
    client: httpx.AsyncClient, kari: Bookkeeper, taken_out: bool
) -> None:
    """By the terms of hours, not by its expense's VAT code, and taken off again when it goes."""
    (trip,) = await emptied(kari)
    draft = await kari.send(
        await previewed(client, kari.link, **wanted([trip], **BOTH, discountPercent="10"))
    )
    if taken_out:
        (stored,) = await drafts_with(kari.twins, draft["mark"])
        rest = stored["invoiceDraftLines"][1:]
        await person(kari.twins, f"drafts/{draft['contaDraftIds'][0]}/edit", lines=rest)
    await change(kari.twins, trip["id"], minutes=90)
    (one,) = await kari.look()

    follow_up = await kari.follow([one])

    (line,) = follow_up["lines"]
    assert (line["hours"], line["vatCode"], line["discountPercent"]) == ("1.50", "high", "10")
    assert line["unitPriceOre"] == trip["rateOre"]
    assert follow_up["state"] == "completed"
    assert await kari.look() == []
    await change(kari.twins, trip["id"], minutes=120)
    (more,) = await kari.look()
    assert [x["hours"] for x in (await kari.follow([more]))["lines"]] == ["0.50"]


async def test_a_trip_that_goes_is_told_and_has_no_time_to_take_off(
    client: httpx.AsyncClient, kari: Bookkeeper
) -> None:
    """What was billed of it stands; beside a difference it is taken back and set free."""
    trip, hour = (await of_one_customer(kari))[:2]
    await emptied(kari)
    draft = await kari.send(await previewed(client, kari.link, **wanted([trip, hour], **BOTH)))
    await change(kari.twins, trip["id"], customerId="cus_9", minutes=60)
    gone = await kari.look()
    alone = await kari.ask(gone)
    await change(kari.twins, hour["id"], minutes=hour["minutes"] + 60)

    both = await kari.follow(await kari.look())

    assert alone.json()["code"] == "nothing-to-bill"
    assert [line["hours"] for line in both["lines"]] == ["1.00"]
    await kari.in_conta(draft, "send")
    await kari.in_conta(both, "send")
    assert (await kari.hour(trip["id"]))["place"] == "free"
    assert (await kari.hour(hour["id"]))["place"] == "invoiced"

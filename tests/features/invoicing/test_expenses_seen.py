"""Expenses and kilometres are seen with the hours they hang on, before anything is billed."""

from decimal import Decimal
from typing import Any

import httpx

from tests.features.invoicing.bookkeeper import Bookkeeper
from tests.features.invoicing.test_preview import change
from tests.features.invoicing.test_table import Work, look_again, table

PARKING = {"costs": [{"description": "Parkering", "amount": "120"}], "kilometers": "18.5"}


async def listed(client: httpx.AsyncClient, link: Any) -> dict[str, Any]:
    answer = await client.get(f"{link.path}/billable-entries", headers=link.books)
    found: dict[str, Any] = answer.json()
    return found


def plain_ones(found: dict[str, Any], *, billable: bool) -> list[dict[str, Any]]:
    """Give the entries that carry nothing beside time."""
    return [
        one for one in found["items"]
        if one["billable"] is billable and seen(one) == ([], "0.00")
    ]  # fmt: skip


def sums(found: dict[str, Any], expenses: str, kilometres: str) -> tuple[int, Decimal]:
    return found[expenses], Decimal(found[kilometres])


def more(before: tuple[int, Decimal], after: tuple[int, Decimal]) -> tuple[int, Decimal]:
    return after[0] - before[0], after[1] - before[1]


def seen(entry: dict[str, Any]) -> tuple[list[tuple[str, int]], str]:
    return [(one["text"], one["amountOre"]) for one in entry["expenses"]], entry["kilometres"]


async def test_the_list_shows_what_hangs_on_an_hour(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """By entry, and summed apart over the billable ones; the sum of the hours stays theirs."""
    before = await listed(client, synced)
    entry, hindered = (plain_ones(before, billable=which)[0]["id"] for which in (True, False))
    for one in (entry, hindered):
        await change(twins, one, **PARKING)

    after = await listed(client, synced)

    items = {one["id"]: one for one in after["items"]}
    assert seen(items[entry]) == seen(items[hindered]) == ([("Parkering", 12_000)], "18.50")
    assert after["billableOre"] == before["billableOre"]
    names = ("billableExpensesOre", "billableKilometres")
    assert more(sums(before, *names), sums(after, *names)) == (12_000, Decimal("18.5"))


async def test_the_table_sums_them_by_customer(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any
) -> None:
    """Beside the hours' øre, which stay as they are; an hour without minutes counts for them."""
    first, second = plain_ones(await listed(client, synced), billable=True)[:2]
    before = await table(client, synced, work)
    await change(twins, first["id"], **PARKING)
    await change(twins, second["id"], minutes=0, **PARKING)
    await look_again(synced, twins, work, clock)

    found = await table(client, synced, work)

    total, list_now = found["total"], await listed(client, synced)
    hindered = sum(one["ore"] for one in total["byHindrance"].values())
    assert total["ore"] - hindered == list_now["billableOre"]
    names = ("expensesOre", "kilometres")
    assert more(sums(before["total"], *names), sums(total, *names)) == (24_000, Decimal("37.00"))
    mine = [
        next(sums(c, *names) for c in one["customers"] if c["customerId"] == first["customerId"])
        for one in (before, found)
    ]
    both = 1 + (second["customerId"] == first["customerId"])
    assert more(*mine) == (12_000 * both, Decimal("18.5") * both)
    assert sum(one["expensesOre"] for one in found["customers"]) == total["expensesOre"]


async def test_what_is_billed_already_is_shown_no_more(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any, kari: Bookkeeper
) -> None:
    """A draft of what was left out outlives the release of the hour: only its rest is shown."""
    entry = plain_ones(await listed(client, synced), billable=True)[0]
    before = await table(client, synced, work)
    two = [*PARKING["costs"], {"description": "Bom", "amount": "30"}]
    await change(twins, entry["id"], costs=two, kilometers="18.5")
    draft = await kari.bill(customerId=entry["customerId"], entryIds=[entry["id"]])
    path = f"{synced.path}/invoice-drafts/{draft['id']}"
    body = {"kilometres": {"rateOre": 500, "vatCode": "high"}}
    driven = await client.post(f"{path}/left-out", headers=synced.books, json=body)
    assert (await kari.send(driven.json()))["state"] == "completed"
    in_draft = next(i for i in (await listed(client, synced))["items"] if i["id"] == entry["id"])
    await kari.in_conta(draft, "delete")
    assert (await kari.release(draft)).json()["state"] == "released"
    await look_again(synced, twins, work, clock)

    found, items = await table(client, synced, work), (await listed(client, synced))["items"]

    free = next(one for one in items if one["id"] == entry["id"])
    both = [("Parkering", 12_000), ("Bom", 3_000)]
    assert seen(in_draft) == seen(free) == (both, "0.00")
    names = ("expensesOre", "kilometres")
    assert more(sums(before["total"], *names), sums(found["total"], *names)) == (15_000, Decimal(0))

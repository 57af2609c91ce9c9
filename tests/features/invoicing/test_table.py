"""Money on the table, and hours that changed after they were billed."""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import text, update

from app.canonical import Customer, RecordId, RecordKind, Side
from app.database import CommitPoint
from app.invoicing.store import LedgerRow
from app.records.store import remember
from app.runtime import Runtime
from tests.features.invoicing.test_drafts import drafts_with, previewed, sent
from tests.features.invoicing.test_preview import change
from tests.features.invoicing.test_protocol import ids_of, signed_in

Work = Callable[[], Awaitable[int]]


async def table(client: httpx.AsyncClient, link: Any, work: Work) -> dict[str, Any]:
    """Ask, let the hours be read, ask again."""
    await client.get(f"{link.path}/money-on-the-table", headers=link.books)
    await work()
    answer = await client.get(f"{link.path}/money-on-the-table", headers=link.books)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def changed(client: httpx.AsyncClient, link: Any, which: str = "open") -> dict[str, Any]:
    answer = await client.get(
        f"{link.path}/changed-hours", headers=link.books, params={"choice": which}
    )
    found: dict[str, Any] = answer.json()
    return found


async def look_again(link: Any, twins: Any, work: Work, clock: Any) -> None:
    clock.advance(minutes=20)
    await work()
    await signed_in(twins, link)


async def test_the_table_is_the_billable_list_to_the_ore(
    client: httpx.AsyncClient, synced: Any, work: Work
) -> None:
    """Unhindered kroner are those of the list of billable hours; all others have a reason."""
    listed = (await client.get(f"{synced.path}/billable-entries", headers=synced.books)).json()

    found = await table(client, synced, work)

    hindered = sum(one["ore"] for one in found["total"]["byHindrance"].values())
    assert found["total"]["ore"] - hindered == listed["billableOre"]
    assert sum(found["total"]["byAge"].values()) == found["total"]["ore"]
    assert sum(c["ore"] for c in found["customers"]) == found["total"]["ore"]
    assert {"no-rate", "no-customer"} <= found["total"]["byHindrance"].keys()
    assert found["total"]["byAge"]["close-to-limit"] > 0
    assert found["asOf"] is not None
    billable = found["total"]["entryCount"] - sum(
        one["entryCount"] for one in found["total"]["byHindrance"].values()
    )
    assert billable == listed["billableCount"]


async def test_a_customer_without_a_partner_is_named_where_its_name_is_known(
    client: httpx.AsyncClient, synced: Any, runtime: Runtime, twins: Any, work: Work
) -> None:
    """Once the customers were read; before that it has its id alone."""
    customer = Customer(RecordId("cus_lonely"), name="Uten partner AS")
    hour = next(one["id"] for one in (await twins.time())["entries"] if one["customerId"])
    await change(twins, hour, customerId=customer.id, invoiceStatus="to_invoice", hourlyRate="950")
    before = await table(client, synced, work)
    async with runtime.database.transaction(CommitPoint.PLAIN, synced.link_id) as session:
        await remember(
            session, synced.link_id, Side.TIME, RecordKind.CUSTOMER, [customer],
            now=runtime.clock(),
        )  # fmt: skip

    after = await table(client, synced, work)

    def named(found: dict[str, Any]) -> list[str | None]:
        return [
            one["customerName"] for one in found["customers"] if one["customerId"] == customer.id
        ]

    assert (named(before), named(after)) == ([None], ["Uten partner AS"])


async def test_what_was_billed_leaves_the_table(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any
) -> None:
    """A draft takes its hours off the table, to the øre."""
    before = await table(client, synced, work)
    preview = await previewed(client, synced, grouping="entry")
    await sent(client, synced, preview)
    await look_again(synced, twins, work, clock)

    after = await table(client, synced, work)

    assert before["total"]["ore"] - after["total"]["ore"] == preview["netOre"]


@pytest.mark.parametrize("how", ["minutes", "rate", "deleted", "moved"])
async def test_a_change_after_billing_is_listed_with_old_and_new(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any, how: str
) -> None:
    """Edited, re-priced, deleted, moved: listed once with both sides in kroner; nothing is sent."""
    preview = await previewed(client, synced, grouping="entry")
    line = preview["lines"][0]
    entry = line["entryIds"][0]
    await sent(client, synced, preview)
    await look_again(synced, twins, work, clock)
    fields = {
        "minutes": {"minutes": line["minutes"] + 30}, "rate": {"hourlyRate": "2000"},
        "moved": {"customerId": "cus_9"},
    }  # fmt: skip
    if how == "deleted":
        await twins.control("timerabbit", "POST", f"/companies/cmp_1/entries/{entry}/delete")
    else:
        await change(twins, entry, **fields[how])

    for _ in range(2):
        await look_again(synced, twins, work, clock)

    (only,) = (await changed(client, synced))["items"]
    assert (only["entryId"], only["beforeOre"]) == (entry, line["netOre"])
    assert only["what"] == [{"moved": "customer"}.get(how, how)]
    assert (only["after"] is None) == (how == "deleted")
    assert len((await twins.books())["drafts"]) == 1


async def billed_then_longer(
    client: httpx.AsyncClient, link: Any, twins: Any, work: Work, clock: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Bill hours, make one half an hour longer; gives its line and the change that was noted."""
    preview = await previewed(client, link, grouping="entry")
    line = preview["lines"][0]
    await sent(client, link, preview)
    await look_again(link, twins, work, clock)
    await change(twins, line["entryIds"][0], minutes=line["minutes"] + 30)
    await look_again(link, twins, work, clock)
    (one,) = (await changed(client, link))["items"]
    return line, one


async def follow_up(client: httpx.AsyncClient, link: Any, one: dict[str, Any]) -> httpx.Response:
    body = {"changeIds": [one["id"]], "choice": "follow-up"}
    return await client.post(f"{link.path}/changed-hours", headers=link.books, json=body)


async def test_a_follow_up_bills_the_difference_once(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any
) -> None:
    """Half an hour more becomes a draft of half an hour; the next look compares with the new."""
    line, one = await billed_then_longer(client, synced, twins, work, clock)

    decided = await follow_up(client, synced, one)

    made = decided.json()["preview"]
    over = await client.post(
        f"{synced.path}/invoice-drafts/preview", headers=synced.books,
        json={"basedOn": made["previewId"]},
    )  # fmt: skip
    assert (over.status_code, over.json()["code"]) == (422, "invalid-request")
    draft = await sent(client, synced, made, key="follow-up")
    stored = await drafts_with(twins, made["mark"])
    assert (made["lines"][0]["hours"], made["lines"][0]["minutes"]) == ("0.50", 30)
    assert draft.json()["state"] == "completed"
    assert round(float(stored[0]["sumNet"]) * 100) == made["netOre"]
    await look_again(synced, twins, work, clock)
    assert (await changed(client, synced))["items"] == []
    again = await follow_up(client, synced, one)
    assert again.status_code == 404
    await change(twins, line["entryIds"][0], minutes=line["minutes"] + 45)
    await look_again(synced, twins, work, clock)
    (further,) = (await changed(client, synced))["items"]
    assert further["after"]["minutes"] - further["before"]["minutes"] == 15
    await change(twins, line["entryIds"][0], minutes=line["minutes"] + 60)
    await look_again(synced, twins, work, clock)
    (newest,) = (await changed(client, synced))["items"]
    assert newest["after"]["minutes"] - newest["before"]["minutes"] == 30
    await change(twins, line["entryIds"][0], minutes=line["minutes"] + 30)
    await look_again(synced, twins, work, clock)
    assert (await changed(client, synced))["items"] == [], "what the follow-up billed stands"


async def test_a_released_hours_change_is_billed_by_no_follow_up(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any, runtime: Runtime
) -> None:
    """The hour is free: a new draft bills all of it, so its difference is nobody's any more."""
    _, one = await billed_then_longer(client, synced, twins, work, clock)
    early = (await follow_up(client, synced, one)).json()["preview"]
    async with runtime.database.transaction(CommitPoint.PLAIN, synced.link_id) as session:
        await session.execute(update(LedgerRow).values(active=False, freed_at=clock()))

    decided = await follow_up(client, synced, one)

    late = await sent(client, synced, early, key="late")
    assert (decided.status_code, decided.json()["code"]) == (404, "not-found")
    assert late.status_code == 409, late.text
    assert (await changed(client, synced))["items"] == []


async def test_a_negative_follow_up_is_refused_and_leaving_is_recorded(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any
) -> None:
    """Conta takes no negative draft: the preview says so; leaving keeps who chose."""
    preview = await previewed(client, synced, grouping="entry")
    entry, other = ids_of(preview)[:2]
    await sent(client, synced, preview)
    await look_again(synced, twins, work, clock)
    await change(twins, entry, minutes=1)
    await change(twins, other, comment="Ny tekst")
    await look_again(synced, twins, work, clock)
    (one,) = (await changed(client, synced))["items"]
    path = f"{synced.path}/changed-hours"
    shown = await client.post(
        path, headers=synced.books, json={"changeIds": [one["id"]], "choice": "follow-up"}
    )
    await change(twins, entry, minutes=2)
    await look_again(synced, twins, work, clock)
    (further,) = (await changed(client, synced))["items"]

    left = await client.post(
        path, headers=synced.books, json={"changeIds": [further["id"]], "choice": "leave"}
    )

    problems = {p["code"]: p["blocking"] for p in shown.json()["preview"]["problems"]}
    assert problems["total-negative"] is True
    refused = await sent(client, synced, shown.json()["preview"], key="negative")
    assert refused.json()["code"] == "preview-blocked"
    assert left.json()["decided"] == 1
    everything = (await changed(client, synced, "all"))["items"]
    assert Counter(c["choice"] for c in everything) == {"leave": 1, "overtaken": 1}
    assert [c["chosenBy"] for c in everything if c["choice"] == "leave"] == ["kari@1001"]


async def test_a_follow_up_that_comes_to_nothing_leaves_the_change_open(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any
) -> None:
    """Previewed and not sent, or refused by Conta: the difference is not forgotten."""
    _, one = await billed_then_longer(client, synced, twins, work, clock)
    body = {"changeIds": [one["id"]], "choice": "follow-up"}
    both = [
        (await client.post(f"{synced.path}/changed-hours", headers=synced.books, json=body)).json()
        for _ in range(2)
    ]
    still = (await changed(client, synced))["items"]
    await twins.control("conta", "POST", "/organizations/1001/vat-codes", {"codes": ["exempted"]})
    refused = await sent(client, synced, both[0]["preview"], key="f1")
    reopened = (await changed(client, synced))["items"]
    codes = {"codes": ["high", "exempted"]}
    await twins.control("conta", "POST", "/organizations/1001/vat-codes", codes)
    third = (
        await client.post(f"{synced.path}/changed-hours", headers=synced.books, json=body)
    ).json()
    made = await sent(client, synced, third["preview"], key="f2")
    late = await sent(client, synced, both[1]["preview"], key="f3")

    assert [c["id"] for c in still] == [c["id"] for c in reopened] == [one["id"]]
    assert refused.json()["state"] == "refused"
    assert made.json()["state"] == "completed"
    assert late.json()["code"] == "preview-outdated"
    assert (await changed(client, synced))["items"] == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE draft_events SET what = 'other'",
        "DELETE FROM draft_events",
        "UPDATE ledger SET minutes = minutes + 1",
        "UPDATE ledger SET active = true",
        "UPDATE ledger SET active = false, time_company_id = 'cmp_9'",
        "UPDATE ledger SET active = false, created_at = '2019-01-01'",
        "DELETE FROM ledger",
        "UPDATE drafts SET body = jsonb_set(body, '{about,customer}', '\"Annen AS\"')",
        'UPDATE drafts SET body = body || \'{"erasedAt": "", "lines": []}\'',
        "UPDATE drafts SET net = net + 1",
        "UPDATE drafts SET vat = 0",
        "UPDATE drafts SET body_hash = '\\x00'",
        "UPDATE drafts SET mark = 'TR-00000000'",
        "UPDATE drafts SET created_at = '2019-01-01'",
        "DELETE FROM drafts",
        "UPDATE draft_attempts SET deadline = '2019-01-01'",
        "DELETE FROM draft_attempts",
    ],
)
async def test_history_only_grows(
    client: httpx.AsyncClient, synced: Any, runtime: Runtime, statement: str
) -> None:
    """The database itself refuses to rewrite what was billed and what happened."""
    await sent(client, synced, await previewed(client, synced))

    async def rewrite() -> None:
        async with runtime.database.reading(synced.link_id) as session:
            await session.execute(text(statement))

    with pytest.raises(Exception, match="only ever added"):
        await rewrite()

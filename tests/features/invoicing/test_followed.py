"""What comes back from Conta: edited, sent, deleted, paid, credited, late; judged by its store."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from tests.features.conftest import CONTA
from tests.features.invoicing.test_drafts import drafts_with, entries_of, previewed, sent
from tests.features.invoicing.test_protocol import fault, ids_of, signed_in

Work = Callable[[], Awaitable[int]]


@pytest.fixture
async def made(client: httpx.AsyncClient, synced: Any) -> dict[str, Any]:
    """A draft that stands in Conta."""
    preview = await previewed(client, synced)
    draft: dict[str, Any] = (await sent(client, synced, preview)).json()
    return {
        **draft,
        "hours": ids_of(preview),
        "path": f"{synced.path}/invoice-drafts/{draft['id']}",
    }


async def person(twins: Any, path: str, **body: Any) -> Any:
    base = "" if path.startswith("invoices") else "/organizations/1001"
    return await twins.control("conta", "POST", f"{base}/{path}", body or None)


async def post_late(network: Any, draft: dict[str, Any]) -> None:
    """Let a POST of ours that was given up arrive at Conta after all."""
    fields = ("description", "price", "quantity", "discount", "vatCode")
    lines = [{name: line[name] for name in fields} for line in draft["invoiceDraftLines"]]
    body = {
        "registrationSource": "TIMERABBIT", "customerId": draft["customerId"],
        "invoiceDraftLines": lines,
    }  # fmt: skip
    async with httpx.AsyncClient(transport=network, base_url=CONTA) as conta:
        answer = await conta.post(
            "/invoice/organizations/1001/invoice-drafts",
            headers={"apiKey": "conta-demo-key"}, json=body,
        )  # fmt: skip
    assert answer.status_code == 200, answer.text


async def later(
    client: httpx.AsyncClient, link: Any, twins: Any, work: Work, clock: Any, path: str
) -> dict[str, Any]:
    """Let time pass twice, as a list may lag once, and read the draft."""
    for _ in range(2):
        clock.advance(minutes=16)
        await work()
    await signed_in(twins, link)
    shown: dict[str, Any] = (await client.get(path, headers=link.books)).json()
    return shown


async def test_a_draft_edited_in_conta_is_shown_with_the_lines_that_differ(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any, made: dict[str, Any]
) -> None:
    """The sum differs: flagged with ours and theirs; nothing is adjusted."""
    number = made["contaDraftIds"][0]
    lines = (await drafts_with(twins, made["mark"]))[0]["invoiceDraftLines"]
    lines[0] |= {"price": 1}
    await person(twins, f"drafts/{number}/edit", lines=lines)

    draft = await later(client, synced, twins, work, clock, made["path"])

    assert (draft["became"]["what"], draft["problem"]) == ("edited", "remote-total-differs")
    assert draft["differs"][0]["line"] == 1
    assert draft["differs"][0]["ours"]["netOre"] == made["lines"][0]["netOre"]
    assert draft["differs"][0]["theirs"]["netOre"] != made["lines"][0]["netOre"]
    assert draft["netOre"] == made["netOre"]


async def test_a_draft_deleted_in_conta_offers_its_hours_once(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any, made: dict[str, Any]
) -> None:
    """Gone and no invoice of it: the hours are offered, not freed; released once by a person."""
    await person(twins, f"drafts/{made['contaDraftIds'][0]}/delete")

    draft = await later(client, synced, twins, work, clock, made["path"])

    assert (draft["became"]["what"], draft["problem"]) == ("deleted", "draft-deleted")
    assert draft["offersRelease"] is True
    assert {e["invoiceStatus"] for e in await entries_of(twins, made["hours"])} == {"invoiced"}
    body = {"reason": "slettet"}
    freed = await client.post(f"{made['path']}/release", headers=synced.books, json=body)
    again = await client.post(f"{made['path']}/release", headers=synced.books, json=body)
    assert freed.json()["state"] == "released"
    assert again.json()["code"] == "draft-state"
    assert {e["invoiceStatus"] for e in await entries_of(twins, made["hours"])} == {"to_invoice"}


async def test_sent_part_paid_paid_are_followed(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any, made: dict[str, Any]
) -> None:
    """Sent is told from deleted; number, day and what remains are shown; the hours stay."""
    await person(twins, f"drafts/{made['contaDraftIds'][0]}/send")
    number = (await twins.books())["invoices"][0]["id"]

    gone = await later(client, synced, twins, work, clock, made["path"])
    await person(twins, f"invoices/{number}/pay", amount=1)
    clock.advance(hours=6)
    part = await later(client, synced, twins, work, clock, made["path"])
    await person(twins, f"invoices/{number}/pay")
    clock.advance(hours=6)
    paid = await later(client, synced, twins, work, clock, made["path"])

    assert [one["became"]["what"] for one in (gone, part, paid)] == ["sent", "part-paid", "paid"]
    assert gone["became"]["number"] is not None
    assert part["became"]["remainingOre"] == made["totalOre"] - 100
    assert {e["place"] for e in paid["entries"]} == {"invoiced"}
    held = await client.post(
        f"{made['path']}/release", headers=synced.books, json={"reason": "nei"}
    )
    assert held.json()["code"] == "draft-holds-hours"


async def test_credited_hours_are_offered_once_and_can_be_billed_again(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any, made: dict[str, Any]
) -> None:
    """Sent, credited, released, billed again: two ledger rows for the hour, one of them active."""
    await person(twins, f"drafts/{made['contaDraftIds'][0]}/send")
    await later(client, synced, twins, work, clock, made["path"])
    await person(twins, f"invoices/{(await twins.books())['invoices'][0]['id']}/credit")
    clock.advance(hours=6)

    draft = await later(client, synced, twins, work, clock, made["path"])

    assert (draft["became"]["what"], draft["problem"]) == ("credited", "invoice-credited")
    assert {e["place"] for e in draft["entries"]} == {"credited"}
    freed = await client.post(
        f"{made['path']}/release", headers=synced.books, json={"reason": "kreditert"}
    )
    assert freed.json()["state"] == "released"
    again = await sent(client, synced, await previewed(client, synced), key="again")
    assert again.json()["state"] == "completed"
    hour = made["hours"][0]
    ledger = await client.get(
        f"{synced.path}/ledger", headers=synced.books, params={"entryId": [hour, "ent_never"]}
    )
    mine, never = ledger.json()["items"]
    assert (mine["place"], never["place"]) == ("in-draft", "free")
    assert [line["draftId"] for line in mine["history"]] == [again.json()["id"], made["id"]]
    assert [line["until"] is None for line in mine["history"]] == [True, False]


async def test_an_invoice_without_the_mark_is_known_by_its_lines(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any, made: dict[str, Any]
) -> None:
    """The person took the mark away and sent it: the same lines make it this draft's invoice."""
    number = made["contaDraftIds"][0]
    lines = (await drafts_with(twins, made["mark"]))[0]["invoiceDraftLines"]
    lines[0]["description"] = lines[0]["description"].replace(f" (spes. {made['mark']})", "")
    await person(twins, f"drafts/{number}/edit", lines=lines)
    await person(twins, f"drafts/{number}/send")

    draft = await later(client, synced, twins, work, clock, made["path"])

    assert (draft["became"]["what"], draft["became"]["by"]) == ("sent", "lines")


async def test_a_draft_given_to_another_customer_is_found_when_it_is_sent(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any, made: dict[str, Any]
) -> None:
    """A person moved the draft to another customer in Conta: its invoice is found there."""
    number = made["contaDraftIds"][0]
    others = synced.more["customers"]
    other = next(int(books) for time, books in others.items() if time != made["customerId"])
    await person(twins, f"drafts/{number}/edit", customerId=other)
    moved = await later(client, synced, twins, work, clock, made["path"])
    await person(twins, f"drafts/{number}/send")

    sent_on = await later(client, synced, twins, work, clock, made["path"])

    assert (moved["became"]["what"], moved["became"]["customerId"]) == ("edited", str(other))
    assert (sent_on["became"]["what"], sent_on["offersRelease"]) == ("sent", False)


async def test_an_unclear_invoice_is_a_persons_decision(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any, made: dict[str, Any]
) -> None:
    """Mark and texts edited away: no hour is free until a person says which invoice it is."""
    number = made["contaDraftIds"][0]
    lines = (await drafts_with(twins, made["mark"]))[0]["invoiceDraftLines"]
    for line in lines:
        line["description"] = "Konsulentbistand"
    await person(twins, f"drafts/{number}/edit", lines=lines)
    await person(twins, f"drafts/{number}/send")
    invoice = str((await twins.books())["invoices"][0]["id"])

    draft = await later(client, synced, twins, work, clock, made["path"])
    refused = await client.post(
        f"{made['path']}/release", headers=synced.books, json={"reason": "borte"}
    )
    named = await client.post(
        f"{made['path']}/invoice", headers=synced.books, json={"invoiceId": invoice}
    )

    assert (draft["became"]["what"], draft["problem"]) == ("unclear", "draft-unclear")
    assert refused.json()["code"] == "draft-may-be-invoiced"
    assert [c["invoiceId"] for c in refused.json()["candidates"]] == [invoice]
    assert (named.json()["became"]["what"], named.json()["became"]["id"]) == ("sent", invoice)


async def test_a_late_first_post_is_noticed_and_both_are_shown(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any, network: Any
) -> None:
    """
    A person sends again, then the first POST's draft turns up: an alarm, nothing re-sent.

    Once a person deletes one in Conta the alarm goes away by itself.
    """
    preview = await previewed(client, synced)
    await fault(
        twins, "conta", kind="status_before", status=500, method="POST", path="invoice-drafts",
        times=1,
    )  # fmt: skip
    answer = await sent(client, synced, preview)
    path = answer.headers["location"]
    for _ in range(3):
        clock.advance(seconds=121)
        await work()
    await signed_in(twins, synced)
    await client.post(f"{path}/resend", headers=synced.books)
    first = (await drafts_with(twins, preview["mark"]))[0]
    await post_late(network, first)

    both = await later(client, synced, twins, work, clock, path)
    await person(twins, f"drafts/{both['contaDraftIds'][1]}/delete")
    left = await later(client, synced, twins, work, clock, path)

    assert both["problem"] == "duplicate-draft"
    assert len(both["contaDraftIds"]) == 2
    assert (left["problem"], len(left["contaDraftIds"])) == (None, 1)


async def test_open_drafts_are_looked_at_with_one_call_each_and_not_too_often(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any, made: dict[str, Any]
) -> None:
    """A quiet draft costs one read at each look, four looks an hour at most, fewer later."""
    clock.advance(seconds=130)
    await work()
    await twins.control("conta", "DELETE", "/requests")

    for _ in range(60):
        clock.advance(minutes=1)
        await work()

    asked = [r["path"] for r in (await twins.control("conta", "GET", "/requests"))["requests"]]
    assert 1 <= len(asked) <= 4
    assert {path.rsplit("/", 1)[1] for path in asked} == {made["contaDraftIds"][0]}


async def test_the_loser_of_overlapping_selections_is_told_which_hours(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """Two people chose overlapping hours: the second hears the draft and the very hours."""
    whole = await previewed(client, synced)
    hours = ids_of(whole)
    some = await previewed(client, synced, entryIds=hours[:2], basedOn=whole["previewId"])
    first = await sent(client, synced, some)

    second = await sent(client, synced, whole, key="other")

    assert (second.status_code, second.json()["code"]) == (409, "hours-already-in-draft")
    assert second.json()["drafts"] == [
        {"draftId": first.json()["id"], "entryIds": sorted(hours[:2])}
    ]
    assert len((await twins.books())["drafts"]) == 1


async def test_a_draft_that_vanished_with_its_customer_ends_with_a_person(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any, made: dict[str, Any]
) -> None:
    """The books cannot say any more what became of it: asked once, not every ten minutes."""
    own = twins.conta.state.twin.organizations[1001]
    (number,) = (int(one) for one in made["contaDraftIds"])
    own.customers.pop(own.drafts.pop(number).data["customerId"])

    draft = await later(client, synced, twins, work, clock, made["path"])

    assert (draft["became"]["what"], draft["problem"]) == ("unclear", "draft-unclear")
    await twins.control("conta", "DELETE", "/requests")
    clock.advance(days=2)
    await work()
    calls = (await twins.control("conta", "GET", "/requests"))["requests"]
    assert [call for call in calls if "draft" in call["path"]] == []
    await signed_in(twins, synced)
    blind, looked = [
        await client.post(
            f"{made['path']}/release", headers=synced.books,
            json={"reason": "kunden er slettet", "lookedInConta": looked},
        )
        for looked in (False, True)
    ]  # fmt: skip
    assert (blind.status_code, blind.json()["code"]) == (409, "draft-may-be-invoiced")
    assert (looked.status_code, looked.json()["state"]) == (200, "released")


async def test_a_list_of_drafts_costs_no_more_queries_than_one_draft(
    client: httpx.AsyncClient, synced: Any, runtime: Any, made: dict[str, Any]
) -> None:
    """However many there are: one query for all hours and one for all events."""
    chosen = await client.get(f"{synced.path}/billable-entries", headers=synced.books)
    free = [e for e in chosen.json()["items"] if not e["hindrances"]][:3]
    assert free
    asked: list[str] = []

    async def counted() -> int:
        asked.clear()
        listed = await client.get(f"{synced.path}/invoice-drafts", headers=synced.books)
        assert listed.status_code == 200
        return len(asked)

    def note(*seen: Any) -> None:
        asked.append(seen[2])

    event.listen(runtime.database.engine.sync_engine, "before_cursor_execute", note)
    alone = await counted()
    for entry in free:
        preview = await previewed(
            client, synced, customerId=entry["customerId"], entryIds=[entry["id"]]
        )
        await sent(client, synced, preview, key=entry["id"])
    listed = (await client.get(f"{synced.path}/invoice-drafts", headers=synced.books)).json()

    assert await counted() == alone
    event.remove(runtime.database.engine.sync_engine, "before_cursor_execute", note)
    assert len(listed["items"]) == 1 + len(free)
    assert listed["items"][-1]["entries"] == made["entries"]

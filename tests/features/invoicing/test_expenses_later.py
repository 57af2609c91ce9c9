"""Expenses and kilometres that a draft left out: billed later, each once, and followed."""

from typing import Any

import httpx

from tests.features.invoicing.bookkeeper import Bookkeeper
from tests.features.invoicing.test_drafts import drafts_with, entries_of, previewed, sent
from tests.features.invoicing.test_followed import person
from tests.features.invoicing.test_preview import change, codes
from tests.features.invoicing.test_protocol import fault


async def test_expenses_left_out_are_billed_later_once(
    client: httpx.AsyncClient, synced: Any, twins: Any, clock: Any
) -> None:
    """Shown on the draft, billed by themselves, each once; the hours stay where they are."""
    plain = await previewed(client, synced, grouping="entry")
    customer, entry = plain["style"]["customerId"], plain["lines"][0]["entryIds"][0]
    await change(
        twins, entry, costs=[{"description": "Parkering", "amount": "120"}], kilometers="18.5"
    )
    draft = (await sent(client, synced, await previewed(client, synced))).json()
    path = f"{synced.path}/invoice-drafts/{draft['id']}"
    everything = {"expenseVatCode": "exempted", "kilometres": {"rateOre": 500, "vatCode": "high"}}

    async def left_out(**body: Any) -> httpx.Response:
        return await client.post(f"{path}/left-out", headers=synced.books, json=body)

    nothing = await left_out()
    both = [(await left_out(**everything)).json() for _ in range(2)]
    parking = (await left_out(expenseVatCode="exempted")).json()

    assert draft["customerId"] == customer
    assert draft["expensesLeftOut"] == {entry: ["expenses", "kilometres"]}
    assert nothing.json()["code"] == "nothing-to-bill"
    assert [(line["netOre"], line["vatCode"]) for line in both[0]["lines"]] == [
        (12_000, "exempted"), (9_250, "high"),
    ]  # fmt: skip
    made = (await sent(client, synced, parking, key="parking")).json()
    assert (made["state"], made["entries"]) == ("completed", [])
    late = await sent(client, synced, both[0], key="both")
    assert (late.status_code, late.json()["code"]) == (409, "preview-outdated")
    rest = (await left_out(**everything)).json()
    assert [line["netOre"] for line in rest["lines"]] == [9_250]
    assert (await sent(client, synced, rest, key="rest")).json()["state"] == "completed"
    assert (await left_out(**everything)).json()["code"] == "nothing-to-bill"
    paper = await client.get(
        f"{synced.path}/invoice-drafts/{made['id']}/specification.csv", headers=synced.books
    )
    assert "Parkering" in paper.text
    await person(twins, f"drafts/{draft['contaDraftIds'][0]}/delete")
    await client.post(f"{path}/look", headers=synced.books)
    clock.advance(seconds=120)
    freed = await client.post(f"{path}/release", headers=synced.books, json={"reason": "nei"})
    assert freed.json()["state"] == "released"
    (state,) = await entries_of(twins, [entry])
    assert state["invoiceStatus"] == "to_invoice"
    anew = await previewed(client, synced, customerId=customer, **everything)
    assert not [line for line in anew["lines"] if not line["entryIds"]], "billed already"
    assert "expenses-not-included" not in codes(anew)


async def test_an_expense_that_changed_after_its_preview_is_not_sent(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """What is sent is what was shown and still is; one of another customer's hour is not shown."""
    plain = await previewed(client, synced, grouping="entry")
    entry, other = (line["entryIds"][0] for line in plain["lines"][:2])
    for one in (entry, other):
        await change(twins, one, costs=[{"description": "Parkering", "amount": "120"}])
    draft = (await sent(client, synced, await previewed(client, synced))).json()
    path = f"{synced.path}/invoice-drafts/{draft['id']}/left-out"
    body = {"expenseVatCode": "exempted"}
    await change(twins, other, customerId="cus_9")
    shown = (await client.post(path, headers=synced.books, json=body)).json()
    await change(twins, entry, costs=[{"description": "Parkering", "amount": "90"}])

    late = await sent(client, synced, shown, key="late")

    assert [line["entryIds"] for line in shown["lines"]] == [[entry]]
    assert (late.status_code, late.json()["code"]) == (409, "preview-outdated")
    assert late.json()["changed"] == [{"entryId": entry, "what": "changed"}]


async def test_what_a_draft_left_out_waits_until_it_stands(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """Not while the draft itself may come to nothing."""
    await fault(twins, "conta", kind="lost_answer", method="POST", path="invoice-drafts", times=1)
    lost = await sent(client, synced, await previewed(client, synced))

    answer = await client.post(
        f"{lost.headers['location']}/left-out", headers=synced.books,
        json={"expenseVatCode": "exempted"},
    )  # fmt: skip

    assert (answer.status_code, answer.json()["code"]) == (409, "draft-state")


async def test_expenses_billed_later_are_followed_to_their_invoice(
    kari: Bookkeeper, twins: Any
) -> None:
    """Seen as an invoice, also with a line taken out; the hours stay in the first draft."""
    plain = await previewed(kari.client, kari.link, grouping="entry")
    entry = plain["lines"][0]["entryIds"][0]
    costs = [{"description": one, "amount": "120"} for one in ("Parkering", "Bom")]
    await change(twins, entry, costs=costs)
    draft = await kari.bill(grouping="entry")
    shown = await kari.post(f"invoice-drafts/{draft['id']}/left-out", expenseVatCode="exempted")
    later = await kari.send(shown.json())
    lines = (await drafts_with(twins, later["mark"]))[0]["invoiceDraftLines"]
    await person(twins, f"drafts/{later['contaDraftIds'][0]}/edit", lines=lines[:1])

    await kari.in_conta(later, "send")

    seen = await kari.get(f"invoice-drafts/{later['id']}")
    assert (seen["became"]["what"], seen["became"]["goneLines"]) == ("sent", [2])
    assert (await kari.hour(entry))["place"] == "in-draft"
    refused = await kari.release(draft)
    assert refused.json()["code"] == "draft-holds-hours"


async def test_an_expense_added_after_billing_is_listed_and_billed_once(
    kari: Bookkeeper, twins: Any
) -> None:
    """Beside one that was billed: the new one only, until a draft has it."""
    plain = await previewed(kari.client, kari.link, grouping="entry")
    entry = plain["lines"][0]["entryIds"][0]
    first = {"description": "Bom", "amount": "30"}
    await change(twins, entry, costs=[first])
    draft = await kari.bill(grouping="entry", expenseVatCode="exempted")
    await change(twins, entry, costs=[{"description": "Parkering", "amount": "250"}, first])

    await kari.look()

    listed = (await kari.get("changed-hours"))["expensesAdded"]
    assert listed == [{"draftId": draft["id"], "entryId": entry, "what": ["expenses"]}]
    seen = await kari.get(f"invoice-drafts/{draft['id']}")
    assert seen["expensesLeftOut"] == {entry: ["expenses"]}
    shown = await kari.post(f"invoice-drafts/{draft['id']}/left-out", expenseVatCode="exempted")
    assert [line["netOre"] for line in shown.json()["lines"]] == [25_000]
    assert (await kari.send(shown.json()))["state"] == "completed"
    assert (await kari.get("changed-hours"))["expensesAdded"] == []
    again = await kari.post(f"invoice-drafts/{draft['id']}/left-out", expenseVatCode="exempted")
    assert again.json()["code"] == "nothing-to-bill"


async def test_an_added_expense_is_listed_again_once_its_draft_is_released(
    kari: Bookkeeper, twins: Any
) -> None:
    """Billed by itself, credited and released, it is owed again, though its hour never changed."""
    plain = await previewed(kari.client, kari.link, grouping="entry")
    entry = plain["lines"][0]["entryIds"][0]
    draft = await kari.bill(grouping="entry")
    await change(twins, entry, costs=[{"description": "Parkering", "amount": "250"}])
    path = f"invoice-drafts/{draft['id']}/left-out"
    later = await kari.send((await kari.post(path, expenseVatCode="exempted")).json())
    await kari.look()
    assert (await kari.get("changed-hours"))["expensesAdded"] == []
    await kari.in_conta(later, "send")
    await kari.in_conta(later, "credit")

    assert (await kari.release(later)).json()["state"] == "released"

    listed = (await kari.get("changed-hours"))["expensesAdded"]
    assert listed == [{"draftId": draft["id"], "entryId": entry, "what": ["expenses"]}]
    seen = await kari.get(f"invoice-drafts/{draft['id']}")
    assert seen["expensesLeftOut"] == {entry: ["expenses"]}


async def test_what_was_left_out_by_choice_is_not_listed_as_added(
    kari: Bookkeeper, twins: Any
) -> None:
    """It is the draft's own, and stands there; a change of its hour makes no news of it."""
    plain = await previewed(kari.client, kari.link, grouping="entry")
    entry = plain["lines"][0]["entryIds"][0]
    await change(twins, entry, costs=[{"description": "Bom", "amount": "30"}])
    draft = await kari.bill(grouping="entry")
    await change(twins, entry, minutes=draft["entries"][0]["minutes"] + 30)

    await kari.look()

    assert (await kari.get("changed-hours"))["expensesAdded"] == []
    seen = await kari.get(f"invoice-drafts/{draft['id']}")
    assert seen["expensesLeftOut"] == {entry: ["expenses"]}


async def test_a_long_or_worthless_expense_stops_no_other(kari: Bookkeeper, twins: Any) -> None:
    """Its text is edited as on any preview; one of no kroner is told of and left."""
    plain = await previewed(kari.client, kari.link, grouping="entry")
    entry = plain["lines"][0]["entryIds"][0]
    costs = [
        {"description": "Gratis", "amount": "0"},
        {"description": "Hotell " * 90, "amount": "1500"},
        {"description": "Bom", "amount": "30"},
    ]
    await change(twins, entry, costs=costs)
    draft = await kari.bill(grouping="entry", entryIds=[entry])
    path = f"invoice-drafts/{draft['id']}/left-out"
    long = (await kari.post(path, expenseVatCode="exempted")).json()
    keys = [line["key"] for line in long["lines"]]

    edits = [{"line": keys[0], "text": "Hotell", "vatCode": "low"}, {"line": "other", "text": "x"}]
    short = (await kari.post(path, expenseVatCode="exempted", edits=edits)).json()

    told = {one["code"]: one["blocking"] for one in long["problems"]}
    assert (told["text-too-long"], told["expense-without-amount"]) == (True, False)
    assert [(line["netOre"], line["vatCode"]) for line in short["lines"]] == [
        (150_000, "low"), (3_000, "exempted"),
    ]  # fmt: skip
    assert "edit-without-line" in codes(short)
    sent_now = await kari.send(short)
    assert (sent_now["state"], sent_now["lines"][0]["text"][:7]) == ("completed", "Hotell ")
    both = await previewed(kari.client, kari.link, grouping="entry", expenseVatCode="exempted")
    assert "line-zero" not in codes(both)

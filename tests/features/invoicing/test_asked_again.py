"""What holds when a person asks again: earlier edits and texts, and batches a system failed in."""

from typing import Any

import httpx
from fastapi import FastAPI

from app.bootstrap import build_runtime
from app.database import CommitPoint
from app.runtime import Runtime
from tests.features.invoicing.test_drafts import drafts_with, entries_of, previewed, sent
from tests.features.invoicing.test_followed import person
from tests.features.invoicing.test_preview import change, codes
from tests.features.invoicing.test_protocol import fault, signed_in


async def test_a_second_edit_of_a_line_keeps_the_first(
    client: httpx.AsyncClient, synced: Any
) -> None:
    """Text today, discount tomorrow: what the second leaves out stays as the first said."""
    first = await previewed(client, synced, grouping="entry")
    key = first["lines"][1]["key"]
    edited = await previewed(
        client, synced, basedOn=first["previewId"],
        edits=[{"line": key, "text": "Rådgivning", "vatCode": "low"}],
    )  # fmt: skip

    again = await previewed(
        client, synced, basedOn=edited["previewId"],
        edits=[{"line": key, "discountPercent": "10"}],
    )  # fmt: skip

    (line,) = [one for one in again["lines"] if one["key"] == key]
    assert (line["text"], line["vatCode"], line["discountPercent"]) == ("Rådgivning", "low", "10")


async def test_a_text_by_number_stays_with_its_line(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """An hour goes before the next preview and the numbers move up: the text does not."""
    first = await previewed(client, synced, grouping="entry", texts={"2": "Styremøte"})
    gone, own = first["lines"][0], first["lines"][1]
    await change(twins, gone["entryIds"][0], invoiceStatus="not_billable")

    again = await previewed(client, synced, basedOn=first["previewId"])

    assert own["text"] == "Styremøte"
    by_text = {one["text"].split(" (spes.")[0]: one["entryIds"] for one in again["lines"]}
    assert by_text["Styremøte"] == own["entryIds"]
    assert len(again["lines"]) == len(first["lines"]) - 1


async def test_the_wishes_of_a_preview_outlive_its_hour(
    client: httpx.AsyncClient, synced: Any, twins: Any, clock: Any
) -> None:
    """After lunch the preview cannot be sent any more; its edits are not typed again."""
    first = await previewed(client, synced, grouping="entry", texts={"1": "Rådgivning"})
    clock.advance(hours=2)
    await signed_in(twins, synced)

    again = await previewed(client, synced, basedOn=first["previewId"])

    late = await sent(client, synced, first)
    assert late.json()["code"] == "preview-outdated"
    assert again["lines"][0]["text"].startswith("Rådgivning")


async def test_a_batch_outlives_a_system_that_is_away(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """Each customer has a result of its own, also where a system failed; the same key goes on."""
    found = (await client.get(f"{synced.path}/billable-entries", headers=synced.books)).json()
    customers = sorted({e["customerId"] for e in found["items"] if e["billable"]})[:2]
    asked = {"customerIds": customers}
    path = f"{synced.path}/invoice-drafts"
    await fault(twins, "conta", kind="status_before", status=503, path="customers", times=40)
    failed = await client.post(f"{path}/previews", headers=synced.books, json=asked)
    await twins.control("conta", "DELETE", "/faults")
    shown = (await client.post(f"{path}/previews", headers=synced.books, json=asked)).json()
    body = {"previewIds": [one["preview"]["previewId"] for one in shown["items"]]}
    headers = {**synced.books, "Idempotency-Key": "month-end"}
    await fault(twins, "timerabbit", kind="status_before", status=503, path="batch-get", times=40)
    away = await client.post(f"{path}/batch", headers=headers, json=body)
    await twins.control("timerabbit", "DELETE", "/faults")

    made = await client.post(f"{path}/batch", headers=headers, json=body)

    assert (failed.status_code, away.status_code) == (200, 200)
    for answer in (failed, away):
        problems = [one["problem"]["code"] for one in answer.json()["items"]]
        assert problems == ["system-unreachable"] * 2
    assert [one["draft"]["state"] for one in made.json()["items"]] == ["completed"] * 2
    assert len((await twins.books())["drafts"]) == 2


async def test_a_sender_that_stood_still_does_not_send(
    client: httpx.AsyncClient, app: FastAPI, runtime: Runtime, synced: Any, twins: Any,
    settings: Any, network: Any, clock: Any,
) -> None:  # fmt: skip
    """It woke up after others could take it for dead: nothing is sent, and the draft goes on."""
    preview = await previewed(client, synced)
    stood: list[str] = []

    def hook(point: CommitPoint, moment: str) -> None:
        if (point, moment) == (CommitPoint.DRAFT_ATTEMPT, "after") and not stood:
            stood.append("still")
            clock.advance(seconds=settings.draft_timeout_seconds * 2)

    slow = build_runtime(
        settings, clock=clock, hook=hook, conta_transport=network, timerabbit_transport=network
    )
    app.state.runtime = slow

    answer = await sent(client, synced, preview)

    assert stood
    assert (answer.status_code, answer.json()["state"]) == (202, "reserved")
    assert await drafts_with(twins, preview["mark"]) == []
    app.state.runtime = runtime
    await slow.close()


async def test_expenses_left_out_are_billed_later_once(
    client: httpx.AsyncClient, synced: Any, twins: Any
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

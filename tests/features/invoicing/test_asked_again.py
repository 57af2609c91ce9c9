"""What holds when a person asks again: earlier edits and texts, and batches a system failed in."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.bootstrap import build_runtime
from app.database import CommitPoint
from app.runtime import Runtime
from tests.features.invoicing.test_drafts import Died, drafts_with, previewed, sent
from tests.features.invoicing.test_preview import change
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


async def previews_of_two(client: httpx.AsyncClient, link: Any) -> list[str]:
    """Preview two customers; gives the previews' ids."""
    found = (await client.get(f"{link.path}/billable-entries", headers=link.books)).json()
    customers = sorted({e["customerId"] for e in found["items"] if e["billable"]})[:2]
    return [
        (await previewed(client, link, customerId=customer))["previewId"] for customer in customers
    ]


async def test_a_batchs_key_belongs_to_one_body(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """Other previews, or someone else who asks, under the same key: 422, and nothing is made."""
    one, two = await previews_of_two(client, synced)
    path = f"{synced.path}/invoice-drafts/batch"
    headers = {**synced.books, "Idempotency-Key": "month-end"}
    first = await client.post(path, headers=headers, json={"previewIds": [one]})

    others = [
        await client.post(path, headers=headers, json=body)
        for body in (
            {"previewIds": [two]}, {"previewIds": [one, two]},
            {"previewIds": [one], "requestedByEmployeeId": "emp_1"},
        )
    ]  # fmt: skip

    again = await client.post(path, headers=headers, json={"previewIds": [one]})
    assert {(a.status_code, a.json()["code"]) for a in others} == {(422, "idempotency-key-reused")}
    assert again.json()["items"][0]["draft"]["id"] == first.json()["items"][0]["draft"]["id"]
    assert len((await twins.books())["drafts"]) == 1


async def test_a_batch_goes_on_where_a_death_left_it(
    client: httpx.AsyncClient, app: FastAPI, runtime: Runtime, synced: Any, twins: Any,
    settings: Any, network: Any, clock: Any,
) -> None:  # fmt: skip
    """The process dies at the second draft; the same call makes that one and no other."""
    body = {"previewIds": await previews_of_two(client, synced)}
    path = f"{synced.path}/invoice-drafts/batch"
    headers = {**synced.books, "Idempotency-Key": "month-end"}
    intents: list[str] = []

    def die(point: CommitPoint, moment: str) -> None:
        if (point, moment) == (CommitPoint.DRAFT_INTENT, "before"):
            intents.append(moment)
            if len(intents) == 2:
                raise Died

    mortal = build_runtime(
        settings, clock=clock, hook=die, conta_transport=network, timerabbit_transport=network
    )
    app.state.runtime = mortal
    with pytest.raises(Died):
        await client.post(path, headers=headers, json=body)
    app.state.runtime = runtime
    before = len((await twins.books())["drafts"])
    clock.advance(seconds=31)

    again = await client.post(path, headers=headers, json=body)

    assert before == 1
    assert [one["draft"]["state"] for one in again.json()["items"]] == ["completed"] * 2
    assert len((await twins.books())["drafts"]) == 2
    await mortal.close()


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

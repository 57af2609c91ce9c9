"""The twins' own webhooks, signed by them, through the receiver, to a change on the other side."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.canonical import Side
from tests.conftest import SetClock
from tests.features.sync.conftest import Hands


@pytest.fixture
def carried(hands: Hands, app: FastAPI) -> Iterator[None]:
    """The twins' webhooks reach the service in process."""
    network = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    hands.twins.conta.state.sender._transport = network
    hands.twins.timerabbit.state.hooks._transport = network
    yield
    hands.twins.timerabbit.state.hooks.habits["cmp_1"] = type("Off", (), {"mode": "off"})()


async def new_secret(hands: Hands, client: httpx.AsyncClient, key: str) -> dict[str, Any]:
    made = await client.post(
        f"{hands.linked.path}/webhook-secrets",
        headers={**hands.linked.books, "Idempotency-Key": key},
        json={"system": "conta"},
    )
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


async def use(hands: Hands, secret: dict[str, Any]) -> None:
    """Let Conta's twin sign with this secret from now on."""
    await hands.twins.control("conta", "DELETE", "/webhooks")
    target = {"url": secret["url"], "secret": secret["secret"]}
    await hands.twins.control("conta", "POST", "/webhooks", target)


async def outcomes(hands: Hands, count: int) -> list[int]:
    """Wait until the twin got its answers; give the statuses."""
    for _ in range(200):
        found = (await hands.twins.control("conta", "GET", "/webhooks"))["outcomes"]
        if len(found) >= count:
            return [one["status"] for one in found]
        await asyncio.sleep(0.05)
    raise AssertionError(found)


@pytest.mark.usefixtures("carried")
async def test_contas_twin_tells_of_an_edit_and_it_reaches_timerabbit(
    hands: Hands, client: httpx.AsyncClient
) -> None:
    """Told to send, Conta's twin signs in the same shape; its copies are one change."""
    time_id, books_id = await hands.paired()
    await use(hands, await new_secret(hands, client, "a"))
    await hands.twins.control("conta", "PUT", "/webhooks/auto", {"on": True, "copies": 3})

    await hands.edit_books(books_id, phoneNo="22000001")
    statuses = await outcomes(hands, 3)
    waiting = await hands.changes()
    await hands.work()

    assert statuses == [202, 202, 202]
    assert [(one.side, one.record_id, one.counter) for one in waiting] == [("books", books_id, 1)]
    assert (await hands.in_time(time_id))["phone"] == "22000001"
    assert [call for call in await hands.writes() if "/customers/" in call] == [
        f"PATCH /integration/v1/customers/{time_id}"
    ]


@pytest.mark.usefixtures("carried")
async def test_metrics_follow_a_change_from_the_webhook_to_the_push(
    hands: Hands, client: httpx.AsyncClient, clock: SetClock
) -> None:
    """Accepted, carried out after so long, by these calls; what waits for a person stands apart."""
    _, books_id = await hands.paired()
    gone, _ = await hands.paired("Lia AS")
    await use(hands, await new_secret(hands, client, "a"))
    await hands.twins.control("conta", "PUT", "/webhooks/auto", {"on": True, "copies": 1})
    await hands.edit_books(books_id, phoneNo="22000001")
    await outcomes(hands, 1)
    clock.advance(seconds=4)
    await hands.work()
    await hands.twins.control("timerabbit", "POST", f"/companies/cmp_1/customers/{gone}/delete")
    await hands.hint(Side.TIME, gone)
    await hands.work()

    page = (await client.get("/metrics")).text

    told = dict(line.rsplit(" ", 1) for line in page.splitlines() if line.startswith("tc_"))
    assert told['tc_webhooks_total{outcome="accepted",system="conta"}'] == "1.0"
    assert (
        told['tc_outgoing_calls_total{method="PATCH",outcome="2xx",system="timerabbit"}'] == "1.0"
    )
    assert float(told['tc_outgoing_call_seconds_count{system="conta"}']) > 0
    assert told['tc_changes_total{outcome="done"}'] == "1.0"
    assert told["tc_change_lag_seconds_sum"] == "4.0"
    assert (told["tc_changes_pending"], told["tc_changes_parked"]) == ("0.0", "1.0")


@pytest.mark.usefixtures("carried")
async def test_a_secret_is_changed_while_deliveries_flow(
    hands: Hands, client: httpx.AsyncClient, clock: SetClock
) -> None:
    """Old and new are both good for a day; after it, or once revoked, the old one is 401."""
    _, books_id = await hands.paired()
    old = await new_secret(hands, client, "a")
    await use(hands, old)
    send = {"type": "customer.updated", "kind": "customer", "id": int(books_id)}

    async def sent() -> int:
        told = await hands.twins.control("conta", "POST", "/webhooks/send", send)
        return int(told["deliveries"][0]["status"])

    first = await sent()
    new = await new_secret(hands, client, "b")
    full = await client.post(
        f"{hands.linked.path}/webhook-secrets",
        headers={**hands.linked.books, "Idempotency-Key": "c"},
        json={"system": "conta"},
    )
    with_old = await sent()
    await asyncio.sleep(1.01)  # a process looks for newer secrets once a second
    await use(hands, new)
    with_new = await sent()
    clock.advance(hours=24, seconds=1)
    still_new = await sent()
    await use(hands, old)
    over = await sent()
    await use(hands, new)
    token = await hands.twins.token("conta", "1001")
    revoked = await client.delete(
        f"{hands.linked.path}/webhook-secrets/{new['id']}",
        headers={"Authorization": f"Bearer {token}"},
    )
    after = await sent()

    assert (first, with_old, with_new, still_new) == (202, 202, 202, 202)
    assert (full.status_code, full.json()["code"]) == (409, "webhook-secrets-full")
    assert (over, revoked.status_code, after) == (401, 204, 401)


@pytest.mark.usefixtures("carried")
async def test_conta_hears_410_once_the_link_is_closed(
    hands: Hands, client: httpx.AsyncClient
) -> None:
    """A late webhook of a link that ended is told so, and only its own sender is."""
    _, books_id = await hands.paired()
    await use(hands, await new_secret(hands, client, "a"))
    await client.delete(hands.linked.path, headers=hands.linked.books)

    told = await hands.twins.control(
        "conta",
        "POST",
        "/webhooks/send",
        {"type": "customer.updated", "kind": "customer", "id": int(books_id)},
    )

    assert told["deliveries"][0]["status"] == 410
    assert await hands.changes() == []


@pytest.mark.usefixtures("carried")
async def test_timerabbits_twin_tells_of_a_new_customer_made_on_both_sides(
    hands: Hands,
) -> None:
    """Webhook first, no sweep since: the copy a person made in Conta is found and linked."""
    hands.twins.timerabbit.state.hooks.habits.pop("cmp_1", None)
    number = "923609016"
    books_id = await hands.books_customer("Nyland AS", orgNo=number)
    time_id = await hands.time_customer("Nyland AS", organizationNumber=number)
    for _ in range(200):
        if await hands.changes():
            break
        await asyncio.sleep(0.05)
    heard = [(one.side, one.record_id) for one in await hands.changes()]

    await hands.work()

    assert heard == [(Side.TIME.value, time_id)]
    assert [(p.time_id, p.books_id) for p in await hands.pairs()] == [(time_id, books_id)]
    assert len((await hands.twins.books())["customers"]) == 1

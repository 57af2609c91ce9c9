import asyncio
import json
from collections.abc import Callable

import httpx
import pytest
from standardwebhooks.webhooks import Webhook
from starlette.applications import Starlette

from app.sandbox.conta import create_twin
from app.sandbox.conta.hooks import Sender

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
TARGET = {"url": "http://service.test/hooks", "secret": SECRET}


class Receiver:
    """Take deliveries as our service would: verify, then answer as a test wants."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.got: list[tuple[str, dict[str, object]]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        status = self.statuses.pop(0) if self.statuses else 202
        if status == 202:
            body = Webhook(SECRET).verify(request.content, dict(request.headers))
            assert body == json.loads(request.content)
            self.got.append((request.headers["webhook-id"], body))
        return httpx.Response(status)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def twin(receiver: Receiver) -> Starlette:
    app = create_twin(webhook_transport=httpx.MockTransport(receiver))
    sender: Sender = app.state.sender
    sender.retry_seconds = (0.01, 0.01, 0.01)
    return app


async def until(claim: Callable[[], bool]) -> None:
    for _ in range(500):
        if claim():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


async def test_one_signed_delivery_is_sent_on_request(
    control: httpx.AsyncClient, receiver: Receiver
) -> None:
    """Standard Webhooks: id, timestamp and v1 signature; the body only hints."""
    await control.post("webhooks", json=TARGET)
    what = {"type": "customer.updated", "kind": "customer", "id": 10001}

    answer = await control.post("webhooks/send", json=what | {"messageId": "msg_again"})

    message_id, body = receiver.got[0]
    assert answer.json()["deliveries"][0]["status"] == 202
    assert message_id == "msg_again"
    assert (body["organizationId"], body["data"]) == ("1001", {"id": "10001"})


async def test_an_old_delivery_can_be_sent(control: httpx.AsyncClient, receiver: Receiver) -> None:
    """``ageSeconds`` signs a time in the past, for receivers that must refuse it."""
    await control.post("webhooks", json=TARGET)
    receiver.statuses = [401]
    what = {"type": "customer.updated", "kind": "customer", "id": 10001, "ageSeconds": 3600}

    answer = await control.post("webhooks/send", json=what)

    assert answer.json()["deliveries"][0]["status"] == 401


async def test_changes_by_api_and_by_person_are_told_by_themselves(
    conta: httpx.AsyncClient,
    control: httpx.AsyncClient,
    person: httpx.AsyncClient,
    receiver: Receiver,
) -> None:
    """With ``auto`` on each change of a customer or project is one message."""
    await control.post("webhooks", json=TARGET)
    await control.put("webhooks/auto", json={"on": True})
    await person.patch("customers/10001", json={"phoneNo": "40000000"})
    await conta.post("/invoice/organizations/1001/projects", json={"name": "Nytt"})

    await until(lambda: len(receiver.got) == 2)

    types = {body["type"] for _, body in receiver.got}
    assert types == {"customer.updated", "project.created"}


async def test_a_refused_delivery_is_tried_again_and_given_up(
    control: httpx.AsyncClient, person: httpx.AsyncClient, receiver: Receiver, twin: Starlette
) -> None:
    """Four tries in all, then it is lost: the sweep must find the change."""
    receiver.statuses = [500, 503, 500, 500, 500, 500]
    await control.post("webhooks", json=TARGET)
    await control.put("webhooks/auto", json={"on": True})
    await person.patch("customers/10001", json={"phoneNo": "40000000"})
    await until(lambda: len(twin.state.sender.outcomes) == 4)
    await person.patch("customers/10002", json={"phoneNo": "40000000"})

    await until(lambda: len(receiver.got) == 1)

    assert receiver.got[0][1]["data"] == {"id": "10002"}


async def test_deliveries_are_doubled_held_and_reordered(
    control: httpx.AsyncClient, person: httpx.AsyncClient, receiver: Receiver
) -> None:
    """Real senders do all three; the receiver must not mind."""
    await control.post("webhooks", json=TARGET)
    await control.put("webhooks/auto", json={"on": True, "copies": 2, "hold": True})
    for number in (10001, 10002):
        await person.patch(f"customers/{number}", json={"phoneNo": "40000000"})
    held = (await control.get("webhooks")).json()["held"]

    await control.post("webhooks/release", json={"reversed": True})
    await until(lambda: len(receiver.got) == 4)

    ids = [message_id for message_id, _ in receiver.got]
    assert held == 2
    assert ids == ["msg_conta_2", "msg_conta_2", "msg_conta_1", "msg_conta_1"]


async def test_a_late_delivery_comes_when_its_time_has_come(
    control: httpx.AsyncClient, person: httpx.AsyncClient, receiver: Receiver
) -> None:
    """Nothing comes before the delay is over; then it comes whole."""
    await control.post("webhooks", json=TARGET)
    await control.put("webhooks/auto", json={"on": True, "delaySeconds": 0.2})
    await person.patch("customers/10001", json={"phoneNo": "40000000"})
    await asyncio.sleep(0.05)
    before = len(receiver.got)
    await until(lambda: len(receiver.got) == 1)

    assert (before, receiver.got[0][1]["data"]) == (0, {"id": "10001"})

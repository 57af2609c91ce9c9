"""Webhooks of the twin: signed as Standard Webhooks says, tried again, and off when told so."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette

from app.sandbox.clock import Clock
from app.sandbox.timerabbit import create_twin
from app.sandbox.timerabbit.hooks import Hooks
from app.sandbox.timerabbit.store import Store
from tests.sandbox.timerabbit.conftest import Control, refusal

TARGET = "https://service.test/hooks"
EVENTS = ["customer.created", "customer.updated", "customer.archived", "customer.deleted"]


class Receiver:
    """Take deliveries as our service would: answer as a test wants, keep what came."""

    def __init__(self) -> None:
        self.statuses: list[int | Exception] = []
        self.headers: dict[str, str] = {}
        self.got: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.got.append(request)
        status = self.statuses.pop(0) if self.statuses else 202
        if isinstance(status, Exception):
            raise status
        return httpx.Response(status, headers=self.headers)

    def verified(self, secret: str) -> list[dict[str, Any]]:
        """Give the bodies, each verified by the reference library."""
        return [Webhook(secret).verify(r.content, dict(r.headers)) for r in self.got]

    @property
    def ids(self) -> list[str]:
        return [request.headers["webhook-id"] for request in self.got]


class RealClock(Clock):
    """The reference library looks at the real time, so the twin must tell it."""


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def twin(receiver: Receiver) -> Starlette:
    made = create_twin(clock=RealClock(), webhook_transport=httpx.MockTransport(receiver))
    made.state.hooks.retry_seconds = (0.01, 0.01, 0.01)
    return made


@pytest.fixture
def hooks(twin: Starlette) -> Hooks:
    found: Hooks = twin.state.hooks
    return found


async def subscribe(api: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    answer = await api.post(
        "/webhook-subscriptions",
        json={"url": TARGET, "eventTypes": EVENTS} | more,
        headers={"Idempotency-Key": "subscribe-1"},
    )
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def until(claim: Callable[[], bool]) -> None:
    for _ in range(500):
        if claim():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


async def rename(control: Control, name: str = "Nytt navn AS", customer: str = "cus_2") -> None:
    await control("PATCH", f"/companies/cmp_1/customers/{customer}", {"name": name})


async def test_a_change_is_told_thinly_and_signed(
    api: httpx.AsyncClient, control: Control, receiver: Receiver
) -> None:
    """Id, timestamp and v1 signature; the body says what changed and who did it, not the record."""
    made = await subscribe(api)
    await rename(control)
    await until(lambda: bool(receiver.got))

    (body,) = receiver.verified(made["secret"])
    assert (body["type"], body["companyId"]) == ("customer.updated", "cmp_1")
    assert body["data"]["changedFields"] == ["name"]
    assert body["data"]["origin"]["kind"] == "user"
    assert "name" not in body["data"]
    assert receiver.ids[0].startswith("msg_")


async def test_another_secret_does_not_verify(
    api: httpx.AsyncClient, control: Control, receiver: Receiver
) -> None:
    """So that the test above can fail."""
    await subscribe(api)
    await rename(control)
    await until(lambda: bool(receiver.got))

    with pytest.raises(WebhookVerificationError):
        receiver.verified("whsec_" + "A" * 43 + "=")


@pytest.mark.parametrize(
    ("deed", "event"),
    [
        (("POST", "/companies/cmp_1/customers", {"name": "Ny", "kind": "company"}),
         "customer.created"),
        (("PATCH", "/companies/cmp_1/customers/cus_2", {"active": False}), "customer.archived"),
        (("POST", "/companies/cmp_1/customers/cus_2/delete", None), "customer.deleted"),
        (("POST", "/companies/cmp_1/customers/cus_2/merge", {"into": "cus_1"}),
         "customer.deleted"),
    ],
)  # fmt: skip
async def test_each_deed_has_its_event(
    api: httpx.AsyncClient, control: Control, receiver: Receiver, deed: Any, event: str
) -> None:
    """Created, archived, deleted, merged: as the contract names them."""
    await subscribe(api)
    await control(*deed)
    await until(lambda: bool(receiver.got))

    assert [json.loads(request.content)["type"] for request in receiver.got] == [event]


async def test_our_own_change_is_told_as_ours(api: httpx.AsyncClient, receiver: Receiver) -> None:
    """The origin names our client, so that an echo can be known."""
    await subscribe(api)
    headers = {"Content-Type": "application/merge-patch+json", "If-Match": '"1"'}
    await api.patch("/customers/cus_2", json={"name": "Ved oss AS"}, headers=headers)
    await until(lambda: bool(receiver.got))

    origin = json.loads(receiver.got[0].content)["data"]["origin"]
    assert (origin["kind"], origin["clientId"]) == ("integration", "timerabbit-conta")


async def test_only_what_is_subscribed_to_is_told(
    api: httpx.AsyncClient, control: Control, hooks: Hooks
) -> None:
    """Other events, and a subscription that is off, send nothing."""
    made = await subscribe(api, eventTypes=["customer.deleted"])
    await rename(control)
    path = f"/webhook-subscriptions/{made['id']}"
    off = await api.patch(
        path,
        json={"enabled": False},
        headers={"Content-Type": "application/merge-patch+json"},
    )
    await control("POST", "/companies/cmp_1/customers/cus_2/delete")

    assert (off.json()["enabled"], off.json()["disabledReason"]) == (False, "manual")
    assert hooks.deliveries == []


async def test_a_delivery_is_tried_again_with_the_same_id(
    api: httpx.AsyncClient, control: Control, receiver: Receiver, hooks: Hooks
) -> None:
    """500, no answer at all, and 429 are tried again; id and body stay."""
    made = await subscribe(api)
    receiver.statuses = [500, httpx.ConnectError("away"), 429]
    await rename(control)
    await until(lambda: hooks.deliveries[0].status == 202)

    assert len(set(receiver.ids)) == 1
    assert len(receiver.got) == hooks.deliveries[0].attempts == 4
    assert len({request.content for request in receiver.got}) == 1
    receiver.verified(made["secret"])
    shown = (await api.get(f"/webhook-subscriptions/{made['id']}")).json()
    assert shown["lastFailureAt"] is not None
    assert shown["lastSuccessAt"] is not None


async def test_a_delivery_that_never_succeeds_is_given_up(
    api: httpx.AsyncClient, control: Control, receiver: Receiver, hooks: Hooks
) -> None:
    """After the last try the twin keeps what became of it, and tells it."""
    await subscribe(api)
    receiver.statuses = [500] * 10
    await rename(control)
    await until(lambda: len(receiver.got) == 4)
    await until(lambda: not hooks._tasks)

    (told,) = (await control("GET", "/deliveries"))["deliveries"]
    assert (told["attempts"], told["status"]) == (4, 500)


async def test_retry_after_is_waited_for(
    api: httpx.AsyncClient, control: Control, receiver: Receiver
) -> None:
    """A receiver that asks for patience gets it."""
    await subscribe(api)
    receiver.statuses, receiver.headers = [503], {"Retry-After": "1"}
    await rename(control)
    await until(lambda: bool(receiver.got))
    await asyncio.sleep(0.3)

    assert len(receiver.got) == 1


async def test_410_turns_a_subscription_off(
    api: httpx.AsyncClient, control: Control, receiver: Receiver, hooks: Hooks
) -> None:
    """Gone means gone: no further try, and nothing more is sent there."""
    made = await subscribe(api)
    receiver.statuses = [410]
    await rename(control)
    await until(lambda: bool(receiver.got) and not hooks._tasks)
    await rename(control, "Enda et navn AS")

    shown = (await api.get(f"/webhook-subscriptions/{made['id']}")).json()
    assert (shown["enabled"], shown["disabledReason"]) == (False, "gone")
    assert len(hooks.deliveries) == 1


async def test_a_rotated_secret_signs_beside_the_old_one_for_a_day(
    api: httpx.AsyncClient, control: Control, receiver: Receiver, twin: Starlette, store: Store
) -> None:
    """Deliveries carry both signatures for 24 hours, then only the new one."""
    made = await subscribe(api)
    path = f"/webhook-subscriptions/{made['id']}/rotate-secret"
    new = (await api.post(path, headers={"Idempotency-Key": "rotate-01"})).json()["secret"]
    await rename(control)
    await until(lambda: bool(receiver.got))

    assert receiver.verified(made["secret"]) == receiver.verified(new)
    store.clock.advance(24 * 3600 + 1)
    receiver.got.clear()
    await rename(control, "Enda et navn AS")
    await until(lambda: bool(receiver.got))
    signatures = receiver.got[0].headers["webhook-signature"].split()
    (request,) = receiver.got
    at = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), tz=UTC)
    expected = Webhook(new).sign(request.headers["webhook-id"], at, request.content.decode())
    assert signatures == [expected]


async def test_secrets_are_shown_when_made_and_never_again(api: httpx.AsyncClient) -> None:
    """Neither list nor single answer holds one."""
    made = await subscribe(api)

    listed = await api.get("/webhook-subscriptions")
    one = await api.get(f"/webhook-subscriptions/{made['id']}")

    assert made["secret"] not in listed.text + one.text
    assert "secrets" not in one.json()


async def test_unsubscribing_is_for_ever_and_again_is_fine(
    api: httpx.AsyncClient, control: Control, hooks: Hooks
) -> None:
    """What is on its way to a subscription that is gone is dropped."""
    made = await subscribe(api)
    await control("POST", "/companies/cmp_1/webhooks", {"mode": "delay", "seconds": 0.05})
    await rename(control)
    path = f"/webhook-subscriptions/{made['id']}"
    statuses = [(await api.delete(path)).status_code for _ in range(2)]
    await until(lambda: not hooks._tasks)

    assert statuses == [204, 204]
    assert (hooks.deliveries[0].attempts, hooks.deliveries[0].status) == (0, 410)
    assert refusal(await api.get(path)) == (404, "not_found")


async def test_a_ping_is_sent_on_request(
    api: httpx.AsyncClient, receiver: Receiver, control: Control
) -> None:
    """The test call is answered at once; the signed ping follows, whatever the habits are."""
    made = await subscribe(api)
    await control("POST", "/companies/cmp_1/webhooks", {"mode": "off"})

    answer = await api.post(
        f"/webhook-subscriptions/{made['id']}/test", headers={"Idempotency-Key": "test-0001"}
    )
    await until(lambda: bool(receiver.got))

    assert answer.status_code == 202
    assert receiver.verified(made["secret"])[0]["type"] == "ping"


async def test_habits_double_reorder_and_drop(
    api: httpx.AsyncClient, control: Control, receiver: Receiver, hooks: Hooks
) -> None:
    """A company's webhooks come twice, in the wrong order or not at all, as a test wants."""
    await subscribe(api)
    path = "/companies/cmp_1/webhooks"
    await control("POST", path, {"mode": "double"})
    await rename(control, "En AS")
    await until(lambda: len(receiver.got) == 2)
    doubled = receiver.ids
    receiver.got.clear()
    await control("POST", path, {"mode": "reorder"})
    await rename(control, "To AS", "cus_1")
    await rename(control, "Tre AS", "cus_2")
    await until(lambda: len(receiver.got) == 2)
    order = [json.loads(request.content)["data"]["id"] for request in receiver.got]
    await control("POST", path, {"mode": "drop"})
    await rename(control, "Fire AS")

    assert doubled[0] == doubled[1]
    assert order == ["cus_2", "cus_1"]
    assert len(hooks.deliveries) == 3


async def test_habits_delay(
    api: httpx.AsyncClient, control: Control, receiver: Receiver, hooks: Hooks
) -> None:
    """A late delivery is sent when its time has come, whole and signed; nothing comes before."""
    made = await subscribe(api)
    await control("POST", "/companies/cmp_1/webhooks", {"mode": "delay", "seconds": 0.2})
    await rename(control, "Sent AS")
    await asyncio.sleep(0.05)
    before = len(receiver.got)
    await until(lambda: len(receiver.got) == 1)

    assert (before, len(hooks.deliveries)) == (0, 1)
    assert receiver.verified(made["secret"])[0]["type"] == "customer.updated"


async def test_an_unknown_habit_is_refused(browser: httpx.AsyncClient, hooks: Hooks) -> None:
    """A misspelt fault must not pass for one: nothing is changed."""
    answer = await browser.post("/_control/companies/cmp_1/webhooks", json={"mode": "late"})

    assert (answer.status_code, hooks.habits) == (400, {})


async def test_changed_hours_that_a_draft_holds_are_told(
    api: httpx.AsyncClient, control: Control, receiver: Receiver
) -> None:
    """An hour in a transfer that a person edits or deletes is news; a free one is not."""
    await subscribe(api, eventTypes=["time_entry.updated", "time_entry.deleted"])
    body = {"customerId": "cus_1", "minutes": 60}
    held = await control("POST", "/companies/cmp_1/entries", body)
    free = await control("POST", "/companies/cmp_1/entries", body)
    transfer = await api.post(
        "/invoice-transfers",
        json={
            "customerId": "cus_1", "target": "conta",
            "entries": [{"id": held["id"], "version": 1}],
        },
        headers={"Idempotency-Key": "transfer-1"},
    )  # fmt: skip
    for entry in (free, held):
        await control("PATCH", f"/companies/cmp_1/entries/{entry['id']}", {"minutes": 30})
    await control("POST", f"/companies/cmp_1/entries/{held['id']}/delete")
    await until(lambda: len(receiver.got) == 2)

    bodies = [json.loads(request.content) for request in receiver.got]
    assert {body["type"] for body in bodies} == {"time_entry.updated", "time_entry.deleted"}
    assert {body["data"]["id"] for body in bodies} == {held["id"]}
    assert {body["data"]["transferId"] for body in bodies} == {transfer.json()["id"]}


async def test_an_ending_twin_gives_up_its_retries(
    api: httpx.AsyncClient, control: Control, receiver: Receiver, hooks: Hooks
) -> None:
    """Nothing goes on in the background after the twin was closed."""
    hooks.retry_seconds = (60,)
    await subscribe(api)
    receiver.statuses = [500]
    await rename(control)
    await until(lambda: bool(receiver.got))

    async with asyncio.timeout(timedelta(seconds=2).total_seconds()):
        await hooks.close()

    assert hooks._tasks == set()

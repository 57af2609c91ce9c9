"""Serve subscriptions and send signed webhooks to them, with retries.

Late, doubled or not at all.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any

import httpx

from app.sandbox.timerabbit.calls import Call
from app.sandbox.timerabbit.store import Company, Event, Record, Store

PATIENCE_SECONDS = 15.0
OVERLAP_SECONDS = 24 * 3600
HIDDEN = ("secrets",)
MODES = ("normal", "off", "double", "reorder", "drop", "delay")


@dataclass
class Habits:
    """Say how a company's events are told: by one of ``MODES``, and how late when delayed."""

    mode: str = "normal"
    seconds: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a mode nobody knows: a fault that is quietly none would prove nothing."""
        if self.mode not in MODES:
            raise ValueError(f"unknown mode: {self.mode}")


@dataclass
class Delivery:
    """Hold one message for one subscription; the id is the same at each try."""

    id: str
    company: str
    subscription: str
    type: str
    body: bytes
    attempts: int = 0
    status: int = 0


class Hooks:
    """Send events and keep what became of each."""

    def __init__(self, store: Store, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.habits: dict[str, Habits] = {}
        self.retry_seconds: tuple[float, ...] = (0.5, 1, 2, 5, 10)
        self.deliveries: list[Delivery] = []
        self._store = store
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: list[Delivery] = []
        store.listeners.append(self._heard)

    async def close(self) -> None:
        """Give up what still waits for a retry."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client:
            await self._client.aclose()

    def send_to(self, company: Company, subscription: Record, event: Event) -> None:
        """Send one event to one subscription, as the company's habits say."""
        body = {
            "type": event.type,
            "timestamp": self._store.now(),
            "companyId": company.id,
            "data": event.data,
        }
        delivery = Delivery(
            f"msg_{secrets.token_hex(12)}", company.id, subscription["id"], event.type,
            json.dumps(body).encode(),
        )  # fmt: skip
        self.deliveries.append(delivery)
        self._go(delivery, self.habits.get(company.id, Habits()))

    def _heard(self, event: Event) -> None:
        company = self._store.companies[event.company]
        if self.habits.get(company.id, Habits()).mode in ("off", "drop"):
            return
        for subscription in company.subscriptions.values():
            if subscription["enabled"] and event.type in subscription["eventTypes"]:
                self.send_to(company, subscription, event)

    def _go(self, delivery: Delivery, habits: Habits) -> None:
        if habits.mode == "reorder":
            self._held.insert(0, delivery)
            if len(self._held) < 2:
                return
            group, self._held = self._held, []
        else:
            group = [delivery] * (2 if habits.mode == "double" else 1)
        pause = habits.seconds if habits.mode == "delay" else 0.0
        task = asyncio.get_running_loop().create_task(self._deliver(group, pause))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, group: list[Delivery], pause: float) -> None:
        await asyncio.sleep(pause)
        for delivery in group:
            await self._persist(delivery)

    async def _persist(self, delivery: Delivery) -> None:
        for wait in (*self.retry_seconds, None):
            asked = await self._attempt(delivery)
            if 200 <= delivery.status < 300 or wait is None:
                return
            if delivery.status == 410:
                self._turn_off(delivery)
                return
            await asyncio.sleep(max(wait, asked))

    async def _attempt(self, delivery: Delivery) -> float:
        self._client = self._client or httpx.AsyncClient(transport=self._transport)
        company = self._store.companies[delivery.company]
        subscription = company.subscriptions.get(delivery.subscription)
        if subscription is None:
            delivery.status = 410
            return 0.0
        delivery.attempts += 1
        try:
            answer = await self._client.post(
                subscription["url"], content=delivery.body,
                headers=self._signed(delivery, subscription), timeout=PATIENCE_SECONDS,
            )  # fmt: skip
        except httpx.HTTPError:
            delivery.status = 0
            subscription["lastFailureAt"] = self._store.now()
            return 0.0
        delivery.status = answer.status_code
        good = 200 <= answer.status_code < 300
        subscription["lastSuccessAt" if good else "lastFailureAt"] = self._store.now()
        text = answer.headers.get("retry-after", "0")
        return float(text) if text.isdigit() else 0.0

    def _turn_off(self, delivery: Delivery) -> None:
        company = self._store.companies[delivery.company]
        subscription = company.subscriptions.get(delivery.subscription)
        if subscription is not None:
            subscription |= {"enabled": False, "disabledReason": "gone"}

    def _signed(self, delivery: Delivery, subscription: Record) -> dict[str, str]:
        now = self._store.clock.now().timestamp()
        active = [s for s in subscription["secrets"] if s["ends"] is None or s["ends"] > now]
        content = f"{delivery.id}.{int(now)}.".encode() + delivery.body
        return {
            "content-type": "application/json",
            "webhook-id": delivery.id,
            "webhook-timestamp": str(int(now)),
            "webhook-signature": " ".join(_signature(s["text"], content) for s in active),
        }


def _signature(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()


def shown(subscription: Record) -> Record:
    """Show a subscription without its secrets."""
    return {name: value for name, value in subscription.items() if name not in HIDDEN}


def list_all(call: Call) -> Record:
    """List the company's subscriptions."""
    return {"items": [shown(s) for s in call.company.subscriptions.values()]}


def create(call: Call) -> Record:
    """Subscribe; the secret is in this answer only."""
    secret = _new_secret()
    key = call.store.new_id("subscriptions")
    subscription: Record = {
        "id": key, "url": call.body["url"], "eventTypes": call.body["eventTypes"],
        "enabled": True, "disabledReason": None, "createdAt": call.store.now(),
        "lastSuccessAt": None, "lastFailureAt": None,
        "secrets": [{"text": secret, "ends": None}],
    }  # fmt: skip
    call.company.subscriptions[key] = subscription
    call.status = 201
    call.answer_headers["Location"] = f"{call.path}/{key}"
    return {**shown(subscription), "secret": secret}


def read(call: Call) -> Record:
    """Read a subscription."""
    return shown(call.one(call.company.subscriptions, "subscriptionId"))


def update(call: Call) -> Record:
    """Change address, events or on/off."""
    subscription = call.one(call.company.subscriptions, "subscriptionId")
    subscription.update(call.body)
    if call.body.get("enabled") is False:
        subscription["disabledReason"] = "manual"
    return shown(subscription)


def delete(call: Call) -> None:
    """Unsubscribe; a missing one is fine."""
    call.company.subscriptions.pop(call.values["subscriptionId"], None)
    call.status = 204


def rotate(call: Call) -> Record:
    """Make a new secret; for 24 hours deliveries carry both signatures."""
    subscription = call.one(call.company.subscriptions, "subscriptionId")
    secret = _new_secret()
    ends = call.store.clock.now().timestamp() + OVERLAP_SECONDS
    older = [{**held, "ends": held["ends"] or ends} for held in subscription["secrets"]]
    subscription["secrets"] = [{"text": secret, "ends": None}, *older]
    return {**shown(subscription), "secret": secret}


def tester(hooks: Hooks) -> Any:  # noqa: ANN401 - an answer function
    """Give the call that sends a signed ping."""

    def test(call: Call) -> None:
        subscription = call.one(call.company.subscriptions, "subscriptionId")
        hooks.send_to(call.company, subscription, Event("ping", call.company.id, {}))
        call.status = 202

    return test


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()

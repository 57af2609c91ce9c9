"""
Send signed webhooks of customer and project changes, in the shape of Standard Webhooks.

Conta documents none (facts of 2026-11, section 2); this is what our receiver would take. Copies,
delay and holding back stand for the doubled, late and reordered deliveries of real senders.
"""

import asyncio
import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

import httpx

from app.sandbox.conta.store import Change, Store

PATIENCE_SECONDS = 5.0


class Target(NamedTuple):
    """Name a receiver and the ``whsec_`` secret that it shares with us."""

    url: str
    secret: str


class Delivery(NamedTuple):
    """Hold one message for one target, signed when it is sent."""

    id: str
    target: Target
    body: bytes


@dataclass
class Habits:
    """Say how changes are told by themselves."""

    on: bool = False
    copies: int = 1
    delay_seconds: float = 0
    hold: bool = False
    """Keep deliveries back until they are released, in order or reversed."""


class Sender:
    """Send deliveries to all targets and keep what became of each."""

    def __init__(self, store: Store, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.targets: list[Target] = []
        self.habits = Habits()
        self.retry_seconds: tuple[float, ...] = (1, 2, 5)
        self.outcomes: list[dict[str, Any]] = []
        self.held: list[Delivery] = []
        self._store = store
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._sent = 0
        store.listeners.append(self._heard)

    async def send(
        self, change: Change, *, message_id: str | None = None, age_seconds: float = 0
    ) -> list[dict[str, Any]]:
        """Send one message to each target once, without retries; give status or error of each."""
        deliveries = self._deliveries(change, message_id)
        return [await self._attempt(d, age_seconds=age_seconds) for d in deliveries]

    def release(self, *, backwards: bool = False) -> int:
        """Send what was held back; give how many deliveries that were."""
        held, self.held = self.held, []
        self._start(held[::-1] if backwards else held)
        return len(held)

    async def close(self) -> None:
        """Give up what still waits for a retry."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client:
            await self._client.aclose()

    def _heard(self, change: Change) -> None:
        if not (self.habits.on and self.targets):
            return
        deliveries = self._deliveries(change, None)
        if self.habits.hold:
            self.held += deliveries
        else:
            self._start(deliveries)

    def _start(self, deliveries: list[Delivery]) -> None:
        if deliveries:
            task = asyncio.get_running_loop().create_task(self._deliver(deliveries))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver(self, deliveries: list[Delivery]) -> None:
        # One after the other: a reordered release must arrive in that very order.
        await asyncio.sleep(self.habits.delay_seconds)
        for delivery in deliveries:
            for _ in range(self.habits.copies):
                await self._persist(delivery)

    async def _persist(self, delivery: Delivery) -> None:
        for pause in (*self.retry_seconds, None):
            outcome = await self._attempt(delivery)
            if outcome["status"] // 100 == 2 or pause is None:
                return
            await asyncio.sleep(pause)

    async def _attempt(self, delivery: Delivery, *, age_seconds: float = 0) -> dict[str, Any]:
        self._client = self._client or httpx.AsyncClient(transport=self._transport)
        sent_at = self._store.clock.now() - timedelta(seconds=age_seconds)
        headers = signed(delivery, timestamp=int(sent_at.timestamp()))
        outcome: dict[str, Any] = {"id": delivery.id, "url": delivery.target.url, "status": 0}
        try:
            answer = await self._client.post(
                delivery.target.url,
                content=delivery.body,
                headers=headers,
                timeout=PATIENCE_SECONDS,
            )
            outcome["status"] = answer.status_code
        except httpx.HTTPError as error:
            outcome["error"] = repr(error)
        self.outcomes.append(outcome)
        return outcome

    def _deliveries(self, change: Change, message_id: str | None) -> list[Delivery]:
        self._sent += 1
        now = self._store.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        body = {
            "type": change.type,
            "timestamp": now,
            "organizationId": str(change.organization),
            "data": {"id": str(change.id)},
        }
        name = message_id or f"msg_conta_{self._sent}"
        return [Delivery(name, target, json.dumps(body).encode()) for target in self.targets]


def signed(delivery: Delivery, *, timestamp: int) -> dict[str, str]:
    """Give the headers of a delivery: id, time and ``v1`` signature."""
    key = base64.b64decode(delivery.target.secret.removeprefix("whsec_"))
    content = f"{delivery.id}.{timestamp}.".encode() + delivery.body
    signature = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return {
        "content-type": "application/json",
        "webhook-id": delivery.id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }

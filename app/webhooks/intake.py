"""Take verified webhooks in: those that arrive together share one call and one commit."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from uuid_utils.compat import uuid7

from app.canonical import LinkId, Side
from app.database import CommitPoint, libpq_url
from app.runtime import Runtime
from app.systems.ports import Notice

MOST_AT_ONCE: Final = 200
_CALLS: Final = 2
"""Calls in flight: while one waits for the disk the next gathers; more only make smaller groups."""

# Rows in one order, so that two groups never wait for each other in a circle.
_ACCEPT: Final = b"""
SELECT d.place, accept_delivery(d.link, d.side, d.system, d.secret, d.account, d.id, d.event,
                                d.hash, d.body, d.kinds, d.ids, d.changes, d.sweep, %s::timestamptz)
FROM (SELECT * FROM jsonb_to_recordset(%s::jsonb)
        AS x (place integer, link uuid, side text, system text, secret uuid, account text,
              id text, event text, hash text, body text, kinds text[], ids text[],
              changes uuid[], sweep boolean)
      ORDER BY link, side, kinds, ids, place) d
"""

AWAY: Final = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)
"""What says that the database is away; nothing was kept."""


@dataclass(frozen=True, slots=True)
class Verified:
    """Hold one delivery whose signature is right; ``body`` is valid UTF-8, since it was parsed."""

    link_id: LinkId
    side: Side
    system: str
    secret_id: UUID
    delivery_id: str
    body: bytes
    notice: Notice


_Waiting = tuple[dict[str, Any], asyncio.Future[str]]


class Intake:
    """
    Hold the deliveries that wait for their call, and the connections of these calls.

    A delivery that comes alone goes at once; those that come while a call runs go together with
    the next. Each is answered only after its commit.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._waiting: list[_Waiting] = []
        self._calls: set[asyncio.Task[None]] = set()
        self._pool: AsyncConnectionPool[psycopg.AsyncConnection[Any]] | None = None

    async def close(self) -> None:
        """Let what runs end and close the connections; a later call opens them again."""
        await asyncio.gather(*self._calls, return_exceptions=True)
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    async def accept(self, delivery: Verified) -> str:
        """
        Keep a delivery once, note its changes and wake the drain.

        Gives ``accepted``, ``repeated`` or ``altered`` (the id is known, nothing was done),
        ``refused`` (link or secret are no longer), ``closed`` or ``misdirected``.

        Raises:
            psycopg.Error: One of ``AWAY``: nothing was kept.
            psycopg_pool.PoolTimeout: The same.

        """
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append((_payload(delivery), answer))
        if len(self._calls) < _CALLS:
            task = asyncio.create_task(self._work())
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)
        return await answer

    async def _work(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            await self._carry(group)

    async def _carry(self, group: Sequence[_Waiting]) -> None:
        try:
            outcomes = await self._call([payload for payload, _ in group])
        except Exception as error:  # noqa: BLE001 - each request gets its own, none waits for ever
            if len(group) > 1 and not isinstance(error, AWAY):
                for alone in group:  # one bad delivery must not spoil the others
                    await self._carry([alone])
                return
            for _, answer in group:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), outcome in zip(group, outcomes, strict=True):
            if not answer.done():
                answer.set_result(outcome)

    async def _call(self, payloads: list[dict[str, Any]]) -> list[str]:
        for place, payload in enumerate(payloads):
            payload["place"] = place
        pool = await self._opened()
        parameters = (self._runtime.clock(), json.dumps(payloads))
        with self._runtime.database.around(CommitPoint.WEBHOOK_ACCEPTED):
            async with pool.connection() as connection:
                cursor = await connection.execute(_ACCEPT, parameters, prepare=True)
                rows: list[tuple[int, str]] = await cursor.fetchall()
        return [outcome for _, outcome in sorted(rows)]

    async def _opened(self) -> AsyncConnectionPool[psycopg.AsyncConnection[Any]]:
        if self._pool is None:
            self._pool = AsyncConnectionPool(
                libpq_url(self._runtime.settings.database_url or ""),
                min_size=1,
                max_size=_CALLS,
                timeout=5,
                open=False,
                kwargs={
                    "autocommit": True,
                    "options": "-c timezone=UTC",
                    "connect_timeout": 5,
                },
            )
            await self._pool.open()
        return self._pool


def _payload(delivery: Verified) -> dict[str, Any]:
    notice = delivery.notice
    return {
        "link": str(delivery.link_id),
        "side": delivery.side,
        "system": delivery.system,
        "secret": str(delivery.secret_id),
        "account": notice.account_id,
        "id": delivery.delivery_id,
        "event": notice.event,
        "hash": hashlib.sha256(delivery.body).hexdigest(),
        "body": delivery.body.decode(),
        "kinds": [change.kind for change in notice.changes],
        "ids": [change.id for change in notice.changes],
        "changes": [str(uuid7()) for _ in notice.changes],
        "sweep": notice.access_changed,
    }

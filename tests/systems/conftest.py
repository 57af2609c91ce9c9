"""Give the client tests recorded samples, a router in the network's place, and tokens."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from app.sandbox.openapi import Call, Contract
from app.systems.ports import Tokens

SAMPLES = Path(__file__).parent

Sample = Callable[..., httpx.Response]


class Network:
    """
    Stand in for the network: a respx router that answers each call by method and path, in order.

    A call that no test foresaw fails; ``httpx-aiohttp`` is out of respx's own reach, so the router
    is handed in as a transport.
    """

    def __init__(self) -> None:
        self.router = respx.MockRouter(assert_all_called=False)
        self.requests: list[httpx.Request] = []
        self._told: dict[tuple[str, str], respx.Route] = {}

    def on(self, method: str, path: str, *answers: httpx.Response | Exception) -> None:
        """Give these answers one after the other, the last for ever."""
        waiting = list(answers)

        def answer(_request: httpx.Request) -> httpx.Response:
            given = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            if isinstance(given, Exception):
                raise given
            return given

        told = self._told.setdefault((method, path), self.router.route(method=method, path=path))
        told.mock(side_effect=answer)

    def on_all(self, answer: httpx.Response | Exception) -> None:
        """Give this answer to each call that was foreseen so far."""
        for method, path in self._told:
            self.on(method, path, answer)

    async def handle(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        self.requests.append(request)
        return await self.router.async_handler(request)

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.handle)

    def queries(self) -> list[dict[str, str]]:
        return [dict(request.url.params) for request in self.requests]

    def body(self, index: int = -1) -> Any:
        return json.loads(self.requests[index].content)


class KeptTokens:
    """Keep one link's tokens in memory; renews one at a time, as the real keeper does."""

    def __init__(self) -> None:
        self.kept = Tokens("access-1", "refresh-1", datetime(2026, 11, 24, 10, tzinfo=UTC))
        self.renewals = 0
        self._lock = asyncio.Lock()

    async def current(self) -> Tokens:
        return self.kept

    async def renew(self, stale: Tokens, refresh: Callable[[str], Awaitable[Tokens]]) -> Tokens:
        async with self._lock:
            if self.kept.access == stale.access:
                assert self.kept.refresh is not None
                self.kept = await refresh(self.kept.refresh)
                self.renewals += 1
            return self.kept


API = "/integration/v1"
CONTRACTS = (Contract("conta"), Contract("timerabbit", prefix=API))


def flaws(request: httpx.Request) -> list[str]:
    """Say where a request is untrue to the contract of its system."""
    path = request.url.raw_path.decode().partition("?")[0]
    for contract in CONTRACTS:
        if found := contract.find(request.method, path):
            headers = {name.lower(): value for name, value in request.headers.items()}
            call = Call(request.url.query, headers, request.content)
            return [str(flaw) for flaw in contract.request_flaws(*found, call)]
    return [f"{request.method} {path} is in no contract"]


@pytest.fixture
def network() -> Iterator[Network]:
    """A network that holds every request to the contract of its system."""
    standing_in = Network()
    yield standing_in
    assert [flaw for request in standing_in.requests for flaw in flaws(request)] == []


@pytest.fixture
def tokens() -> KeptTokens:
    return KeptTokens()

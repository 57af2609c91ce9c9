"""
Call another system: deadline, size cap, pace, breaker, few retries, and every failure sorted.

The one way out to the network. Knows no system; each hands in how its refusals are read.
"""

import asyncio
import time
from collections.abc import AsyncIterable
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlencode

import aiohttp
import httpx
import structlog

from app.clock import Clock, system_clock
from app.systems.breaker import Breakers
from app.systems.calls import Answer, Call, Classify, Observe
from app.systems.http import CONNECT_SECONDS, network_to, nothing_was_sent, was_turned_away
from app.systems.own_time import note_outgoing
from app.systems.pace import Paces
from app.systems.ports import RateLimited, SystemFault, Unreachable
from app.systems.prepared import Prepared
from app.systems.reading import retry_after_seconds
from app.systems.retries import BreakerOpen, Distrusted, TimeLeft, again_after

_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": "timerabbit-conta",
}
# Only connecting has its own limit; the deadline is over everything else.
_TIMEOUTS = {"timeout": {"connect": CONNECT_SECONDS, "read": None, "write": None, "pool": None}}
_ENCODINGS = frozenset({"", "identity", "gzip", "deflate"})
_NETWORK_ERRORS = (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError)

_Pieces = AsyncIterable[bytes]

log = structlog.get_logger(__name__)


def ignore_call(system: str, method: str, outcome: str, seconds: float) -> None:
    """Be the observer where nobody observes."""


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """
    Hold the limits of the calls to one system.

    Args:
        timeout_seconds: Deadline of one call, retries and reading of the body included.
        largest_body_bytes: Size at which an answer is cut off, counted after inflating.
        calls_per_second: Pace of one link in this process.
        burst: Calls of one link that may go at once.
        observe: Hears of every try.
        clock: Tells the time for a ``Retry-After`` that names a date.

    """

    timeout_seconds: float = 30.0
    largest_body_bytes: int = 16 * 1024 * 1024
    calls_per_second: float = 20.0
    burst: int = 20
    observe: Observe = ignore_call
    clock: Clock = system_clock


class Transport:
    """
    Be the HTTP client of one system in one process, shared by all links.

    Nothing is connected before the first call. ``network`` stands in for the network in tests.
    """

    def __init__(
        self,
        system: str,
        base_url: str,
        *,
        classify: Classify,
        options: TransportOptions | None = None,
        network: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.system = system
        self.options = options or TransportOptions()
        self._base_url = base_url.rstrip("/")
        self._network = network or network_to(self._base_url)
        self._classify = classify
        self._paces = Paces(self.options.calls_per_second, self.options.burst)
        self._breakers = Breakers(time.monotonic)

    async def close(self) -> None:
        """Close the connections."""
        await self._network.aclose()

    async def send(self, call: Call) -> Answer:
        """
        Make a call and give its 2xx answer; reads are tried at most three times.

        Raises:
            SystemFault: One of the five, by what must be done about it.

        """
        deadline = call.timeout_seconds or self.options.timeout_seconds
        if call.write:
            return await self._try(call, deadline)
        left = TimeLeft(deadline)
        try:
            return await self._try_within(call, left)
        except (RateLimited, Unreachable) as fault:
            return await again_after(fault, self._try_within, call, left)

    async def _try_within(self, call: Call, left: TimeLeft) -> Answer:
        start = time.perf_counter()
        try:
            return await self._try(call, left.seconds)
        finally:
            left.seconds -= time.perf_counter() - start

    async def _try(self, call: Call, deadline: float) -> Answer:
        request = self._request(call)
        await self._paces.of(call.pace_key).take(longest_seconds=self.options.timeout_seconds)
        wait = self._breakers.admit(call.pace_key)
        if wait > 0:
            raise BreakerOpen(f"{self.system} failed too often lately", retry_after=wait)
        watched = _Watched()
        try:
            answer = await self._exchange(request, call, deadline, watched)
        finally:
            self._done(call, watched)
        if answer.status >= 300:
            raise self._fault(answer, call)
        return answer

    def _request(self, call: Call) -> httpx.Request:
        query = f"?{urlencode(call.query)}" if call.query else ""
        return Prepared(
            call.method,
            f"{self._base_url}{call.path()}{query}",
            {**_HEADERS, **call.headers},
            call.body,
            _TIMEOUTS,
        )

    async def _exchange(
        self, request: httpx.Request, call: Call, deadline: float, watched: "_Watched"
    ) -> Answer:
        try:
            async with asyncio.timeout(deadline):
                return await self._receive(request, call, watched)
        except (TimeoutError, httpx.TimeoutException) as err:
            away = was_turned_away(err)
            watched.outcome = "network" if away else "timeout"
            raise Unreachable(
                f"{self.system} {'cannot be reached' if away else 'did not answer in time'}",
                effect_possible=call.write and not nothing_was_sent(err),
            ) from err
        except _NETWORK_ERRORS as err:
            watched.outcome = "network"
            raise Unreachable(
                f"{self.system} cannot be reached: {type(err).__name__}",
                effect_possible=call.write and not nothing_was_sent(err),
            ) from err

    async def _receive(self, request: httpx.Request, call: Call, watched: "_Watched") -> Answer:
        response = await self._network.handle_async_request(request)
        try:
            watched.status = response.status_code
            body = await self._read_body(response, write=call.write)
        finally:
            await response.aclose()
        return Answer(response.status_code, response.headers, body)

    async def _read_body(self, response: httpx.Response, *, write: bool) -> bytes:
        limit = self.options.largest_body_bytes
        # What is not encoded needs no decoder; httpx's costs a twentieth of a call.
        encoded = "content-encoding" in response.headers
        if encoded and response.headers["content-encoding"].lower() not in _ENCODINGS:
            raise Distrusted("an encoding that was not asked for", effect_possible=write)
        pieces = response.aiter_bytes() if encoded else cast("_Pieces", response.stream)
        chunks: list[bytes] = []
        size = 0
        async for chunk in pieces:
            size += len(chunk)
            if size > limit:
                raise Distrusted(f"an answer of more than {limit} bytes", effect_possible=write)
            chunks.append(chunk)
        return b"".join(chunks)

    def _fault(self, answer: Answer, call: Call) -> SystemFault:
        if answer.status < 400:
            return Distrusted(f"{self.system} redirects", effect_possible=call.write)
        if answer.status == 429:
            wait = retry_after_seconds(answer.headers.get("retry-after"), now=self.options.clock())
            self._paces.of(call.pace_key).pause(wait)
            return RateLimited(f"{self.system} asks for patience", retry_after=wait)
        return self._classify(answer, call)

    def _done(self, call: Call, watched: "_Watched") -> None:
        end = time.perf_counter()
        seconds = end - watched.start
        note_outgoing(watched.start, end)
        outcome = watched.summary()
        if outcome is None:
            self._breakers.withdraw(call.pace_key)
            outcome = "cancelled"
        else:
            self._breakers.record(call.pace_key, answered=watched.answered)
        self.options.observe(self.system, call.method, outcome, seconds)
        write_line = log.debug if watched.answered else log.warning
        write_line(
            "outgoing call",
            system=self.system,
            method=call.method,
            route=call.route,
            status=watched.status,
            outcome=outcome,
            milliseconds=round(seconds * 1000),
        )


class _Watched:
    """Hold what became of one try."""

    def __init__(self) -> None:
        self.start = time.perf_counter()
        self.status: int | None = None
        self.outcome: str | None = None

    @property
    def answered(self) -> bool:
        return self.outcome is None and self.status is not None and self.status < 500

    def summary(self) -> str | None:
        if self.outcome is not None or self.status is None:
            return self.outcome
        return "429" if self.status == 429 else f"{self.status // 100}xx"

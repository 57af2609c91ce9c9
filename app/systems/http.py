"""
Build the one way to the network: httpx's transport over aiohttp.

There is no ``httpx.AsyncClient`` around it: what a client adds to a transport (redirects, cookies,
proxies and log-ins from the environment) is what we must not have, and it takes half of the time
of a call (measured 2026-11: 1,640 against 3,310 calls/s with 40 at once).
"""

import ssl
from collections.abc import AsyncIterator
from functools import cache
from urllib.parse import urlsplit

import aiohttp
import httpx
import yarl
from httpx_aiohttp import AiohttpTransport
from httpx_aiohttp.transport import map_aiohttp_exceptions
from multidict import CIMultiDict

from app.systems.addresses import PublicResolver, is_private_literal
from app.systems.prepared import Prepared

CONNECT_SECONDS = 10.0
MOST_CONNECTIONS = 200
# Below the 5 s after which uvicorn closes an idle connection (nginx: 75 s). A POST sent into a
# connection that the other end is just closing has an unknown outcome, which only a person can end.
KEEP_ALIVE_SECONDS = 4.0

_TIMEOUT = aiohttp.ClientTimeout(sock_connect=CONNECT_SECONDS)

_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


def network_to(base_url: str) -> httpx.AsyncBaseTransport:
    """
    Build the way to one system; nothing is connected yet.

    An ``https`` address must be public, at each connection anew; plain ``http`` is for twins on
    the same machine and is not checked.

    Raises:
        ValueError: The address is an IP address itself, and not a public one.

    """
    parts = urlsplit(base_url)
    public_only = parts.scheme == "https"
    if public_only and is_private_literal(parts.hostname or ""):
        raise ValueError("the address of a system must be public")
    return build_network(public_only=public_only)


def build_network(*, public_only: bool) -> httpx.AsyncBaseTransport:
    """Build the way to the network; with ``public_only`` no name may resolve to a private host."""

    def open_session() -> aiohttp.ClientSession:
        # Called at the first request: aiohttp binds a session to the running loop.
        # One session serves all links and keeps no cookies: one link's would go with another's key.
        connector = aiohttp.TCPConnector(
            limit=MOST_CONNECTIONS,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            ssl=transport.ssl_context,
            resolver=PublicResolver() if public_only else None,
        )
        session = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
        )
        # aiohttp would send a GET or PUT a second time by itself; tries are counted in one place.
        session._retry_connection = False  # noqa: SLF001 - there is no public switch (3.14)
        return session

    transport = _Network(verify=trusted_authorities(), client=open_session)
    return transport


class _Network(AiohttpTransport):
    """
    Be httpx's transport over aiohttp; a request that is prepared goes by without a second parsing.

    What httpx and httpx-aiohttp do to an address and to headers that are already as they go out
    is a quarter of a call (measured 2026-11). Any other request goes httpx-aiohttp's own way.
    """

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; the answer's body is read by the caller."""
        if not isinstance(request, Prepared):
            return await super().handle_async_request(request)
        if not isinstance(self.client, aiohttp.ClientSession):
            self.client = self.get_client()
        try:
            answer = await self.client.request(
                request.method,
                yarl.URL(request.address, encoded=True),
                headers=CIMultiDict(request.given),
                data=request.content or None,
                allow_redirects=False,
                timeout=_TIMEOUT,
            )
        except Exception:
            with map_aiohttp_exceptions():
                raise
        return httpx.Response(
            answer.status, headers=answer.raw_headers, stream=_Body(answer), request=request
        )


class _Body(httpx.AsyncByteStream):
    """Give an answer's body as it comes in, and its connection back."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give each piece as it was received."""
        try:
            while piece := await self._answer.content.readany():
                yield piece
        except Exception:
            with map_aiohttp_exceptions():
                raise

    async def aclose(self) -> None:
        """Give the connection back, or end it where the body was not read to its end."""
        with map_aiohttp_exceptions():
            await self._answer.__aexit__(None, None, None)


@cache
def trusted_authorities() -> ssl.SSLContext:
    """Give the process's one TLS context; reading the authorities takes 40 ms (2026-11)."""
    return httpx.create_ssl_context()


def was_turned_away(error: BaseException) -> bool:
    """Say whether nobody took the connection: no time-out, whatever the library calls it."""
    return isinstance(error.__cause__, aiohttp.ClientConnectorError)


def nothing_was_sent(error: BaseException) -> bool:
    """
    Say whether a failure proves that no byte of the request left.

    ``httpx-aiohttp`` 0.2 calls both a refused connection and one reset after sending a
    ``ConnectTimeout``; only the error underneath tells them apart.
    """
    cause = error.__cause__
    if isinstance(cause, aiohttp.ClientError):
        return isinstance(cause, _NEVER_SENT)
    return isinstance(error, (httpx.ConnectError, httpx.PoolTimeout, httpx.UnsupportedProtocol))

"""Guard the service's front.

The port it takes, request ids, body size and time limits, framing that two readers could read
differently.
"""

import asyncio
import socket
from collections.abc import Mapping
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils import uuid7

from app.problems import Problem, answer

_ENCODED: Final = frozenset({b"", b"identity"})


class Edge:
    """Wrap the app.

    Give each request an id, refuse bodies that are too large, too slow or ambiguous, and answer
    HEAD as GET without its body.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_body_bytes: int,
        body_timeout_seconds: float,
        larger: Mapping[str, int] | None = None,
    ) -> None:
        """Wrap; ``larger`` gives paths that end so a limit of their own, in bytes."""
        self._app = app
        self._max = max_body_bytes
        self._larger = dict(larger or {})
        self._timeout = body_timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = str(uuid7())
        scope.setdefault("state", {})["request_id"] = request_id
        guard = _Guard(scope, receive, send, limits=(self._limit(scope["path"]), self._timeout))
        refusal = guard.refusal_by_headers()
        if refusal is not None:
            await answer(Request(scope), refusal)(scope, receive, guard.send)
            return
        # The server's own scope stays as it is: it sends what belongs to HEAD.
        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        await self._app(inner, guard.receive, guard.send)

    def _limit(self, path: str) -> int:
        own = (most for ending, most in self._larger.items() if path.endswith(ending))
        return next(own, self._max)


class _Guard:
    """Count and time one request's body; answer in place of the app when a limit is passed."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, *, limits: tuple[int, float]
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._max, self._timeout = limits
        self._read = 0
        self._deadline: float | None = None
        self._complete = False

    def refusal_by_headers(self) -> Problem | None:
        headers: list[tuple[bytes, bytes]] = self._scope["headers"]
        names = [name for name, _ in headers]
        lengths = [value for name, value in headers if name == b"content-length"]
        if b"transfer-encoding" in names and lengths:
            return Problem("bad-request", headers={"Connection": "close"})
        if any(
            name == b"content-encoding" and value.strip() not in _ENCODED for name, value in headers
        ):
            return Problem("unsupported-media-type")
        if any(value.isdigit() and int(value[:19]) > self._max for value in lengths):
            return Problem("body-too-large", headers={"Connection": "close"})
        return None

    async def receive(self) -> Message:
        # FastAPI turns any other exception raised while it reads the body into a plain 400.
        if self._complete:
            return await self._receive()
        loop = asyncio.get_running_loop()
        if self._deadline is None:
            self._deadline = loop.time() + self._timeout
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, headers={"Connection": "close"}) from None
        self._read += len(message.get("body", b""))
        if self._read > self._max:
            raise HTTPException(413, headers={"Connection": "close"})
        self._complete = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            request_id = self._scope["state"]["request_id"]
            message["headers"] = [
                *message["headers"],
                (b"x-request-id", request_id.encode()),
                (b"x-content-type-options", b"nosniff"),
            ]
        elif self._scope["method"] == "HEAD":
            return
        await self._send(message)
        if self._scope["method"] == "HEAD":  # ended at once: a stream of events need not be over
            await self._send({"type": "http.response.body"})


def listening(host: str, port: int) -> socket.socket:
    """Take the port, where callers wait until the process answers; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    line = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    line.bind((host, port))
    line.listen()
    return line

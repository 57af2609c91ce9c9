"""
Break a twin on demand: late, lost, refused, half or wrong answers.

A fault waits on the board until a call fits it. One call meets at most one fault, the first that
fits. The three list faults are carried out by the twin itself, which asks ``FaultBoard.active``.
"""

import asyncio
import json
import socket
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import httpx
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TRANSPORT = "sandbox.transport"
"""Where ``server.py`` leaves the connection's transport in the scope's extensions."""
BROKEN = "sandbox.broken"
"""What a call that met a fault carries in its extensions: its answer is wrong on purpose."""

Page = Callable[[int], tuple[str, bytes]]
"""Give content type and body of a refusal with this status, in the twin's own error shape."""


class FaultKind(StrEnum):
    """Name what can go wrong."""

    LATENCY = "latency"
    STATUS_BEFORE = "status_before"
    STATUS_AFTER = "status_after"
    LOST_ANSWER = "lost_answer"
    RESET_BEFORE = "reset_before"
    BROKEN_BODY = "broken_body"
    HTML_PAGE = "html_page"
    STALE_LIST = "stale_list"
    REPEAT_PAGE = "repeat_page"
    OMIT_HITS = "omit_hits"


LIST_KINDS = frozenset({FaultKind.STALE_LIST, FaultKind.REPEAT_PAGE, FaultKind.OMIT_HITS})
EFFECT_FIRST = frozenset({FaultKind.STATUS_AFTER, FaultKind.LOST_ANSWER, FaultKind.BROKEN_BODY})
HTML = b"<!doctype html><title>Gateway</title><p>Please try again later.</p>"


@dataclass(kw_only=True)
class Fault:
    """
    Describe one fault.

    Args:
        id: Given by the board when empty.
        method: HTTP method it fits; None fits all.
        path: Part of the path it fits; "" fits all.
        times: How many calls meet it; None = until it is cleared.
        skip: How many fitting calls pass before the first one meets it.
        seconds: Wait before the answer (or before its loss); for a stale list: what is younger
            than this is hidden.
        status: Answered by the two status faults.
        retry_after: Value of the Retry-After header of the status faults, in seconds.

    """

    kind: FaultKind
    id: str = ""
    method: str | None = None
    path: str = ""
    times: int | None = None
    skip: int = 0
    seconds: float = 0
    status: int = 503
    retry_after: int | None = None

    def fits(self, method: str, path: str) -> bool:
        """Say whether a call is meant, used up or not."""
        return (self.method is None or self.method.upper() == method.upper()) and self.path in path


class FaultBoard:
    """Keep the faults of one twin, in the order in which they were added."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._added = 0
        self.counters: Counter[FaultKind] = Counter()
        """How often each kind really happened: a test's proof that its fault was met."""

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Show what still waits, with the counts that are left."""
        return tuple(self._faults)

    def add(self, fault: Fault) -> Fault:
        """Put a fault on the board; the one kept carries its id and counts itself down."""
        self._added += 1
        kept = replace(fault, id=fault.id or f"flt_{self._added}")
        self._faults.append(kept)
        return kept

    def clear(self, fault_id: str | None = None) -> None:
        """Take one fault, or all, off the board; the counters stay."""
        self._faults = [f for f in self._faults if fault_id is not None and f.id != fault_id]

    def take(self, method: str, path: str) -> Fault | None:
        """Give the fault that this call meets and count it; list faults are left to the twin."""
        return self._first(lambda f: f.kind not in LIST_KINDS and f.fits(method, path))

    def active(self, kind: FaultKind, *, method: str = "GET", path: str = "") -> Fault | None:
        """Give the fault of this kind that a list call meets and count it."""
        return self._first(lambda f: f.kind is kind and f.fits(method, path))

    def _first(self, wanted: Callable[[Fault], bool]) -> Fault | None:
        for fault in self._faults:
            if not wanted(fault):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self._faults.remove(fault)
            self.counters[fault.kind] += 1
            return fault
        return None


class FaultMiddleware:
    """
    Let calls meet the faults on the board; control calls and the twin's HTML pages never do.

    Under ``server.py`` a dropped connection is really dropped. In process there is none: the
    client gets the same exception that httpx raises when one drops.
    """

    def __init__(self, app: ASGIApp, board: FaultBoard, page: Page | None = None) -> None:
        self._app = app
        self._board = board
        self._page = page or _plain_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the call, broken as the board says."""
        fault = None
        if scope["type"] == "http" and not _spared(scope["path"]):
            fault = self._board.take(scope["method"], scope["path"])
        if fault is None:
            await self._app(scope, receive, send)
            return
        scope.setdefault("extensions", {})[BROKEN] = fault.kind
        kept = _Kept()
        if fault.kind in EFFECT_FIRST:
            await self._app(scope, receive, kept.send)
        if fault.seconds:
            await asyncio.sleep(fault.seconds)
        if fault.kind is FaultKind.LATENCY:
            await self._app(scope, receive, send)
        elif fault.kind in {FaultKind.LOST_ANSWER, FaultKind.RESET_BEFORE}:
            await _drop(scope, receive, reset=fault.kind is FaultKind.RESET_BEFORE)
        else:
            await self._answer(fault, kept, send)

    async def _answer(self, fault: Fault, kept: "_Kept", send: Send) -> None:
        status, retry_after = 200, None
        if fault.kind is FaultKind.BROKEN_BODY:
            content_type, body = "application/json", kept.body[: max(1, len(kept.body) // 2)]
        elif fault.kind is FaultKind.HTML_PAGE:
            content_type, body = "text/html; charset=utf-8", HTML
        else:
            status, retry_after = fault.status, fault.retry_after
            content_type, body = self._page(fault.status)
        headers = {"content-type": content_type, "content-length": str(len(body))}
        if retry_after is not None:
            headers["retry-after"] = str(retry_after)
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": body})


class _Kept:
    """Keep an answer that its caller will not see."""

    def __init__(self) -> None:
        self.body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            self.body += message.get("body", b"")


def fault_of(data: dict[str, Any]) -> Fault:
    """
    Read a fault from the JSON of a control call.

    Raises:
        ValueError: The kind or a member is unknown.

    """
    try:
        return Fault(**{**data, "kind": FaultKind(str(data.get("kind")).lower())})
    except TypeError as error:
        raise ValueError(str(error)) from error


def _spared(path: str) -> bool:
    return path == "/" or path.startswith("/_")


def _plain_page(status: int) -> tuple[str, bytes]:
    return "application/json", json.dumps({"status": status}).encode()


async def _drop(scope: Scope, receive: Receive, *, reset: bool) -> None:
    transport: asyncio.Transport | None = scope.get("extensions", {}).get(TRANSPORT)
    if transport is None:
        if reset:
            raise httpx.ReadError("Connection reset by peer.")
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
    if reset:
        # Linger of zero seconds makes the kernel send RST instead of a polite FIN.
        line = transport.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass

"""
Hold a twin's calls and answers against its OpenAPI description.

The middleware only takes notes: what the link service sends wrongly, and where the twin itself is
untrue to the contract. It changes no call and no answer. It stands before the faults, so that a
request whose answer is broken on purpose is checked like any other; such an answer is not.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.sandbox.faults import BROKEN
from app.sandbox.openapi import Call, Contract, Flaw, Operation
from app.sandbox.values import read_json

__all__ = ["Contract", "ContractMiddleware", "ContractRecord", "Flaw", "Operation", "read_json"]

KEPT = 500


@dataclass
class ContractRecord:
    """Keep what was untrue to the contract, the newest 500 of each side."""

    requests: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT))
    answers: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT))

    def as_json(self) -> dict[str, list[dict[str, Any]]]:
        """Show both lists, as ``GET /_control/violations`` answers them."""
        return {"requests": list(self.requests), "answers": list(self.answers)}

    def clear(self) -> None:
        """Forget everything."""
        self.requests.clear()
        self.answers.clear()


class ContractMiddleware:
    """Note each request and each answer that is untrue to the contract; change neither."""

    def __init__(self, app: ASGIApp, contract: Contract, record: ContractRecord) -> None:
        self._app = app
        self._contract = contract
        self._record = record

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the call and take notes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _exempt(scope["path"]):
            await self._app(scope, receive, send)
            return
        found = self._contract.find(scope["method"], scope["path"])
        if found is None:
            self._note_request(scope, [Flaw("operation", (), "operation", "is unknown")])
            await self._app(scope, receive, send)
            return
        await self._checked(found, scope, receive, send)

    async def _checked(
        self,
        found: tuple[Operation, dict[str, str]],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        messages, body = await _whole(receive)
        if messages[-1]["type"] == "http.disconnect":
            return  # who hung up in the middle sent no request that could be right or wrong
        headers = _headers(scope["headers"])
        call = Call(scope["query_string"], headers, body)
        self._note_request(scope, self._contract.request_flaws(*found, call))
        answer = _Answer(send)

        async def again() -> Message:
            return messages.popleft() if messages else await receive()

        await self._app(scope, again, answer.send)
        if BROKEN in scope.get("extensions", {}):
            return
        flaws = self._contract.answer_flaws(found[0], answer.status, answer.headers, answer.body)
        self._note(self._record.answers, scope, flaws, status=answer.status)

    def _note_request(self, scope: Scope, flaws: list[Flaw]) -> None:
        self._note(self._record.requests, scope, flaws)

    def _note(
        self, notes: deque[dict[str, Any]], scope: Scope, flaws: list[Flaw], **more: object
    ) -> None:
        if flaws:
            what = {"method": scope["method"], "path": scope["path"], **more}
            notes.append({**what, "problems": [str(flaw) for flaw in flaws]})


class _Answer:
    """Keep a copy of an answer while it is sent."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = _headers(message.get("headers", []))
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")
        await self._send(message)


async def _whole(receive: Receive) -> tuple[deque[Message], bytes]:
    messages: deque[Message] = deque()
    body = b""
    while True:
        message = await receive()
        messages.append(message)
        body += message.get("body", b"")
        if not message.get("more_body"):
            return messages, body


def _exempt(path: str) -> bool:
    # Control calls, keys, and the pages that a person's browser opens; no call of ours goes there.
    pages = ("/handover/", "/oauth/authorize", "/oauth/consent", "/faktura/", "/tilbake")
    return path == "/" or path.startswith(("/_", "/.well-known", *pages))


def _headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in pairs}

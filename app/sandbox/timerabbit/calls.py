"""Admit a call of the integration API: who it is, what it says, whether it was answered before."""

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.sandbox.openapi import Call as Said
from app.sandbox.openapi import Flaw
from app.sandbox.timerabbit.problems import Refusal
from app.sandbox.timerabbit.store import Company, Record, Shelf, Store
from app.sandbox.values import spread_out

KEY_LIFETIME = timedelta(hours=24)


@dataclass
class Call:
    """Hold an admitted call, read and checked against the contract."""

    store: Store
    company: Company
    client_id: str
    path: str
    values: dict[str, str]
    query: Record
    headers: dict[str, str]
    body: Any
    status: int = 200
    answer_headers: dict[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> Record:
        """Say that this client changes something."""
        return {"kind": "integration", "clientId": self.client_id, "employeeId": None}

    def one(self, shelf: Shelf, name: str) -> Record:
        """Find the record a path names, tombstones too."""
        found = shelf.get(self.values[name])
        if found is None:
            raise Refusal("not_found")
        return found

    def expect(self, record: Record) -> None:
        """Compare ``If-Match`` with the record's version."""
        wanted = self.headers.get("if-match")
        if wanted is None:
            raise Refusal("if_match_required")
        if wanted != etag(record):
            raise Refusal("version_mismatch")

    def tagged(self, record: Record, *, status: int = 200) -> Record:
        """Answer with a record and its ETag."""
        self.status = status
        self.answer_headers["ETag"] = etag(record)
        return record


def etag(record: Record) -> str:
    """Make the strong validator of a record's version."""
    return f'"{record["version"]}"'


Answer = Callable[[Call], Any]


class Gate:
    """Admit calls one by one; those with the same idempotency key never side by side."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def answer(self, request: Request, carry_out: Answer) -> Response:
        """Carry a call out, or answer as before where its key was used."""
        call = await self._admit(request)
        key = call.headers.get("idempotency-key") if request.method == "POST" else None
        if key is None:
            return _response(call, carry_out(call))
        name = f"{call.company.id} {call.client_id} {request.method} {call.path} {key}"
        async with self._locks[name]:
            return await self._once(name, call, await request.body(), carry_out)

    async def _once(self, name: str, call: Call, body: bytes, carry_out: Answer) -> Response:
        now = self._store.clock.now()
        print_ = hashlib.sha256(body).hexdigest()
        held = self._store.replays.get(name)
        if held is not None and now - held["at"] < KEY_LIFETIME:
            if held["print"] != print_:
                raise Refusal("idempotency_key_reused")
            response: Response = held["response"]
            return response
        made = _response(call, carry_out(call))
        self._store.replays[name] = {"print": print_, "response": made, "at": now}
        return made

    async def _admit(self, request: Request) -> Call:
        store = self._store
        found = store.contract.find(request.method, request.url.path)
        if found is None:
            raise Refusal("not_found")
        operation, values = found
        headers = {name.lower(): value for name, value in request.headers.items()}
        login = self._login(headers)
        body = await request.body()
        said = Said(request.url.query.encode(), headers, body)
        _refuse_flaws(store.contract.request_flaws(operation, values, said))
        query = spread_out(parse_qsl(request.url.query, keep_blank_values=True))
        company = store.companies.get(login["company"])
        if company is None:
            # Our own client's access (client credentials) is good for handovers only.
            if not request.url.path.split("/")[3].startswith("handovers"):
                raise Refusal("forbidden")
            company = Company({"id": ""}, {})
        elif company.facts["subscription"]["status"] in ("ended", "deactivated"):
            raise Refusal("subscription_ended")
        return Call(
            store, company, login["client"], request.url.path, values,
            store.contract.parameter_values(operation, "query", query), headers,
            json.loads(body) if body else None,
        )  # fmt: skip

    def _login(self, headers: dict[str, str]) -> Record:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        login = self._store.access.get(token) if scheme.lower() == "bearer" else None
        if login is None or login["ends"] <= self._store.clock.now():
            raise Refusal("unauthorized")
        return login


def _refuse_flaws(flaws: list[Flaw]) -> None:
    if any(f.place == "header" and f.pointer == ("If-Match",) for f in flaws):
        raise Refusal("if_match_required")
    if flaws:
        raise Refusal(
            "validation_failed",
            errors=[
                {"pointer": "/" + "/".join(map(str, f.pointer)), "message": f"{f.place}: {f.text}"}
                for f in flaws
            ],
        )


def _response(call: Call, body: Any) -> Response:  # noqa: ANN401 - any JSON
    if body is None:
        return Response(status_code=call.status, headers=call.answer_headers)
    return JSONResponse(body, call.status, headers=call.answer_headers)

"""Be a bare stub of both systems.

Speaks the contracts' customer calls, answers after a fixed time.
"""

import asyncio
import json
import os
import time
from collections import Counter

from aiohttp import web

DELAY_SECONDS = float(os.environ.get("BENCH_DELAY", "0.005"))


class Stub:
    """Hold the names both sides carry and when each write came.

    A rise makes the time side newer.
    """

    def __init__(self) -> None:
        self.time_version: Counter[str] = Counter()
        self.books_name: dict[str, str] = {}
        self.calls: Counter[str] = Counter()
        self.written: list[tuple[str, str, float]] = []
        self.began: float | None = None

    async def time_customer(self, request: web.Request) -> web.Response:
        """Answer one customer of the time side."""
        self.began = self.began or time.time()
        await asyncio.sleep(DELAY_SECONDS)
        record_id = request.match_info["id"]
        self.calls["time-read"] += 1
        version = self.time_version[record_id] + 1
        return _json(time_body(record_id, version), headers={"ETag": f'"{version}"'})

    async def books_customer(self, request: web.Request) -> web.Response:
        """Answer one customer of the books side."""
        self.began = self.began or time.time()
        await asyncio.sleep(DELAY_SECONDS)
        record_id = request.match_info["id"]
        self.calls["books-read"] += 1
        return _json(books_body(record_id, self.books_name.get(record_id, name(record_id, 1))))

    async def put_books_customer(self, request: web.Request) -> web.Response:
        """Take a whole-record PUT and note when it was carried out."""
        body = await request.json()
        await asyncio.sleep(DELAY_SECONDS)
        record_id = request.match_info["id"]
        self.calls["books-write"] += 1
        self.books_name[record_id] = body["name"]
        self.written.append((record_id, body["name"], time.time()))
        return _json({**body, "id": int(record_id)})

    async def patch_time_customer(self, request: web.Request) -> web.Response:
        """Take a patch (our mark) and answer the record."""
        await asyncio.sleep(DELAY_SECONDS)
        record_id = request.match_info["id"]
        self.calls["time-write"] += 1
        version = self.time_version[record_id] + 1
        return _json(time_body(record_id, version), headers={"ETag": f'"{version}"'})

    async def plan(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp hands it in
        """Answer the books side's plan."""
        await asyncio.sleep(DELAY_SECONDS)
        self.calls["books-plan"] += 1
        return _json({"allowedFeatures": ["ALLOW_PROJECT"]})

    async def rise(self, request: web.Request) -> web.Response:
        """Make records of the time side newer (`{"ids": [...]}`)."""
        for record_id in (await request.json())["ids"]:
            self.time_version[record_id] += 1
        return _json({})

    async def state(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """Show what came, and forget it."""
        answer = {"calls": dict(self.calls), "written": self.written}
        self.calls = Counter()
        self.written = []
        self.began = None
        return _json(answer)

    async def when_began(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """Say when the first call came since the state was last shown."""
        return _json(self.began)


def name(record_id: str, version: int) -> str:
    """Give the name a record has at a version."""
    return f"Kunde {record_id} utgave {version}"


def time_body(record_id: str, version: int) -> dict[str, object]:
    """Write a customer as the time system does."""
    instant = "2026-11-24T09:00:00Z"
    return {
        "id": record_id, "version": version, "createdAt": instant, "updatedAt": instant,
        "name": name(record_id.removeprefix("c"), version), "kind": "company", "active": True,
        "organizationNumber": None, "email": None, "phone": None, "externalRefs": {},
        "address": {
            "line1": "Storgata 1", "line2": None, "postalCode": "0155", "city": "Oslo",
            "country": "NO",
        },
    }  # fmt: skip


def books_body(record_id: str, text: str) -> dict[str, object]:
    """Write a customer as the books system does."""
    return {
        "id": int(record_id), "name": text, "customerType": "ORGANIZATION", "isActive": True,
        "customerAddressLine1": "Storgata 1", "customerAddressPostcode": "0155",
        "customerAddressCity": "Oslo", "customerAddressCountry": "Norge",
    }  # fmt: skip


def _json(body: object, *, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        body=json.dumps(body).encode(), content_type="application/json", headers=headers
    )


def build() -> web.Application:
    """Put the stub together."""
    stub = Stub()
    app = web.Application()
    app.add_routes(
        [
            web.get("/integration/v1/customers/{id}", stub.time_customer),
            web.patch("/integration/v1/customers/{id}", stub.patch_time_customer),
            web.get("/invoice/organizations/{org}/customers/{id}", stub.books_customer),
            web.put("/invoice/organizations/{org}/customers/{id}", stub.put_books_customer),
            web.get("/invoice/organizations/{org}/subscription-plan", stub.plan),
            web.post("/_rise", stub.rise),
            web.get("/_state", stub.state),
            web.get("/_began", stub.when_began),
        ]
    )
    return app


if __name__ == "__main__":
    web.run_app(build(), host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), print=None)

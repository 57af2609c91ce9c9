"""Say what the API is, in the order of its story, and count its requests."""

import time
from collections.abc import Callable
from typing import Any, Final

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.telemetry import Metrics

DESCRIPTION: Final = """
Joins one Timerabbit company (hours) to one Conta organization (books): connect the accounts
from Conta's side, review the first sync so that nothing is doubled, keep customers and projects
equal in both directions, and turn chosen billable hours into an invoice draft in Conta.

**Start** with [the first hour](/docs/first-hour): from sandbox to invoice draft in curl calls.

* JSON in camelCase. Ids are text, instants RFC 3339 in UTC, days `YYYY-MM-DD`, durations in
  minutes, money an integer of øre.
* Callers show a JWT of Conta or Timerabbit, or an API token, as `Authorization: Bearer …`.
* Refusals are [problem documents](/problems) with a stable `code`, a remedy, and texts in nb, nn
  or en by `Accept-Language`.
* A creating POST takes an `Idempotency-Key`; a repeat answers with the resource as it is now and
  `Idempotent-Replayed: true`.
* What people edit carries an `ETag`; changes need `If-Match`, and 412 shows what is there now.
* Lists give `items` and `nextCursor`.
""".strip()

TAGS: Final[list[dict[str, str]]] = [
    {
        "name": "connect",
        "description": "Join the two accounts, test and replace the key, pause, unlink.",
    },
    {
        "name": "readiness",
        "description": "What a record lacks before it can exist on the other side.",
    },
    {
        "name": "first sync",
        "description": "Review every pair before anything is written, then confirm.",
    },
    {"name": "records", "description": "Pairs, and how they stand."},
    {"name": "conflicts", "description": "The same field changed on both sides: decide."},
    {"name": "inbox", "description": "What waits, why, and what to do about it."},
    {
        "name": "hours",
        "description": "Billable hours, and why one cannot be billed.",
    },
    {"name": "drafts", "description": "Preview and make invoice drafts; each hour once."},
    {
        "name": "webhooks",
        "description": "Where the two systems tell that a record may have changed.",
    },
    {"name": "tokens", "description": "API tokens for integrators."},
]


def describe(app: FastAPI) -> None:
    """Let the app's OpenAPI document show an example of every list: one item of its own example."""
    write = app.openapi

    def described() -> dict[str, Any]:
        document = write()
        schemas = document.get("components", {}).get("schemas", {})
        for name, schema in schemas.items():
            if name.startswith("Listing_") and "examples" not in schema:
                item = schemas[name.removeprefix("Listing_").removesuffix("_")]
                schema["examples"] = [{"items": item["examples"], "nextCursor": None}]
        return document

    app.openapi = described  # type: ignore[method-assign]


def observe_requests(metrics: Metrics) -> Callable[[ASGIApp], ASGIApp]:
    """Give a middleware that counts requests by route (a path would hold ids) and status."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def observed(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            started = time.perf_counter()
            status = 500

            async def noting(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                await app(scope, receive, noting)
            finally:
                metrics.requests.labels(scope["method"], _route(scope), str(status)).observe(
                    time.perf_counter() - started
                )

        return observed

    return wrap


def _route(scope: Scope) -> str:
    route: Any = scope.get("route")
    return str(getattr(route, "path", "none"))

"""Say what the API is, in the order of its story, and count its requests."""

import time
from collections.abc import Callable
from typing import Any, Final

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.pages.headers import HEADERS, add_headers
from app.problems import MEDIA_TYPE, PROBLEM_SCHEMA, catalogue, responses
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
* A POST that makes a link, a secret, a token, a run or a draft takes an `Idempotency-Key`; a
  repeat answers with the resource as it is now and `Idempotent-Replayed: true`. Previews write
  nothing, and the same two records are one pair however often they are paired.
* What people edit carries an `ETag`; changes need `If-Match`, and 412 shows what is there now.
* Lists give `items` and `nextCursor`. HEAD is answered wherever GET is.
* What a call does not know, a member of its body or a parameter of its query, is refused by name.
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


_EVERYWHERE: Final = ("internal-error", "database-unavailable")
_SIGNED_IN: Final = ("not-signed-in", "system-unreachable")
"""The latter while the keys of the caller's issuer could not be fetched yet."""
_WITH_BODY: Final = (
    "malformed-json", "request-timeout", "body-too-large", "unsupported-media-type",
)  # fmt: skip
_WITH_ID: Final = ("not-found",)


def describe(app: FastAPI) -> None:
    """
    Complete the app's OpenAPI document.

    Every list shows an example, one item of its own; every operation names also the problems that
    any of its kind can answer, and the headers of its answers; and the form of a problem, each
    example and each header stand once.
    """
    write = app.openapi

    def described() -> dict[str, Any]:
        document = write()
        schemas = document.get("components", {}).get("schemas", {})
        for name, schema in schemas.items():
            if name.startswith("Listing_") and "examples" not in schema:
                item = schemas[name.removeprefix("Listing_").removesuffix("_")]
                schema["examples"] = [{"items": item["examples"], "nextCursor": None}]
        for path, operations in document["paths"].items():
            for operation in operations.values():
                _add_common_problems(path, operation)
                add_headers(operation)
                _share_problems(operation, document.setdefault("components", {}))
        document["components"]["headers"] = dict(HEADERS)
        return document

    app.openapi = described  # type: ignore[method-assign]


def _add_common_problems(path: str, operation: dict[str, Any]) -> None:
    codes = [
        *_EVERYWHERE,
        *(_SIGNED_IN if operation.get("security") else ()),
        *(_WITH_BODY if "requestBody" in operation else ()),
        *(_WITH_ID if "{" in path else ()),
    ]
    told: dict[str, Any] = operation["responses"]
    for number, common in responses(*codes).items():
        own = told.setdefault(str(number), {"description": "", "content": {}})
        media = own["content"].setdefault(MEDIA_TYPE, {"examples": {}})
        for code, example in common["content"][MEDIA_TYPE]["examples"].items():
            media["examples"].setdefault(code, example)
        titles = (catalogue()[code].title["en"] for code in media["examples"])
        own["description"] = "; ".join(titles)


def _share_problems(operation: dict[str, Any], components: dict[str, Any]) -> None:
    components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    shared = components.setdefault("examples", {})
    for answer in operation["responses"].values():
        media = answer.get("content", {}).get(MEDIA_TYPE)
        if media is None:
            continue
        media["schema"] = {"$ref": "#/components/schemas/Problem"}
        shared |= {code: one for code, one in media["examples"].items() if "$ref" not in one}
        media["examples"] = {
            code: {"$ref": f"#/components/examples/{code}"} for code in media["examples"]
        }


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

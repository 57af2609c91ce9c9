"""What another system answered becomes a problem of ours, and its own words stay out."""

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.systems.ports import (
    AccessReason,
    NotFound,
    OwnAccessRefused,
    RateLimited,
    Reason,
    Rejected,
    SystemFault,
    Unauthorised,
    Unreachable,
)
from tests.features.conftest import Linked

WORDS = "canary of the other system"
LINK = "/v1/links/0199f3a0-0000-7000-8000-000000000001"


@pytest.mark.parametrize(
    ("fault", "status", "code", "wait"),
    [
        (Unreachable(WORDS), 503, "system-unreachable", "10"),
        (Unreachable(WORDS, effect_possible=True), 503, "system-unreachable", "10"),
        (OwnAccessRefused(WORDS), 503, "own-access-refused", "60"),
        (RateLimited(WORDS, retry_after=2.2), 503, "system-unreachable", "3"),
        (RateLimited(WORDS, retry_after=0), 503, "system-unreachable", "1"),
        (Unauthorised(WORDS, reason=AccessReason.PLAN), 409, "system-access-refused", None),
        (NotFound(WORDS), 404, "not-found", None),
        (Rejected(WORDS), 409, "system-refused", None),
        (Rejected(WORDS, reasons=(Reason("WrongVatCodeException"),)), 409, "system-refused", None),
    ],
    ids=str,
)
async def test_each_answer_of_another_system_has_its_problem(
    app: FastAPI, client: AsyncClient, fault: SystemFault, status: int, code: str, wait: str | None
) -> None:
    """503 says when to come again, 409 what hinders; no body or message leaks."""

    @app.get("/call")
    async def call() -> None:
        raise fault

    answer = await client.get("/call")

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers.get("retry-after") == wait
    assert WORDS not in answer.text


async def test_a_refusal_names_its_rules(app: FastAPI, client: AsyncClient) -> None:
    """The other system's stable rule names are facts that a caller may act on."""

    @app.get("/call")
    async def call() -> None:
        raise Rejected(WORDS, reasons=(Reason("A"), Reason("B")))

    assert (await client.get("/call")).json()["facts"] == {"reasons": "A, B"}


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/links", {"GET", "HEAD", "POST"}),
        (f"{LINK}/settings", {"PATCH"}),
        (f"{LINK}/invoice-drafts", {"GET", "HEAD", "POST"}),
        ("/v1/webhooks/conta/x", {"POST"}),
    ],
)
async def test_a_refused_method_names_all_that_are_allowed(
    client: AsyncClient, path: str, allowed: set[str]
) -> None:
    """The remedy sends the caller to Allow, so nothing may be missing there."""
    answer = await client.request("PUT", path)

    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
    assert set(answer.headers["allow"].split(", ")) == allowed


async def test_json_nested_without_end_is_malformed(client: AsyncClient, linked: Linked) -> None:
    """Deeper than anything can be read is a fault of the text, not of HTTP."""
    headers = {**linked.books, "Content-Type": "application/json"}

    answer = await client.post(f"{linked.path}/changes/retry", headers=headers, content="[" * 9999)

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-json")

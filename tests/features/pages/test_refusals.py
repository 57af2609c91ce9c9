"""What another system answered becomes a problem of ours, and its own words stay out."""

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.systems.ports import (
    AccessReason,
    NotFound,
    RateLimited,
    Reason,
    Rejected,
    SystemFault,
    Unauthorised,
    Unreachable,
)

WORDS = "canary of the other system"


@pytest.mark.parametrize(
    ("fault", "status", "code", "wait"),
    [
        (Unreachable(WORDS), 503, "system-unreachable", "10"),
        (Unreachable(WORDS, effect_possible=True), 503, "system-unreachable", "10"),
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

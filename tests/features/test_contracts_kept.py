"""The suite's own watch over our calls is on, and it can fail."""

import contextlib
from typing import Any

import httpx
import pytest

from tests.contracts import refuse_violations


async def test_a_call_outside_a_contract_would_fail_the_test_that_made_it(
    network: httpx.AsyncBaseTransport, twins: Any
) -> None:
    """The network of every feature test ends in the twins, and their notes are judged."""
    async with httpx.AsyncClient(transport=network) as ours:
        await ours.get("http://conta.test/invoice/organizations/1001/customers?pageSize=5")
        await ours.get("http://timerabbit.test/integration/v1/customers?limit=many")

    for system in ("conta", "timerabbit"):
        violations = await twins.control(system, "GET", "/violations")
        with pytest.raises(AssertionError, match="untrue to its contract"):
            refuse_violations(system, violations)
        await twins.control(system, "DELETE", "/violations")


@pytest.mark.parametrize("kind", ["status_before", "lost_answer", "reset_before", "html_page"])
async def test_a_call_that_meets_a_fault_is_checked_too(
    network: httpx.AsyncBaseTransport, twins: Any, kind: str
) -> None:
    """What we send while a system is ill counts like any other call; its ill answer does not."""
    await twins.control("conta", "POST", "/faults", {"kind": kind, "times": 1})

    async with httpx.AsyncClient(transport=network) as ours:
        with contextlib.suppress(httpx.TransportError):
            await ours.get("http://conta.test/invoice/organizations?nonsense=1")

    violations = await twins.control("conta", "GET", "/violations")
    await twins.control("conta", "DELETE", "/violations")
    assert [v["problems"] for v in violations["requests"]] == [
        ["query/nonsense: is not in the contract"]
    ]
    assert violations["answers"] == []


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"grant_type": "password"}, "grant_type"),
        ({"code": "abc"}, "grant_type"),
        (
            {"grant_type": "authorization_code", "code": "abc", "code_verifier": "short"},
            "code_verifier",
        ),
    ],
)
async def test_a_wrong_call_for_tokens_would_fail_its_test_too(
    network: httpx.AsyncBaseTransport, twins: Any, form: dict[str, str], problem: str
) -> None:
    """The token endpoint stands beside the API, and in the same contract."""
    async with httpx.AsyncClient(transport=network) as ours:
        await ours.post("http://timerabbit.test/oauth/token", data=form)
        await ours.post("http://timerabbit.test/oauth/token", json=form)

    violations = await twins.control("timerabbit", "GET", "/violations")
    await twins.control("timerabbit", "DELETE", "/violations")
    by_form, by_json = (violation["problems"] for violation in violations["requests"])
    assert any(problem in said for said in by_form), by_form
    assert by_json == ["content-type: 'application/json' is not in the contract"]


async def test_the_api_answers_at_its_own_path_only(
    network: httpx.AsyncBaseTransport, twins: Any
) -> None:
    """A call beside the API that the contract has within it is a call outside the contract."""
    async with httpx.AsyncClient(transport=network) as ours:
        await ours.get("http://timerabbit.test/customers")
        await ours.post("http://timerabbit.test/integration/v1/oauth/token")
        await ours.post("http://timerabbit.test/oauth/revoke")

    violations = await twins.control("timerabbit", "GET", "/violations")
    await twins.control("timerabbit", "DELETE", "/violations")
    assert [v["problems"] for v in violations["requests"]] == [["operation: is unknown"]] * 3

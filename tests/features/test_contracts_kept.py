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

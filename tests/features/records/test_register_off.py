"""Without an address of the register nothing is asked, and the API says why."""

import httpx

from tests.features.conftest import Linked, Twins


async def test_without_an_address_nobody_is_asked(
    client: httpx.AsyncClient, reviewing: Linked, twins: Twins
) -> None:
    """An operator decides whether customers' numbers leave the house."""
    answer = await client.post(f"{reviewing.path}/readiness/register", headers=reviewing.books)

    assert (answer.status_code, answer.json()["code"]) == (409, "register-not-configured")
    assert twins.register.state.twin.requests == []

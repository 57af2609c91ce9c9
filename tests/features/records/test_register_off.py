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


async def test_a_fix_from_a_register_that_nobody_named_says_so(
    client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """It is no record's fault, so none is answered for; a dry run says the same."""
    body = {"fix": "set-address", "side": "time", "fromRegister": True}
    url = f"{reviewing.path}/readiness/fixes"

    dry, done = [
        await client.post(url, headers=reviewing.books, json=body | {"dryRun": flag})
        for flag in (True, False)
    ]

    assert (dry.status_code, dry.json()["code"]) == (409, "register-not-configured")
    assert (done.status_code, done.json()["code"]) == (409, "register-not-configured")

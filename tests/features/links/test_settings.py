"""A link's settings: changed by version, shown with their defaults."""

from typing import Any

import httpx
import pytest

from tests.features.conftest import Linked
from tests.features.links.conftest import shown


async def change(
    client: httpx.AsyncClient, link: Linked, body: dict[str, Any], if_match: str | None
) -> httpx.Response:
    headers = dict(link.books) | ({} if if_match is None else {"If-Match": if_match})
    return await client.patch(f"{link.path}/settings", headers=headers, json=body)


async def test_a_change_with_the_version_that_was_read_is_kept(
    reviewing: Linked, client: httpx.AsyncClient
) -> None:
    """What is left out stays; the version rises and stands in the ETag."""
    before = await shown(client, reviewing)
    await change(client, reviewing, {"brakeLeast": 25}, f'"{before["version"]}"')

    answer = await change(client, reviewing, {"defaultVatCode": "low"}, "*")

    after = answer.json()
    assert answer.status_code == 200
    assert after["settings"] == {
        "defaultVatCode": "low", "conflictPolicy": "ask", "fieldPolicies": {},
        "brakeSharePercent": 20, "brakeLeast": 25,
    }  # fmt: skip
    assert after["version"] == before["version"] + 2
    assert answer.headers["etag"] == f'"{after["version"]}"'


async def test_a_change_must_say_which_version_it_is_about(
    reviewing: Linked, client: httpx.AsyncClient
) -> None:
    """Without If-Match nothing is changed: 428."""
    before = await shown(client, reviewing)

    answer = await change(client, reviewing, {"brakeLeast": 25}, None)

    assert (answer.status_code, answer.json()["code"]) == (428, "precondition-required")
    assert await shown(client, reviewing) == before


@pytest.mark.parametrize("stale", ['"1"', "1", 'W/"9"', '""'])
async def test_a_stale_change_is_told_what_is_there_now(
    reviewing: Linked, client: httpx.AsyncClient, stale: str
) -> None:
    """412 carries the present state and its ETag, so that nothing is overwritten silently."""
    before = await shown(client, reviewing)

    answer = await change(client, reviewing, {"brakeLeast": 25}, stale)

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (412, "precondition-failed")
    assert problem["present"] == before
    assert answer.headers["etag"] == f'"{before["version"]}"'
    assert await shown(client, reviewing) == before


@pytest.mark.parametrize(
    "wrong",
    [{"defaultVatCode": "25 %"}, {"conflictPolicy": "coin"}, {"brakeSharePercent": 0},
     {"brakeSharePercent": "20"}, {"brakeLeast": True}, {"conflictPolicy": "\0ask"},
     {"brakeLeast": 10_001}, {"unknown": 1}, [],
     {"fieldPolicies": {"phone": "coin"}}, {"fieldPolicies": {"shoe": "time"}}],
)  # fmt: skip
async def test_what_is_no_setting_is_refused(
    reviewing: Linked, client: httpx.AsyncClient, wrong: Any
) -> None:
    """Unknown members and values outside their range are pointed at."""
    answer = await change(client, reviewing, wrong, "*")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
    assert answer.json()["errors"]

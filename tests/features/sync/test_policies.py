"""Who wins where both sides changed a field: the link's policy, and exceptions by field."""

from typing import Any

import httpx
import pytest

from app.canonical import Side
from tests.features.sync.conftest import Hands


async def _set(client: httpx.AsyncClient, hands: Hands, body: dict[str, Any]) -> dict[str, Any]:
    headers = {**hands.linked.books, "If-Match": "*"}
    answer = await client.patch(f"{hands.linked.path}/settings", headers=headers, json=body)
    assert answer.status_code == 200, answer.text
    settings: dict[str, Any] = answer.json()["settings"]
    return settings


@pytest.mark.parametrize(
    ("chosen", "phone", "open_fields"),
    [
        ({"conflictPolicy": "books"}, "22000002", []),
        ({"conflictPolicy": "time"}, "22000001", []),
        ({"fieldPolicies": {"phone": "time"}}, "22000001", ["email"]),
        ({"conflictPolicy": "time", "fieldPolicies": {"email": "ask"}}, "22000001", ["email"]),
    ],
)
async def test_a_policy_decides_what_it_is_about(
    hands: Hands,
    client: httpx.AsyncClient,
    chosen: dict[str, Any],
    phone: str,
    open_fields: list[str],
) -> None:
    """Its side's value stands on both sides, the loser in the history; other fields are asked."""
    await _set(client, hands, chosen)
    time_id, books_id = await hands.paired()
    await hands.edit_time(time_id, phone="22000001", email="ny@fjord.example")
    await hands.edit_books(books_id, phoneNo="22000002", emailAddress="post@fjord.example")
    await hands.hint(Side.TIME, time_id)

    await hands.work()

    assert (await hands.in_time(time_id))["phone"] == phone
    assert (await hands.in_books(books_id))["phoneNo"] == phone
    lost = await hands.rows("SELECT value, winner, by FROM history WHERE field = 'phone'")
    (other,) = {"22000001", "22000002"} - {phone}
    assert lost == [(other, phone, "policy")]
    found = await hands.rows("SELECT field FROM conflicts WHERE state = 'open'")
    assert [field for (field,) in found] == open_fields


async def test_an_exception_names_its_field_as_conflicts_do(
    hands: Hands, client: httpx.AsyncClient
) -> None:
    """In and out in camelCase; a name of the store is none of the API."""
    settings = await _set(client, hands, {"fieldPolicies": {"organizationNumber": "time"}})
    headers = {**hands.linked.books, "If-Match": "*"}
    body = {"fieldPolicies": {"organization_number": "time"}}
    refused = await client.patch(f"{hands.linked.path}/settings", headers=headers, json=body)

    assert settings["fieldPolicies"] == {"organizationNumber": "time"}
    assert refused.status_code == 422
    kept = await hands.rows("SELECT settings -> 'field_policies' FROM links")
    assert kept == [({"organization_number": "time"},)]


async def test_an_exception_is_taken_back_with_null(
    hands: Hands, client: httpx.AsyncClient
) -> None:
    """A field that is not named keeps its exception."""
    both = await _set(client, hands, {"fieldPolicies": {"phone": "time", "email": "books"}})

    one = await _set(client, hands, {"fieldPolicies": {"phone": None}})

    assert both["fieldPolicies"] == {"phone": "time", "email": "books"}
    assert one["fieldPolicies"] == {"email": "books"}

"""API tokens: shown once, kept as a hash, with scopes of their maker, ended at once."""

import json
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.runtime import Runtime
from tests.conftest import SetClock
from tests.features.conftest import Linked, Twins, bearer

READER = {"name": "Regnskapsføreren", "account": "1001", "scopes": ["links:read"]}


@pytest.fixture
async def admin(twins: Twins) -> dict[str, str]:
    return await bearer(twins, "conta", "1001")


async def make(
    client: httpx.AsyncClient, headers: dict[str, str], *, key: str = "token-1", **more: Any
) -> httpx.Response:
    kind = {"Content-Type": "application/json", "Idempotency-Key": key}
    body = json.dumps(READER | more)
    return await client.post("/v1/tokens", headers={**headers, **kind}, content=body)


def with_token(made: httpx.Response) -> dict[str, str]:
    return {"Authorization": f"Bearer {made.json()['token']}"}


async def listed(client: httpx.AsyncClient, headers: dict[str, str]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await client.get("/v1/tokens", headers=headers)).json()["items"]
    return items


async def test_the_list_of_tokens_is_paged(
    client: httpx.AsyncClient, twins: Twins, admin: dict[str, str]
) -> None:
    """Every token once, the newest first, and a cursor is good for its caller only."""
    made = [(await make(client, admin, key=f"t-{number}")).json()["id"] for number in range(5)]
    neighbour = await bearer(twins, "conta", "2002")
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while "cursor" not in query or query["cursor"] is not None:
        page = (await client.get("/v1/tokens", headers=admin, params=query)).json()
        seen += [one["id"] for one in page["items"]]
        query["cursor"], last = page["nextCursor"], query.get("cursor")

    stranger = await client.get("/v1/tokens", headers=neighbour, params={"cursor": last})

    assert seen == made[::-1]
    assert (stranger.status_code, stranger.json()["code"]) == (400, "invalid-cursor")


async def test_a_token_lets_a_program_read_its_accounts_links(
    client: httpx.AsyncClient, reviewing: Linked, admin: dict[str, str]
) -> None:
    """It opens what its scopes say of its one account."""
    made = await make(client, admin)

    answer = await client.get("/v1/links", headers=with_token(made))

    assert made.status_code == 201
    assert made.json()["token"].startswith("tct_")
    assert [link["id"] for link in answer.json()["items"]] == [str(reviewing.link_id)]


async def test_only_a_hash_is_stored_and_the_token_is_shown_once(
    client: httpx.AsyncClient, admin: dict[str, str], runtime: Runtime
) -> None:
    """Neither the list nor the database holds what would let someone in."""
    token = (await make(client, admin)).json()["token"]

    (seen,) = await listed(client, admin)

    assert "token" not in seen
    assert seen["hint"] == f"…{token[-4:]}"
    async with runtime.database.reading() as session:
        (row,) = (await session.execute(text("SELECT * FROM api_tokens"))).all()
    assert token not in str(row)


async def test_a_repeat_shows_the_same_token_without_its_text(
    client: httpx.AsyncClient, admin: dict[str, str]
) -> None:
    """The same key gives the same token's facts; a second one is not made."""
    first = await make(client, admin)

    again = await make(client, admin)

    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first.json() | {"token": None}
    assert len(await listed(client, admin)) == 1


async def test_a_token_has_no_scope_it_was_not_given(
    client: httpx.AsyncClient, reviewing: Linked, admin: dict[str, str]
) -> None:
    """Reading is not writing: 403 names the missing scope."""
    made = await make(client, admin)

    answer = await client.post(f"{reviewing.path}/pause", headers=with_token(made))

    assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")
    assert answer.json()["facts"] == {"scope": "links:write"}


async def test_a_token_belongs_to_one_account(
    client: httpx.AsyncClient, reviewing: Linked, twins: Twins
) -> None:
    """The neighbour's token sees nothing of ours."""
    made = await make(client, await bearer(twins, "conta", "2002"), account="2002")

    one = await client.get(reviewing.path, headers=with_token(made))
    all_ = await client.get("/v1/links", headers=with_token(made))

    assert (one.status_code, all_.json()["items"]) == (404, [])


async def test_an_id_of_one_side_is_not_an_id_of_the_other(
    client: httpx.AsyncClient, reviewing: Linked, twins: Twins
) -> None:
    """A Timerabbit company that happens to be called 1001 is not Conta's organization 1001."""
    impostor = await bearer(twins, "timerabbit", "1001")

    answer = await client.get(reviewing.path, headers=impostor)

    assert answer.status_code == 404


async def test_nobody_hands_out_more_than_they_have(
    client: httpx.AsyncClient, admin: dict[str, str]
) -> None:
    """Another account or the operator's right is refused."""
    foreign = await make(client, admin, account="2002")
    operator = await make(client, admin, scopes=["operator"])

    assert (foreign.status_code, foreign.json()["code"]) == (403, "account-not-yours")
    assert (operator.status_code, operator.json()["code"]) == (403, "scope-not-yours")


async def test_a_token_makes_no_token(
    client: httpx.AsyncClient, admin: dict[str, str], clock: SetClock
) -> None:
    """One that leaked can neither outlive its end nor leave a child when it is revoked."""
    maker = await make(
        client, admin, key="maker", scopes=["tokens:write", "links:read"],
        expiresAt="2026-11-24T10:00:00Z",
    )  # fmt: skip
    heirs = [
        await make(client, with_token(maker), key="child", scopes=["links:read"]),
        await make(client, with_token(maker), key="wider", scopes=["links:write"]),
        await make(client, with_token(maker), key="longer", scopes=["tokens:write"]),
    ]
    seen = await listed(client, with_token(maker))
    revoked = await client.delete(f"/v1/tokens/{maker.json()['id']}", headers=with_token(maker))

    assert {(heir.status_code, heir.json()["code"]) for heir in heirs} == {(403, "person-needed")}
    assert [item["id"] for item in seen] == [maker.json()["id"]]
    assert revoked.status_code == 204
    assert (await client.get("/v1/links", headers=with_token(maker))).status_code == 401


async def test_a_token_that_is_over_already_is_not_made(
    client: httpx.AsyncClient, admin: dict[str, str]
) -> None:
    """Its end must lie ahead; the corrected call may use the same key."""
    over = await make(client, admin, expiresAt="2026-11-24T09:00:00Z")
    ahead = await make(client, admin, expiresAt="2026-11-24T09:00:01Z")

    assert (over.status_code, over.json()["errors"][0]["pointer"]) == (422, "/expiresAt")
    assert ahead.status_code == 201


async def test_a_user_makes_no_tokens(
    client: httpx.AsyncClient, reviewing: Linked, twins: Twins
) -> None:
    """An ordinary user reads links and makes drafts; tokens and links are the administrator's."""
    user = await bearer(twins, "conta", "1001", role="user")

    token = await make(client, user)
    paused = await client.post(f"{reviewing.path}/pause", headers=user)
    read = await client.get(reviewing.path, headers=user)

    assert (token.status_code, paused.status_code, read.status_code) == (403, 403, 200)


async def test_a_revoked_token_ends_at_once(
    client: httpx.AsyncClient, admin: dict[str, str], clock: SetClock
) -> None:
    """The next call is refused; the list keeps who was revoked when, also at a second try."""
    made = await make(client, admin)
    path = f"/v1/tokens/{made.json()['id']}"
    before = await client.get("/v1/links", headers=with_token(made))

    revoked = await client.delete(path, headers=admin)
    after = await client.get("/v1/links", headers=with_token(made))
    clock.advance(minutes=5)
    again = await client.delete(path, headers=admin)

    assert (before.status_code, revoked.status_code, after.status_code) == (200, 204, 401)
    assert again.status_code == 204
    assert [item["revokedAt"] for item in await listed(client, admin)] == ["2026-11-24T09:00:00Z"]


async def test_anothers_token_cannot_be_revoked(
    client: httpx.AsyncClient, admin: dict[str, str], twins: Twins
) -> None:
    """A foreign token's id is like an unknown one."""
    made = await make(client, admin)
    neighbour = await bearer(twins, "conta", "2002")

    answer = await client.delete(f"/v1/tokens/{made.json()['id']}", headers=neighbour)

    assert answer.status_code == 404
    assert (await client.get("/v1/links", headers=with_token(made))).status_code == 200
    assert await listed(client, neighbour) == []


async def test_a_token_ends_when_it_says(
    client: httpx.AsyncClient, admin: dict[str, str], clock: SetClock
) -> None:
    """At its end, not a moment later, it opens nothing."""
    made = await make(client, admin, expiresAt="2026-11-24T11:00:00+01:00")
    clock.advance(minutes=59, seconds=59)
    before = await client.get("/v1/links", headers=with_token(made))
    clock.advance(seconds=1)

    after = await client.get("/v1/links", headers=with_token(made))

    assert made.json()["expiresAt"] == "2026-11-24T10:00:00Z"
    assert (before.status_code, after.status_code) == (200, 401)


async def test_the_last_use_is_noted_to_the_minute(
    client: httpx.AsyncClient, admin: dict[str, str], clock: SetClock
) -> None:
    """A busy token does not write a row for each call."""
    made = await make(client, admin)
    uses = []
    for seconds in (0, 30, 40):
        clock.advance(seconds=seconds)
        await client.get("/v1/links", headers=with_token(made))
        uses.append((await listed(client, admin))[0]["lastUsedAt"])

    assert uses == ["2026-11-24T09:00:00Z", "2026-11-24T09:00:00Z", "2026-11-24T09:01:10Z"]


@pytest.mark.parametrize("token", ["tct_", "tct_wrong", "tct_" + "x" * 5000, "tct_æøå", "tct_\x00"])
async def test_a_made_up_token_is_refused(client: httpx.AsyncClient, token: str) -> None:
    """What is no token of ours is answered like any other wrong one."""
    headers = {b"Authorization": f"Bearer {token}".encode()}

    answer = await client.get("/v1/links", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")


@pytest.mark.parametrize(
    "wrong",
    [{"expiresAt": "2026-12-01T09:00:00"}, {"expiresAt": "soon"}, {"expiresAt": "2026-12-01"},
     {"expiresAt": 1e10}, {"expiresAt": 10**10}, {"expiresAt": "10000000000"},
     {"expiresAt": "9999-12-31T23:59:59-23:59"}, {"expiresAt": "0001-01-01T00:00:00+01:00"},
     {"name": "nul\0"}, {"name": ""}, {"name": " "}, {"name": "x" * 101}, {"name": "\ud800"},
     {"scopes": []}, {"scopes": ["root"]}, {"scopes": "links:read"}, {"account": ""},
     {"account": None}, {"accounts": ["1001"]}],
    ids=str,
)  # fmt: skip
async def test_a_wrong_request_is_refused_and_frees_its_key(
    client: httpx.AsyncClient, admin: dict[str, str], wrong: dict[str, Any]
) -> None:
    """Each wrong part is pointed at without its value; the corrected call may use the same key."""
    refused = await make(client, admin, **wrong)

    corrected = await make(client, admin)

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-request")
    assert refused.json()["errors"][0]["pointer"].startswith(f"/{next(iter(wrong))}")
    assert corrected.status_code == 201

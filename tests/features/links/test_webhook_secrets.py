"""Conta's webhook secrets: shown once, two at most, with grace and revocation."""

from typing import Any

import httpx
from sqlalchemy import text
from standardwebhooks.webhooks import Webhook
from uuid_utils.compat import uuid7

from app.canonical import Side
from app.links.identity import webhook_secret_identity
from app.links.webhook_secrets import active_secrets
from app.runtime import Runtime
from tests.conftest import SetClock
from tests.features.conftest import Linked, Twins, bearer
from tests.features.links.conftest import shown


async def make(client: httpx.AsyncClient, link: Linked, key: str = "secret-1") -> httpx.Response:
    return await client.post(
        f"{link.path}/webhook-secrets",
        headers={**link.books, "Idempotency-Key": key},
        json={"system": "conta"},
    )


async def listed(client: httpx.AsyncClient, link: Linked) -> list[dict[str, Any]]:
    answer = await client.get(f"{link.path}/webhook-secrets", headers=link.books)
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def deliver(
    client: httpx.AsyncClient, made: dict[str, Any], clock: SetClock, id_: str
) -> int:
    """Send a hint as Conta's side would, signed with a secret that was made."""
    body = '{"type": "customer.updated", "organizationId": "1001", "data": {"id": "10001"}}'
    headers = {
        "webhook-id": id_,
        "webhook-timestamp": str(int(clock().timestamp())),
        "webhook-signature": Webhook(made["secret"]).sign(id_, clock(), body),
        "content-type": "application/json",
    }
    return (await client.post(made["url"], content=body, headers=headers)).status_code


async def test_a_secret_is_shown_once_and_signs(
    linked: Linked, client: httpx.AsyncClient, runtime: Runtime, clock: SetClock
) -> None:
    """The text is in the answer that made it, nowhere else; the database holds it sealed."""
    made = (await make(client, linked)).json()

    assert await deliver(client, made, clock, "msg_1") == 202
    (seen,) = await listed(client, linked)
    assert seen["id"] == made["id"]
    assert "secret" not in seen
    async with runtime.database.reading(linked.link_id) as session:
        rows = await session.scalars(text("SELECT sealed FROM webhook_secrets"))
        assert all(made["secret"].encode() not in bytes(row) for row in rows)


async def test_a_repeat_shows_the_secret_without_its_text(
    linked: Linked, client: httpx.AsyncClient
) -> None:
    """The same key gives the same secret's facts, never the text again."""
    first = (await make(client, linked)).json()

    again = await make(client, linked)

    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first | {"secret": None}
    assert len(await listed(client, linked)) == 1


async def test_an_older_secret_has_a_day_of_grace(
    linked: Linked, client: httpx.AsyncClient, clock: SetClock, twins: Twins
) -> None:
    """Both verify for 24 hours; then only the newer one does."""
    old = (await make(client, linked)).json()
    new = (await make(client, linked, "secret-2")).json()

    in_grace = await deliver(client, old, clock, "msg_1")
    clock.advance(hours=24)
    linked.books = await bearer(twins, "conta", "1001")
    after = await deliver(client, old, clock, "msg_2")
    newer = await deliver(client, new, clock, "msg_3")

    assert (in_grace, after, newer) == (202, 401, 202)
    assert [item["id"] for item in await listed(client, linked)] == [new["id"]]


async def test_at_most_two_are_active(
    linked: Linked, client: httpx.AsyncClient, clock: SetClock, twins: Twins
) -> None:
    """A third is refused until one ends."""
    await make(client, linked, "secret-1")
    await make(client, linked, "secret-2")

    third = await make(client, linked, "secret-3")
    clock.advance(hours=24)
    linked.books = await bearer(twins, "conta", "1001")
    later = await make(client, linked, "secret-3")

    assert (third.status_code, third.json()["code"]) == (409, "webhook-secrets-full")
    assert later.status_code == 201


async def test_a_revoked_secret_ends_now(
    linked: Linked, client: httpx.AsyncClient, clock: SetClock
) -> None:
    """The next delivery with it is refused; revoking again finds nothing."""
    made = (await make(client, linked)).json()
    path = f"{linked.path}/webhook-secrets/{made['id']}"

    first = await client.delete(path, headers=linked.books)
    again = await client.delete(path, headers=linked.books)

    assert (first.status_code, again.status_code) == (204, 404)
    assert await deliver(client, made, clock, "msg_1") == 401


async def test_a_repeat_after_revocation_finds_nothing(
    linked: Linked, client: httpx.AsyncClient
) -> None:
    """A secret that is gone is not made again by its old key."""
    made = (await make(client, linked)).json()
    await client.delete(f"{linked.path}/webhook-secrets/{made['id']}", headers=linked.books)

    again = await make(client, linked)

    assert again.status_code == 404
    assert await listed(client, linked) == []


async def test_timerabbits_own_secret_is_not_touched_here(
    linked: Linked, client: httpx.AsyncClient, runtime: Runtime
) -> None:
    """The list and the revocation are about Conta's secrets only."""
    async with runtime.database.reading(linked.link_id) as session:
        own = await session.scalar(text("SELECT secret_id FROM webhook_secrets"))

    answers = [
        await client.delete(f"{linked.path}/webhook-secrets/{key}", headers=linked.books)
        for key in (own, uuid7())
    ]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert await listed(client, linked) == []
    assert (await shown(client, linked))["state"] == "active"


async def test_timerabbits_secret_is_changed_by_its_own_call(
    linked: Linked, client: httpx.AsyncClient, twins: Twins, runtime: Runtime, clock: SetClock
) -> None:
    """Deliveries signed with the new one pass; the one before verifies for a day, an older not."""
    before = await times_secrets(runtime, linked)

    answers = [
        (await client.post(f"{linked.path}/webhook-secrets/rotate", headers=linked.books))
        for _ in range(2)
    ]

    assert [one.status_code for one in answers] == [204, 204]
    after = await times_secrets(runtime, linked)
    (subscription,) = twins.timerabbit.state.twin.companies["cmp_1"].subscriptions.values()
    assert after[0] == subscription["secrets"][0]["text"].encode()
    assert after[1] == subscription["secrets"][1]["text"].encode()
    assert before[0] not in after
    clock.advance(hours=25)
    assert await times_secrets(runtime, linked) == after[:1]


async def times_secrets(runtime: Runtime, link: Linked) -> list[bytes]:
    """Open what still verifies Timerabbit's webhooks, the newest first."""
    async with runtime.database.reading(link.link_id) as session:
        rows = await active_secrets(session, link.link_id, Side.TIME, now=runtime.clock())
        return [
            runtime.vault.open(
                row.sealed, identity=webhook_secret_identity(link.link_id, row.secret_id)
            )
            for row in rows
        ]


async def test_a_closed_link_gets_no_secret(linked: Linked, client: httpx.AsyncClient) -> None:
    """A repeat still shows what was made before; revoking works, as it only takes away."""
    made = (await make(client, linked)).json()
    await client.delete(linked.path, headers=linked.books)

    refused = await make(client, linked, "secret-2")
    repeated = await make(client, linked)
    revoked = await client.delete(
        f"{linked.path}/webhook-secrets/{made['id']}", headers=linked.books
    )

    assert (refused.status_code, refused.json()["code"]) == (409, "link-closed")
    assert (repeated.status_code, repeated.json()["id"]) == (201, made["id"])
    assert revoked.status_code == 204

"""What the worker clears now and then: nothing too early, nothing kept too long."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.database import CommitPoint
from app.webhooks.store import forget_old
from app.worker import forget, register
from tests.features.sync.conftest import Hands

DELIVERIES = "SELECT delivery_id, body FROM deliveries ORDER BY delivery_id"


@pytest.fixture
async def worker(hands: Hands) -> Hands:
    register(hands.runtime)
    return hands


async def delivered(hands: Hands, delivery_id: str, *, days: int) -> None:
    """Keep a delivery that came so many days ago."""
    async with hands.runtime.database.transaction(
        CommitPoint.PLAIN, hands.linked.link_id
    ) as session:
        await session.execute(
            text(
                "INSERT INTO deliveries (link_id, system, delivery_id, event, body_hash, body,"
                " altered, received_at)"
                " VALUES (:link, 'timerabbit', :id, 'e', 'h', 'b', false, :at)"
            ),
            {
                "link": hands.linked.link_id,
                "id": delivery_id,
                "at": hands.runtime.clock() - timedelta(days=days),
            },
        )


async def test_bodies_go_after_a_month_and_ids_after_three(worker: Hands) -> None:
    """A retry is known for longer than anyone sends it; what it said is gone before."""
    for delivery_id, days in (("a", 29), ("b", 31), ("c", 89), ("d", 91)):
        await delivered(worker, delivery_id, days=days)

    await forget(worker.runtime)

    assert await worker.rows(DELIVERIES) == [("a", "b"), ("b", None), ("c", None)]


async def test_forgetting_is_bounded_and_comes_to_an_end(worker: Hands) -> None:
    """Each transaction is short, and a row that was emptied is not met again."""
    for number in range(5):
        await delivered(worker, f"id-{number}", days=40)
    gone: list[int] = []

    while not gone or gone[-1]:
        async with worker.runtime.database.transaction(
            CommitPoint.PLAIN, worker.linked.link_id
        ) as session:
            now = worker.runtime.clock()
            gone.append(await forget_old(session, worker.linked.link_id, now=now, most=2))

    assert gone == [2, 2, 1, 0]


async def test_used_keys_and_ended_log_ins_go(worker: Hands) -> None:
    """Keys go after seven days, in as many transactions as it takes; log-ins once they are over."""
    async with worker.runtime.database.transaction(CommitPoint.PLAIN) as session:
        await session.execute(
            text(
                "INSERT INTO idempotency_keys (scope, fingerprint, resource_id, fence, lease_until,"
                " created_at, expires_at) SELECT int4send(n), 'f', 'r', 1, :at, :at, :at"
                " FROM generate_series(1, 1001) n"
            ),
            {"at": worker.runtime.clock() - timedelta(days=8)},
        )
        for name, minutes in (("old", -1), ("new", 1)):
            await session.execute(
                text(
                    "INSERT INTO oauth_states (hash, link_id, issuer, subject, sealed_verifier,"
                    " return_url, expires_at) VALUES (:name, :link, 'i', 's', 'v', 'u', :at)"
                ),
                {
                    "name": name.encode(),
                    "link": worker.linked.link_id,
                    "at": worker.runtime.clock() + timedelta(minutes=minutes),
                },
            )

    await forget(worker.runtime)

    assert await worker.rows("SELECT 1 FROM idempotency_keys WHERE fingerprint = 'f'") == []
    states = await worker.rows("SELECT hash FROM oauth_states WHERE issuer = 'i'")
    assert states == [(b"new",)]

"""The same promises where connections are real and really break."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.canonical import DraftLine, DraftOrder, Ore, RecordId, RecordKind
from app.sandbox.conta import create_twin
from app.sandbox.faults import Fault, FaultKind
from app.sandbox.seeds import size
from app.sandbox.server import LiveTwin
from app.settings import Settings
from app.systems.conta.client import ContaClient, ContaSystem
from app.systems.ports import Unreachable

TODAY = datetime.now(UTC).date()
SINCE = TODAY - timedelta(days=1)


@pytest.fixture(scope="module")
def twin() -> Iterator[tuple[Any, str]]:
    app = create_twin(seed=size(12, seed=7, today=TODAY))
    with LiveTwin(app) as live:
        yield app.state.twin, live.url


@pytest.fixture
async def client(twin: tuple[Any, str]) -> AsyncIterator[ContaClient]:
    store, url = twin
    store.board.clear()
    system = ContaSystem.from_settings(
        Settings(
            conta_url=url,
            conta_calls_per_second=1000,
            outgoing_timeout_seconds=5.0,
            draft_timeout_seconds=0.5,
        )
    )
    yield system.open("1001", "conta-demo-key", pace_key="link-1")
    await system.close()


@pytest.fixture
def order(twin: tuple[Any, str]) -> DraftOrder:
    customer = next(iter(twin[0].organizations[1001].customers))
    line = DraftLine("Snekring", Decimal("1.00"), Ore(100000), Decimal(0), "high")
    return DraftOrder(RecordId(str(customer)), None, (line,))


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        (FaultKind.LOST_ANSWER, 1),
        (FaultKind.RESET_BEFORE, 0),
        (FaultKind.BROKEN_BODY, 1),
        (FaultKind.STATUS_AFTER, 1),
    ],
)
async def test_a_draft_whose_connection_breaks_is_sent_once_and_left_unknown(
    client: ContaClient, twin: tuple[Any, str], order: DraftOrder, kind: FaultKind, made: int
) -> None:
    """No layer sends the POST again, whether the twin made the draft or not."""
    store = twin[0]
    before = set(await client.draft_ids(order.customer_id, since=SINCE))
    posts = sum(seen.method == "POST" for seen in store.requests)
    store.board.add(Fault(kind=kind, method="POST", times=1))

    with pytest.raises(Unreachable) as caught:
        await client.create_draft(order)

    after = set(await client.draft_ids(order.customer_id, since=SINCE))
    assert caught.value.effect_possible
    assert len(after - before) == made
    assert sum(seen.method == "POST" for seen in store.requests) - posts <= 1


async def test_a_draft_that_takes_too_long_is_left_unknown(
    client: ContaClient, twin: tuple[Any, str], order: DraftOrder
) -> None:
    """The draft's own deadline holds; the draft may well be made after it."""
    twin[0].board.add(Fault(kind=FaultKind.LATENCY, method="POST", times=1, seconds=1.0))

    with pytest.raises(Unreachable) as caught:
        await client.create_draft(order)

    assert caught.value.effect_possible


async def test_a_hundred_calls_at_once_share_one_client(
    client: ContaClient, twin: tuple[Any, str]
) -> None:
    """Side by side, none is lost or mixed up."""
    ids = list(twin[0].organizations[1001].customers)[:10]

    seen = await asyncio.gather(
        *(client.read(RecordKind.CUSTOMER, RecordId(str(id_))) for id_ in ids * 10)
    )

    assert [sighting.record and sighting.record.id for sighting in seen] == [
        str(id_) for id_ in ids * 10
    ]
    assert not twin[0].violations.as_json()["requests"]

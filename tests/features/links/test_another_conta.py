"""A Conta that is not our twin serves as well: only what is published may be relied on."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from app.settings import Settings
from tests.features.conftest import Switch, connect, first_sync
from tests.features.invoicing.test_drafts import previewed, sent
from tests.features.links.another_conta import AnotherConta
from tests.systems.conftest import flaws

ADDRESS = "http://another-conta.test"


@pytest.fixture
def another(world: Any) -> AnotherConta:
    """Half of the demo's customers in its books, the other half unknown there."""
    made = AnotherConta("key-of-anne")
    for customer in world.organizations[0].customers[:20]:
        made.keep(made.customers, {n: v for n, v in customer.items() if n != "id"})
    return made


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"conta_url": ADDRESS, "conta_modified_filter": False})


class WithAnother(httpx.AsyncBaseTransport):
    """Carry calls to the other Conta there, all else to the twins; note what was asked of it."""

    def __init__(self, others: Switch, another: AnotherConta) -> None:
        self._others = others
        self._another = httpx.ASGITransport(another.app())
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host != "another-conta.test":
            return await self._others.handle_async_request(request)
        await request.aread()
        self.requests.append(request)
        return await self._another.handle_async_request(request)


@pytest.fixture
def network(twins: Any, another: AnotherConta) -> WithAnother:
    return WithAnother(Switch(twins), another)


async def test_it_is_connected_read_written_and_drafted_at(
    client: httpx.AsyncClient,
    twins: Any,
    another: AnotherConta,
    network: WithAnother,
    work: Callable[[], Awaitable[int]],
) -> None:
    """Connect, first sync, draft: the other Conta's own store has customers and one draft."""
    before = len(another.customers)
    link = await connect(client, twins, organization="1001", company="cmp_1", key="key-of-anne")

    await first_sync(client, link, work)
    preview = await previewed(client, link)
    answers = await asyncio.gather(*(sent(client, link, preview) for _ in range(3)))

    assert len(another.customers) > before
    assert len({c["name"] for c in another.customers.values()}) == len(another.customers)
    assert {answer.status_code for answer in answers} <= {200, 201, 409}
    assert 201 in {answer.status_code for answer in answers}
    [draft] = another.drafts.values()
    assert round(draft["sumTotal"] * 100) == preview["totalOre"]
    assert draft["customerId"] in another.customers
    assert [flaw for request in network.requests for flaw in flaws(request)] == []

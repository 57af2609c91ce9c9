"""Give tests a twin of Conta in process, its store, and a client that holds the demo key."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

from app.sandbox.conta import create_twin
from app.sandbox.conta.store import Organization, Store

OWN = "/invoice/organizations/1001"


@pytest.fixture
def twin() -> Starlette:
    return create_twin()


@pytest.fixture
def store(twin: Starlette) -> Store:
    store: Store = twin.state.twin
    return store


@pytest.fixture
def own(store: Store) -> Organization:
    return store.organizations[1001]


@pytest.fixture
async def conta(twin: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(twin),
        base_url="http://conta.test",
        headers={"apiKey": "conta-demo-key"},
    ) as client:
        yield client


@pytest.fixture
async def person(twin: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """The person in the web app of organization 1001, by control calls."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(twin),
        base_url="http://conta.test/_control/organizations/1001/",
    ) as client:
        yield client


@pytest.fixture
async def control(twin: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(twin), base_url="http://conta.test/_control/"
    ) as client:
        yield client

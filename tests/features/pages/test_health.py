"""Whether the process lives and can serve, and what it has counted."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI

from app.bootstrap import build_runtime
from app.embedded import EmbeddedServer
from app.runtime import Runtime
from app.settings import Settings
from app.vault import Vault
from tests.conftest import SetClock
from tests.features.conftest import Linked

Work = Callable[[], Awaitable[int]]


async def sample(client: httpx.AsyncClient, name: str) -> float:
    """Read one series of the metrics page."""
    lines = (await client.get("/metrics")).text.splitlines()
    found = [line.rsplit(" ", 1)[1] for line in lines if line.startswith(f"{name} ")]
    return float(found[0])


async def test_a_process_that_can_serve_says_so(client: httpx.AsyncClient) -> None:
    """Database there, migrated, key ring filled: ready, and nobody needs a token to ask."""
    ready = await client.get("/health/ready")
    live = await client.get("/health/live")

    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "faults": []})
    assert (live.status_code, live.json()) == (200, {"status": "alive"})


async def test_without_a_key_ring_the_process_is_unready(
    client: httpx.AsyncClient, app: FastAPI, runtime: Runtime
) -> None:
    """No credential could be opened: red, though the database answers."""
    app.state.runtime = replace(runtime, vault=Vault({}))

    ready = await client.get("/health/ready")

    assert (ready.status_code, ready.json()["faults"]) == (503, ["keyring-missing"])


@pytest.fixture
async def away(settings: Settings, app: FastAPI) -> AsyncIterator[None]:
    """Take the database away from the application."""
    nowhere = settings.model_copy(update={"database_url": "postgresql://x@127.0.0.1:1/none"})
    app.state.runtime = build_runtime(nowhere)
    yield
    await app.state.runtime.close()


async def test_without_a_database_the_process_is_unready_and_alive(
    client: httpx.AsyncClient, away: None
) -> None:
    """Red for the balancer, alive for the supervisor: restarting would not help."""
    ready = await client.get("/health/ready")
    live = await client.get("/health/live")

    assert (ready.status_code, ready.json()["faults"]) == (503, ["database-unavailable"])
    assert live.status_code == 200


async def test_a_database_that_was_not_migrated_is_unready(
    client: httpx.AsyncClient, app: FastAPI, settings: Settings
) -> None:
    """What an operator forgets most has a name of its own."""
    assert settings.database_url is not None
    base = settings.database_url.partition("?")
    bare = base[0].rsplit("/", 1)[0] + "/postgres" + base[1] + base[2]
    runtime = build_runtime(settings.model_copy(update={"database_url": bare}))
    app.state.runtime = runtime

    ready = await client.get("/health/ready")
    await runtime.close()

    assert (ready.status_code, ready.json()["faults"]) == (503, ["database-not-migrated"])


async def test_a_role_that_policies_do_not_bind_is_unready(
    client: httpx.AsyncClient,
    app: FastAPI,
    settings: Settings,
    server: EmbeddedServer,
    database_name: str,
) -> None:
    """A database that was away at the start was asked for nothing then: no traffic before it is."""
    url = server.url("postgres", database_name)
    runtime = build_runtime(settings.model_copy(update={"database_url": url}))
    app.state.runtime = runtime

    ready = await client.get("/health/ready")
    await runtime.close()

    assert (ready.status_code, ready.json()["faults"]) == (503, ["database-role-unbound"])


async def test_metrics_count_requests_by_route_not_by_id(
    client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """A path holds ids, its route does not; links stand by state."""
    await client.get(reviewing.path, headers=reviewing.books)
    await client.get("/nothing/here")

    page = (await client.get("/metrics")).text

    assert str(reviewing.link_id) not in page
    assert 'method="GET",route="/v1/links/{link_id}",status="200"' in page
    assert 'route="none",status="404"' in page
    assert 'tc_links{state="reviewing"} 1.0' in page
    assert 'tc_links{state="closed"} 0.0' in page


async def test_metrics_say_how_long_the_longest_due_link_has_waited(
    client: httpx.AsyncClient, linked: Linked, clock: SetClock
) -> None:
    """The age of due work is what an alarm looks at."""
    clock.advance(seconds=90)

    assert await sample(client, "tc_oldest_due_seconds") == 90.0


async def test_metrics_outlive_the_database(client: httpx.AsyncClient, away: None) -> None:
    """What the process itself counted is wanted most when the database is gone."""
    page = await client.get("/metrics")

    assert page.status_code == 200
    assert "tc_request_seconds" in page.text
    assert "tc_changes_pending NaN" in page.text


async def test_a_request_that_breaks_is_counted_as_a_fault(
    client: httpx.AsyncClient, app: FastAPI
) -> None:
    """An exception leaves its 500 in the counters."""

    @app.get("/break")
    async def broken() -> None:
        raise RuntimeError

    await client.get("/break")

    assert 'route="/break",status="500"' in (await client.get("/metrics")).text

"""Give the simulator the twins, the runtime and a link, as the features have them."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import psycopg
import pytest
import structlog
import uvloop
from fastapi import FastAPI

from app.embedded import EmbeddedServer
from app.invoicing.unbilled.read_hours import read_hours
from app.runtime import Runtime
from app.settings import Settings
from tests.features.conftest import (
    app,
    client,
    keeper,
    linked,
    network,
    reviewing,
    runtime,
    settings,
    twins,
    world,
)
from tests.features.invoicing.conftest import synced, work
from tests.simulation.driver import spare
from tests.simulation.stage import Stage, mortal_runtime
from tests.worlds import Shelf

__all__ = [
    "app", "client", "keeper", "linked", "network", "reviewing", "runtime", "settings", "synced",
    "twins", "work", "world",
]  # fmt: skip


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Play on the loop that uvicorn runs the service on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
def database_url(server: EmbeddedServer, database_name: str, database_url: str) -> Iterator[str]:
    """The clone's address; a played death loses no commit, so none need wait for the disk."""
    with psycopg.connect(server.url("postgres", "postgres"), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {database_name} SET synchronous_commit = off")
        yield database_url
        connection.execute(f"ALTER DATABASE {database_name} RESET synchronous_commit")


@pytest.fixture
async def stage(
    client: httpx.AsyncClient, app: FastAPI, runtime: Runtime, settings: Settings, network: Any,
    twins: Any, synced: Any, clock: Any, server: EmbeddedServer, database_name: str,
    shelf: Shelf,
) -> AsyncIterator[Stage]:  # fmt: skip
    made: list[Stage] = []
    mortal = mortal_runtime(settings, clock, network, made)
    admin = await psycopg.AsyncConnection.connect(
        server.url("postgres", database_name), autocommit=True
    )
    await admin.execute("SET session_replication_role = replica")
    stage = Stage(client, app, runtime, mortal, twins, synced, clock, admin, shelf.tables)
    made.append(stage)
    await read_hours(runtime, synced.link_id)  # once; each world would read them all otherwise
    stage.keep()
    gc.collect()
    gc.freeze()  # what stands for all worlds need not be searched for garbage in each
    gc.set_threshold(50_000, 20, 100)
    yield stage
    gc.set_threshold(700, 10, 10)
    gc.unfreeze()
    await admin.close()
    await mortal.close()


@pytest.fixture(autouse=True)
def spared_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """A world's thousand statements are small: what stands around each costs more."""
    spare(monkeypatch)


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    """A line for each of a million calls would cost more than the worlds."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    yield
    structlog.reset_defaults()

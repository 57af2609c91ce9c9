"""Give every test a real database, emptied after it, an injected clock and, where asked for.

The twins.
"""

import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import settings as drawing
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app import migrate
from app.canonical import LinkId
from app.database import Database, create_database
from app.embedded import EmbeddedServer, start_embedded
from tests.worlds import BEGIN, Shelf, Tables

ROOT = Path(__file__).parent.parent
drawing.register_profile("suite", deadline=None)
drawing.load_profile("suite")  # a first call reads word lists, and a busy machine is no fault


class SetClock:
    """Tell the time a test has set; move it with ``advance``."""

    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def __call__(self) -> datetime:
        return self.instant

    def advance(self, **delta: float) -> None:
        self.instant += timedelta(**delta)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(BEGIN)


@pytest.fixture(scope="session")
def server() -> EmbeddedServer:
    """The tests' own server, on which no commit waits for the disk.

    It need not outlive a loss of power; a process that dies by SIGKILL takes no commit with it.
    """
    started = start_embedded(ROOT / ".data" / "tests")
    with psycopg.connect(started.url("postgres", "postgres"), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("ALTER SYSTEM SET full_page_writes = off")
        connection.execute("ALTER SYSTEM SET synchronous_commit = off")
        connection.execute("SELECT pg_reload_conf()")
    return started


def _migrations_hash() -> str:
    digest = hashlib.sha256()
    for path in sorted((ROOT / "migrations").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@pytest.fixture(scope="session")
def template(server: EmbeddedServer) -> str:
    """A migrated database that tests are cloned from.

    Made once for each state of the migrations.
    """
    name = f"template_{_migrations_hash()}"
    with psycopg.connect(server.url("postgres", "postgres"), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(4711)")
        if not _is_migrated(server, name):
            server.drop_database(name)
            server.create_database(name)
            migrate.upgrade(server.url("tc_owner", name))
    return name


def _is_migrated(server: EmbeddedServer, name: str) -> bool:
    try:
        with psycopg.connect(server.url("postgres", name)) as connection:
            return bool(connection.execute("SELECT 1 FROM alembic_version").fetchone())
    except psycopg.Error:
        return False


@pytest.fixture(scope="session")
def database_name(server: EmbeddedServer, template: str) -> Iterator[str]:
    """This test worker's own clone."""
    name = f"test_{os.getpid()}"
    with psycopg.connect(server.url("postgres", "postgres"), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(4711)")  # a template is cloned by one at a time
        server.create_database(name, template=template)
    yield name
    server.drop_database(name)


@pytest.fixture(scope="session")
def shelf(server: EmbeddedServer, database_name: str) -> Iterator[Shelf]:
    """The worlds this test worker made already, and its tables.

    As superuser: the owner sees no rows through the policies.
    """
    with psycopg.connect(server.url("postgres", database_name), autocommit=True) as connection:
        yield Shelf(Tables(connection))


@pytest.fixture(scope="session", autouse=True)
def _engines_lent() -> Iterator[None]:
    """Lend an engine again once it is closed.

    What SQLAlchemy worked out for one test serves the next; its connections are new each time.
    """
    free: dict[str, list[AsyncEngine]] = {}
    close = Database.close

    def lend(url: str, **facts: Any) -> AsyncEngine:
        waiting = free.setdefault(f"{url} {sorted(facts.items())}", [])
        if waiting:
            return waiting.pop()
        made = create_async_engine(url, **facts)
        homes[id(made.sync_engine)] = waiting
        return made

    async def close_and_give_back(database: Database) -> None:
        await close(database)
        home = homes.get(id(database.engine.sync_engine), [])
        if database.engine not in home:
            home.append(database.engine)

    homes: dict[int, list[AsyncEngine]] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.database.create_async_engine", lend)
        patch.setattr(Database, "close", close_and_give_back)
        yield


@pytest.fixture
def database_url(server: EmbeddedServer, database_name: str, shelf: Shelf) -> Iterator[str]:
    """The clone's address as the service role; everything a test wrote is gone afterwards."""
    yield server.url("tc_service", database_name)
    shelf.tables.empty()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = create_database(database_url, pool=5)
    yield opened
    await opened.close()


@pytest.fixture
def link_id() -> LinkId:
    from uuid_utils.compat import uuid7

    return LinkId(uuid7())

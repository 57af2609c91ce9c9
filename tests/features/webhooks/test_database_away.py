"""On the wire to the database: one round trip a delivery, and what happens when it is cut."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.canonical import LinkId
from app.embedded import EmbeddedServer
from app.runtime import Runtime
from tests.features.webhooks.conftest import Sender
from tests.worlds import Shelf


class Wire:
    """
    Carry bytes between two sockets of the database, until it is cut.

    Args:
        questions: How often something was asked of the database: round trips.

    """

    def __init__(self, here: Path, there: Path) -> None:
        self._here, self._there = here, there
        self.questions = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def mend(self) -> None:
        self._here.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._carry, self._here)

    async def cut(self) -> None:
        """Refuse new connections and reset those that are open."""
        if self._server is not None:
            self._server.close()
        self._here.unlink(missing_ok=True)
        for writer in list(self._open):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _carry(self, here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        there, forth = await asyncio.open_unix_connection(self._there)
        self._open |= {back, forth}
        asking = [False]
        await asyncio.gather(
            self._pump(here, forth, asking, asks=True), self._pump(there, back, asking, asks=False)
        )
        self._open -= {back, forth}

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        asking: list[bool],
        *,
        asks: bool,
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                self.questions += asks and not asking[0]
                asking[0] = asks
                writer.write(data)
                await writer.drain()
        writer.close()


@pytest.fixture
async def wire(server: EmbeddedServer) -> AsyncIterator[Wire]:
    folder = Path(tempfile.mkdtemp(prefix="wire"))  # short: a socket's path may have 107 characters
    name = f".s.PGSQL.{server.port}"
    made = Wire(folder / name, Path(server.socket_dir) / name)
    await made.mend()
    yield made
    await made.cut()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database_url(
    server: EmbeddedServer, database_name: str, shelf: Shelf, wire: Wire
) -> Iterator[str]:
    """The database's address over the wire that can be cut."""
    folder = quote(str(wire._here.parent), safe="")
    yield f"postgresql://tc_service@/{database_name}?host={folder}&port={server.port}"
    shelf.tables.empty()


async def _deliveries(runtime: Runtime, link_id: LinkId) -> list[str]:
    with suppress(OperationalError):  # a broken connection of the pool costs one call (503)
        async with runtime.database.reading(link_id):
            pass
    async with runtime.database.reading(link_id) as session:
        rows = await session.execute(text("SELECT delivery_id FROM deliveries ORDER BY 1"))
        return [row[0] for row in rows]


async def test_a_cut_wire_is_503_and_the_senders_retry_lands_once(
    timerabbit: Sender,
    running: Runtime,
    link_id: LinkId,
    wire: Wire,
) -> None:
    """Also with warm connections and warm secrets; back again, one retry is enough."""
    first = await timerabbit.send(id_="msg_1")
    await wire.cut()
    away = await asyncio.gather(*(timerabbit.send(id_=f"msg_{n}") for n in range(2, 6)))
    await wire.mend()

    again = []
    for _ in range(100):  # a sender comes again; a pool may need a moment
        again = [await timerabbit.send(id_=f"msg_{n}") for n in range(2, 6)]
        if all(one.status_code == 202 for one in again):
            break
        await asyncio.sleep(0.05)

    assert first.status_code == 202
    assert {one.status_code for one in away} == {503}
    assert {one.headers["retry-after"] for one in away} == {"5"}
    assert {one.json()["code"] for one in away} == {"database-unavailable"}
    assert {one.status_code for one in again} == {202}
    assert await _deliveries(running, link_id) == [f"msg_{n}" for n in range(1, 6)]


async def test_an_unknown_link_is_503_too_while_the_database_is_away(
    timerabbit: Sender, wire: Wire
) -> None:
    """A cold process cannot know whose secret it is, so it refuses nobody for good."""
    await wire.cut()
    timerabbit.path = timerabbit.path[:-1] + ("0" if timerabbit.path[-1] != "0" else "1")

    answer = await timerabbit.send()
    await wire.mend()

    assert (answer.status_code, answer.json()["code"]) == (503, "database-unavailable")
    assert "retry-after" in answer.headers


async def test_a_warm_process_accepts_in_one_round_trip(timerabbit: Sender, wire: Wire) -> None:
    """Link, secret, delivery, change and drain are one question to the database, and its commit."""
    for number in range(3):  # opens the connection, prepares the statement, reads the secrets
        await timerabbit.send(id_=f"warm_{number}")
    before = wire.questions

    answer = await timerabbit.send(timerabbit.event("18"), id_="msg_1")

    assert (answer.status_code, wire.questions - before) == (202, 1)

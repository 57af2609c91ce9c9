"""
Keep how the database and both twins stand, and put them back.

What many tests begin with is made once in a process, for each way in which it can begin.
"""

import hashlib
import pickle
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import psycopg

from app.settings import Settings

T = TypeVar("T")

BEGIN = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
"""When every test begins that has an injected clock; the hours made up end on this day."""

TWIN_STATE = {
    "conta": ("organizations", "keys", "requests", "_last"),
    "timerabbit": (
        "companies", "clients", "handovers", "codes", "access", "refresh", "replays", "requests",
        "_last",
    ),
}  # fmt: skip
"""What a twin's store holds that calls can change; its address, contract and faults stay."""


def keep_twin(system: str, store: Any) -> bytes:
    """Give all that a twin holds."""
    return pickle.dumps({name: getattr(store, name) for name in TWIN_STATE[system]})


def put_twin_back(store: Any, kept: bytes) -> None:
    """Let a twin hold what it held; it plays no fault any more."""
    for name, value in pickle.loads(kept).items():  # noqa: S301 - our own
        setattr(store, name, value)
    store.board.clear()


class Tables:
    """Read and write all rows of a database as superuser, past policies and triggers."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        names = [
            name
            for (name,) in connection.execute(
                "SELECT quote_ident(tablename) FROM pg_tables"
                " WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1"
            ).fetchall()
        ]
        self._empty = "SET session_replication_role = replica;" + ";".join(
            f"DELETE FROM {name}" for name in names
        )
        self._full = " UNION ALL ".join(
            f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in names
        )

    def empty(self) -> None:
        """Delete all rows."""
        self._connection.execute(self._empty.encode())

    def keep(self) -> dict[str, bytes]:
        """Give the rows of each table that has some."""
        kept = {}
        for (name,) in self._connection.execute(self._full.encode()).fetchall():
            with self._connection.cursor().copy(f"COPY {name} TO STDOUT".encode()) as rows:
                kept[str(name)] = b"".join(rows)
        return kept

    def put_back(self, kept: dict[str, bytes]) -> None:
        """Let the tables hold these rows and no others."""
        self.empty()
        for name, rows in kept.items():
            with self._connection.cursor().copy(f"COPY {name} FROM STDIN".encode()) as into:
                into.write(rows)


@dataclass(frozen=True)
class World:
    """Hold how everything stood, and what the set-up gave."""

    tables: dict[str, bytes]
    twins: dict[str, bytes]
    given: bytes = b""

    def put_back(self, tables: Tables, stores: Mapping[str, Any]) -> None:
        """Let tables and twins stand as they stood."""
        tables.put_back(self.tables)
        for system, store in stores.items():
            put_twin_back(store, self.twins[system])


def keep_world(tables: Tables, stores: Mapping[str, Any], *, given: bytes = b"") -> World:
    """Keep how tables and twins stand, the twins by the name of their system."""
    kept = {system: keep_twin(system, store) for system, store in stores.items()}
    return World(tables.keep(), kept, given)


@dataclass
class Shelf:
    """Hold the worlds that this process made already, by how they began."""

    tables: Tables
    worlds: dict[str, World] = field(default_factory=dict)


@dataclass(frozen=True)
class Keeper:
    """Make a world, or put it back where one that began alike was made before."""

    shelf: Shelf
    twins: Any
    clock: Any
    settings: Settings

    async def make(self, name: str, make: Callable[[], Awaitable[T]]) -> T:
        """
        Give what ``make`` gives, with database and twins as it leaves them.

        It is carried out once for each state of tables, twins, clock and settings it is asked in.
        What the running process holds in memory is not part of it: a process may start anew at
        any time. A set-up under faults is carried out each time.
        """
        stores = {system: getattr(self.twins, system).state.twin for system in TWIN_STATE}
        if any(store.board.faults for store in stores.values()):
            return await make()
        begun = self._fingerprint(name, stores)
        world = self.shelf.worlds.get(begun)
        if world is None:
            given = await make()
            self.shelf.worlds[begun] = keep_world(
                self.shelf.tables, stores, given=pickle.dumps(given)
            )
            return given
        world.put_back(self.shelf.tables, stores)
        again: T = pickle.loads(world.given)  # noqa: S301 - our own
        return again

    def _fingerprint(self, name: str, stores: dict[str, Any]) -> str:
        settings = self.settings.model_dump(exclude={"database_url"})
        parts = [name, str(self.clock()), pickle.dumps(settings), self.shelf.tables.keep()]
        digest = hashlib.sha256(pickle.dumps(parts))
        for system, store in stores.items():
            digest.update(keep_twin(system, store))
        return digest.hexdigest()

"""Hold what a running process needs, built once and handed in everywhere."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request
from procrastinate import App as Queue
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, Side
from app.clock import Clock
from app.database import Database
from app.settings import Settings
from app.systems.ports import BooksSystem, Demands, TimeSystem
from app.systems.register import BusinessRegister
from app.telemetry import Metrics
from app.vault import Vault


@dataclass(frozen=True, slots=True)
class Systems:
    """
    Hold the two systems by role; names are for paths and texts only.

    Args:
        register: Where businesses are looked up; ``None`` where an operator named none.

    """

    time: TimeSystem
    books: BooksSystem
    register: BusinessRegister | None = None

    def demands_of(self, side: Side) -> Demands:
        """Give what the system of a side demands of a record."""
        return self.time.demands if side is Side.TIME else self.books.demands

    @property
    def by_name(self) -> Mapping[str, TimeSystem | BooksSystem]:
        """Give the systems by the name their webhook paths carry."""
        return {self.time.name: self.time, self.books.name: self.books}


@dataclass(frozen=True, slots=True)
class Asked:
    """
    Tell one thing that people must see to and that is no record of the sync.

    Args:
        code: Of the catalogue of problems, whose texts say what it is.
        count: How many rows stand at ``path``, the address under the link's own.
        in_step: Whether both sides are in step all the same.

    """

    code: str
    count: int
    in_step: bool
    path: str
    facts: Mapping[str, Any]


AskPeople = Callable[[AsyncSession, LinkId, datetime], Awaitable[Sequence[Asked]]]
"""Reads what is asked of people for a link, as of now, from what is stored."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """
    Hold settings, database, queue, systems, vault, clock and metrics of one process.

    Args:
        ask_people: What drafts and hours ask of people; the status tells it, and does not know
            them.

    """

    settings: Settings
    database: Database
    queue: Queue
    systems: Systems
    vault: Vault
    clock: Clock
    metrics: Metrics
    ask_people: AskPeople

    @property
    def cursor_key(self) -> bytes:
        """Give the key that signs cursors; the same in every process of one key ring."""
        return hashlib.sha256(
            b"cursor:" + self.settings.keyring.get_secret_value().encode()
        ).digest()

    async def close(self) -> None:
        """Close the database's connections and the systems' HTTP clients."""
        await self.database.close()
        await self.systems.time.close()
        await self.systems.books.close()
        if self.systems.register is not None:
            await self.systems.register.close()


def _of_request(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


Running = Annotated[Runtime, Depends(_of_request)]
"""Asks FastAPI for the process's runtime."""

"""
Hold what worlds are played on: one database, one application, one link, made once for many seeds.

Before each world tables, twins and clock are put back to what they were after the first sync, so
that a seed plays the same alone and among thousands.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast
from uuid import UUID

import httpx
import psycopg
from fastapi import FastAPI

from app.bootstrap import build_runtime
from app.canonical import LinkId
from app.database import CommitPoint
from app.invoicing.drafts.wake import wake_drafts
from app.queue import Job
from app.runtime import Runtime
from app.settings import Settings
from app.systems.breaker import Breakers
from app.systems.pace import Paces
from tests.features.invoicing.conftest import JOBS
from tests.worlds import TWIN_STATE, Tables, keep_world

Moment = Literal["before", "after"]


class Died(BaseException):
    """Play a death: nothing catches it, what was committed stays."""


@dataclass
class Stage:
    """
    Hold the parts, and put them back before each world.

    Args:
        mortal: A second runtime over the same database and twins, whose process may die.
        admin: The superuser's connection, which sees through the policies.

    """

    client: httpx.AsyncClient
    app: FastAPI
    runtime: Runtime
    mortal: Runtime
    twins: Any
    link: Any
    clock: Any
    admin: psycopg.AsyncConnection[Any]
    tables: Tables
    death: tuple[CommitPoint, Moment] | None = None

    def store(self, system: str) -> Any:
        """Give a twin's own store."""
        return getattr(self.twins, system).state.twin

    def books(self) -> Any:
        """Give the organization's own store in Conta."""
        return self.store("conta").organizations[1001]

    @property
    def customers(self) -> dict[str, str]:
        """Give the customers that are in both systems: their ids in the books by time id."""
        found: dict[str, str] = self.link.more["customers"]
        return found

    def pass_by(self, point: CommitPoint, moment: Moment) -> None:
        """Die where a death was laid."""
        if (point, moment) == self.death:
            self.death = None
            raise Died

    def keep(self) -> None:
        """Remember how everything is now."""
        self.instant = self.clock.instant
        self.headers = dict(self.link.books)
        self.world = keep_world(self.tables, self._stores())

    def begin(self) -> None:
        """Put everything back for the next world."""
        self.world.put_back(self.tables, self._stores())
        self.clock.instant = self.instant
        self.link.books.clear()
        self.link.books.update(self.headers)
        self.death = None
        for runtime in (self.runtime, self.mortal):
            tell_worlds_time(runtime, self.clock)

    def _stores(self) -> dict[str, Any]:
        return {system: self.store(system) for system in TWIN_STATE}

    @asynccontextmanager
    async def in_a_mortal_process(self, point: CommitPoint, moment: Moment) -> AsyncIterator[None]:
        """Let the service and its jobs run in a process that dies when it passes a point."""
        self.app.state.runtime, self.death = self.mortal, (point, moment)
        try:
            yield
        finally:
            self.app.state.runtime, self.death = self.runtime, None

    async def age(self) -> None:
        """Make all drafts six years older than they are: the database itself keeps papers five."""
        await self.admin.execute(
            "UPDATE drafts SET created_at = created_at - interval '6 years',"
            " updated_at = updated_at - interval '6 years';"
            " UPDATE ledger SET created_at = created_at - interval '6 years'"
        )

    async def work(self, runtime: Runtime | None = None) -> None:
        """Run the drafts' own jobs until none is due; a job whose process dies is gone."""
        worker = runtime or self.runtime
        for _ in range(100):
            if await self._is_due():
                await wake_drafts(worker)
            if not await self._run_waiting(worker):
                return
        raise AssertionError("jobs do not come to rest")

    async def _is_due(self) -> bool:
        """Say whether the periodic job would find a link to wake."""
        cursor = await self.admin.execute(
            "SELECT EXISTS (SELECT FROM link_directory WHERE next_draft <= %s)", (self.clock(),)
        )
        row = await cursor.fetchone()
        return bool(row and row[0])

    async def _run_waiting(self, worker: Runtime) -> int:
        done = 0
        while (row := await self._next()) is not None:
            name, arguments = row
            link_id = LinkId(UUID(arguments.pop("link_id")))
            await JOBS[Job(name)](worker, link_id, **arguments)
            done += 1
        return done

    async def _next(self) -> tuple[str, dict[str, str]] | None:
        cursor = await self.admin.execute(
            "DELETE FROM procrastinate_jobs WHERE id = (SELECT id FROM procrastinate_jobs"
            " WHERE status = 'todo' AND task_name = ANY(%s) ORDER BY id LIMIT 1)"
            " RETURNING task_name, args",
            ([job.value for job in JOBS],),
        )
        row = await cursor.fetchone()
        return None if row is None else (str(row[0]), dict(row[1]))

    async def next_due(self) -> datetime | None:
        """Say when a draft is due next."""
        cursor = await self.admin.execute(
            "SELECT least(min(not_before) FILTER (WHERE not_before > %(now)s),"
            " min(next_look) FILTER (WHERE next_look > %(now)s)) FROM drafts",
            {"now": self.clock()},
        )
        row = await cursor.fetchone()
        due: datetime | None = row[0] if row else None
        return due


def tell_worlds_time(runtime: Runtime, clock: Any) -> None:
    """Let pace and breakers live in the world's time: who waits lets it pass."""

    async def sleep(seconds: float) -> None:
        clock.advance(seconds=seconds)

    def now() -> float:
        return float(clock().timestamp())

    for side in (runtime.systems.books, runtime.systems.time):
        transport = cast("Any", side)._transport
        options = transport.options
        transport._paces = Paces(options.calls_per_second, options.burst, clock=now, sleep=sleep)
        transport._breakers = Breakers(now)


def mortal_runtime(settings: Settings, clock: Any, network: Any, stage: list[Stage]) -> Runtime:
    """Build the runtime that may die; ``stage`` holds the stage once it is made."""

    def hook(passed: CommitPoint, moment: Moment) -> None:
        if stage:
            stage[0].pass_by(passed, moment)

    return build_runtime(
        settings, clock=clock, hook=hook, conta_transport=network, timerabbit_transport=network
    )

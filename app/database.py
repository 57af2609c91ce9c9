"""Open the database, bind each transaction to its links, and name every commit point."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, Literal, LiteralString, cast

import psycopg
from sqlalchemy import DateTime, MetaData, text
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from app.canonical import LinkId
from app.settings import SettingsInvalid


class CommitPoint(StrEnum):
    """
    Name the places where a process may die with something half done.

    The stories kill a process with -9 at each; a point without a scenario fails there. What may
    happen right before and right after is played for all points of a draft by the simulator.
    ``PLAIN`` is a transaction that stands alone: a person's click, wholly done or not at all.
    """

    PLAIN = "plain"
    WEBHOOK_ACCEPTED = "webhook-accepted"
    CREATE_INTENT = "create-intent"
    CREATE_DONE = "create-done"
    CHANGE_SETTLED = "change-settled"
    SWEEP_NOTED = "sweep-noted"
    PLAN_READ = "plan-read"
    PLAN_STORED = "plan-stored"
    RUN_STEP = "run-step"
    UNDO_STEP = "undo-step"
    DRAFT_INTENT = "c1"
    DRAFT_RESERVED = "t1"
    DRAFT_ATTEMPT = "c2"
    DRAFT_BEFORE_POST = "c3"
    DRAFT_AFTER_POST = "c4"
    DRAFT_CREATED = "c5"
    DRAFT_REFUSED = "c6"
    DRAFT_UNKNOWN = "c7"
    DRAFT_ADOPTED = "c8"
    DRAFT_COMPLETED = "t2"


Hook = Callable[[CommitPoint, Literal["before", "after"]], None]
"""Called around each commit point; nothing in production, a death in the stories."""

UNSCOPED: Final[dict[str, str]] = {
    "link_directory": "ids, state, due times, counters, for routes and periodic jobs; no names",
    "api_tokens": "hashes of tokens; read before the caller's links are known",
    "idempotency_keys": "keyed by caller; read before the resource's link is known",
    "oauth_states": "hashes of single-use states; bound to issuer and subject",
    "businesses": "public facts of the business register by number; no link, no names of ours",
    "procrastinate_jobs": "the queue's own; arguments hold ids only",
    "procrastinate_events": "the queue's own; ids and times only",
    "procrastinate_periodic_defers": "the queue's own; task names and times only",
    "procrastinate_workers": "the queue's own; signs of life only",
    "alembic_version": "one revision id",
}
"""Tables without row-level security, each with its reason; the catalogue test compares."""

_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Be the parent of all tables; constraints are named by one convention."""

    metadata = MetaData(naming_convention=_NAMING)


class Instant(TypeDecorator[datetime]):
    """Store an aware UTC instant; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Refuse a naive instant and give it in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant must be aware")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give the instant in UTC, whatever the connection's zone."""
        return None if value is None else value.astimezone(UTC)


def _no_hook(point: CommitPoint, when: Literal["before", "after"]) -> None:
    """Do nothing: the hook of production."""


class Database:
    """
    Hold the engine; hand out transactions that see only the links they name.

    The first that finds the tables asks whether policies bind the role at all.
    """

    def __init__(self, engine: AsyncEngine, *, hook: Hook = _no_hook) -> None:
        self.engine = engine
        self._hook = hook
        self._role_is_bound = False

    def passing(self, point: CommitPoint) -> None:
        """Say that a point between two commits is passed, for instance just before a POST."""
        self._hook(point, "before")
        self._hook(point, "after")

    @contextmanager
    def around(self, point: CommitPoint) -> Iterator[None]:
        """Name the commit of a call that commits by itself, outside ``transaction``."""
        self._hook(point, "before")
        yield
        self._hook(point, "after")

    @asynccontextmanager
    async def transaction(
        self, point: CommitPoint, *link_ids: LinkId
    ) -> AsyncIterator[AsyncSession]:
        """
        Open a transaction that reads and writes only these links' rows, and commit it at the end.

        Without links it sees only the unscoped tables. An exception rolls everything back.

        Raises:
            SettingsInvalid: The role is one that row-level security would not bind.

        """
        async with self.reading(*link_ids) as session:
            yield session
            self._hook(point, "before")
            await session.commit()
            self._hook(point, "after")

    @asynccontextmanager
    async def reading(self, *link_ids: LinkId) -> AsyncIterator[AsyncSession]:
        """Open a transaction for reading only these links' rows; it is rolled back at the end."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            await _bind(session, link_ids)
            if not self._role_is_bound:
                self._role_is_bound = await _binds_the_role(session)
            yield session

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


_Driver = psycopg.AsyncConnection[tuple[Any, ...]]

_BIND: Final = "SELECT set_config('app.link_ids', %(ids)s, true)"
_ACTIVE: Final = "SELECT row_security_active(to_regclass('public.links'))"
_UNBOUND: Final = "TC_DATABASE_URL: the role {fault}; use one that owns nothing"


async def _bind(session: AsyncSession, link_ids: Sequence[LinkId]) -> None:
    """Bind a transaction; through SQLAlchemy, which sees here that a connection is dead."""
    connection = await session.connection()
    ids = ",".join(str(link_id) for link_id in link_ids)
    await connection.exec_driver_sql(_BIND, {"ids": ids})


async def _binds_the_role(session: AsyncSession) -> bool:
    """Say whether policies bind the role; where there are no tables yet, that is not known."""
    connection = await session.connection()
    active = (await connection.exec_driver_sql(_ACTIVE)).scalar()
    if active is False:
        raise SettingsInvalid(_UNBOUND.format(fault="is not bound by row-level security"))
    return active is True


async def bind_more(session: AsyncSession, *link_ids: LinkId) -> None:
    """Bind an open transaction to these links instead, for a link made within it."""
    await _bind(session, link_ids)


async def run(
    session: AsyncSession, statement: LiteralString, parameters: Mapping[str, object]
) -> psycopg.AsyncCursor[tuple[Any, ...]]:
    """
    Run a statement in a session's transaction by the driver itself, prepared.

    For the few statements that each drain runs: what SQLAlchemy does around one costs more than
    the statement. Parameters are written ``%(name)s``.

    Raises:
        psycopg.Error: As the driver says it, not wrapped by SQLAlchemy.

    """
    return await _driver_of(session).execute(statement, parameters, prepare=True)


@asynccontextmanager
async def together(session: AsyncSession) -> AsyncIterator[None]:
    """
    Send what ``run`` is asked for in the block in one go; no row may be fetched before its end.

    Raises:
        psycopg.Error: At the end of the block, what any of the statements came to.

    """
    async with _driver_of(session).pipeline():
        yield


def _driver_of(session: AsyncSession) -> _Driver:
    pooled = session.sync_session.connection().connection
    return cast("_Driver", pooled.driver_connection)


def create_database(url: str, *, pool: int = 20, hook: Hook = _no_hook) -> Database:
    """
    Build the engine for a ``postgresql://`` URL; nothing is connected yet.

    After a restart of the server one call fails (503) and the pool renews itself.
    """
    engine = create_async_engine(
        sqlalchemy_url(url),
        pool_size=pool,
        max_overflow=0,
        pool_timeout=5,
        connect_args={"options": "-c timezone=UTC", "connect_timeout": 5},
    )
    return Database(engine, hook=hook)


def sqlalchemy_url(url: str) -> str:
    """Name the driver in a plain ``postgresql://`` URL."""
    scheme, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if scheme.startswith("postgres") else url


def libpq_url(url: str) -> str:
    """Give the URL as libpq reads it, without a driver's name."""
    _, _, rest = url.partition("://")
    return f"postgresql://{rest}"


async def is_migrated(database: Database) -> bool:
    """Say whether the service's tables are there; what an operator forgets most is `migrate`."""
    async with database.engine.connect() as connection:
        found = await connection.scalar(text("SELECT to_regclass('public.link_directory')"))
    return found is not None


async def role_fault(database: Database) -> str | None:
    """
    Say why the service role may not be used, or ``None``.

    An owner, superuser or BYPASSRLS role sees all rows, and every row-level test would pass for
    nothing.
    """
    async with database.engine.connect() as connection:
        row = (
            await connection.execute(
                text(
                    "SELECT r.rolsuper, r.rolbypassrls, EXISTS (SELECT 1 FROM pg_class c"
                    " JOIN pg_namespace n ON n.oid = c.relnamespace"
                    " WHERE n.nspname = 'public' AND c.relowner = r.oid)"
                    " FROM pg_roles r WHERE r.rolname = current_user"
                )
            )
        ).one()
    faults = ("is a superuser", "has BYPASSRLS", "owns tables")
    return next((fault for fault, is_so in zip(faults, row, strict=True) if is_so), None)


async def expect_bound_role(database: Database) -> None:
    """
    Go on only as a role that row-level security binds; before the tables are there no owner shows.

    Raises:
        SettingsInvalid: Saying why the role may not be used.

    """
    fault = await role_fault(database)
    if fault is not None:
        raise SettingsInvalid(_UNBOUND.format(fault=fault))

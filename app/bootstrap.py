"""Build the runtime: settings, engine, HTTP clients, systems by name.

With cli, the only file that knows both.
"""

import asyncio
import gc
from contextlib import suppress
from typing import Final

import httpx
import structlog
from prometheus_client import start_http_server
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.clock import Clock, system_clock
from app.database import Hook, create_database, expect_bound_role, is_migrated
from app.invoicing.needs import ask_people
from app.key_ring import parse_keyring
from app.queue import create_queue
from app.runtime import Runtime, Systems
from app.settings import Settings, SettingsInvalid
from app.systems.conta.client import ContaSystem
from app.systems.enhetsregisteret.client import Enhetsregisteret
from app.systems.pace import Role, share
from app.systems.timerabbit.client import TimerabbitSystem
from app.telemetry import configure_logging, create_metrics
from app.vault import Vault

COLLECT_AFTER: Final = (10_000, 20, 10)
"""After how many new objects the collector looks, and how many looks until it looks further back.
With Python's own figures it takes a twelfth of a process's time, and stops everything for 130 ms
now and then (measured 2026-11)."""

AWAY_SECONDS: Final = 2
"""Between looks for a database that is away, or without its tables, when a worker starts."""


def build_runtime(
    settings: Settings,
    *,
    clock: Clock = system_clock,
    hook: Hook | None = None,
    role: Role | None = None,
    conta_transport: httpx.AsyncBaseTransport | None = None,
    timerabbit_transport: httpx.AsyncBaseTransport | None = None,
    register_transport: httpx.AsyncBaseTransport | None = None,
) -> Runtime:
    """
    Build what a process needs; nothing is connected yet.

    Args:
        hook: Called around each commit point; the stories die there.
        role: Says the process's share of each pace; without it, it has the whole pace to itself.
        conta_transport: Stands in for the network towards Conta, for tests.
        timerabbit_transport: The same towards Timerabbit.
        register_transport: The same towards Enhetsregisteret, where one is named.

    """
    url = settings.database_url
    if url is None:
        raise ValueError("database_url must be set before the runtime is built")
    metrics = create_metrics()
    extra = {} if hook is None else {"hook": hook}
    of_pace = 1.0 if role is None else share(role, settings)
    return Runtime(
        settings=settings,
        database=create_database(url, pool=settings.database_pool, **extra),
        queue=create_queue(url),
        systems=Systems(
            time=TimerabbitSystem.from_settings(
                settings,
                observe=metrics.observe_call,
                clock=clock,
                transport=timerabbit_transport,
                share=of_pace,
            ),
            books=ContaSystem.from_settings(
                settings,
                observe=metrics.observe_call,
                clock=clock,
                transport=conta_transport,
                share=of_pace,
            ),
            register=Enhetsregisteret.from_settings(
                settings, observe=metrics.observe_call, clock=clock, transport=register_transport
            )
            if settings.enhetsregisteret_url
            else None,
        ),
        vault=Vault(parse_keyring(settings.keyring.get_secret_value())),
        clock=clock,
        metrics=metrics,
        ask_people=ask_people,
    )


def checked_runtime(
    settings: Settings, hook: Hook | None = None, *, role: Role = Role.SERVE
) -> Runtime:
    """
    Build a process's runtime; call it before the process's own event loop runs.

    A database that is away now is not judged: readiness and the worker do so when it answers.

    Args:
        role: Says the process's share of each pace; an operator's command is a person's call.

    Raises:
        SettingsInvalid: The database role is one that row-level security would not bind.

    """
    configure_logging(settings.log_level)
    runtime = build_runtime(settings, hook=hook, role=role)
    asyncio.run(_look_once(runtime))
    return runtime


async def _look_once(runtime: Runtime) -> None:
    try:
        await _is_ready(runtime)
    finally:
        await runtime.database.engine.dispose()


async def database_answers(runtime: Runtime, stop: asyncio.Event) -> bool:
    """
    Wait until the database answers and has its tables; say whether that was before ``stop``.

    Raises:
        SettingsInvalid: The database role is one that row-level security would not bind.

    """
    while not stop.is_set():
        if await _is_ready(runtime):
            return True
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), AWAY_SECONDS)
    return False


async def _is_ready(runtime: Runtime) -> bool:
    log = structlog.get_logger()
    try:
        migrated = await is_migrated(runtime.database)
        if not migrated:
            log.warning("database not migrated", reason="run: timerabbit-conta migrate")
        await expect_bound_role(runtime.database)
    except (DBAPIError, PoolTimeout) as err:
        log.warning("database away", reason="TC_DATABASE_URL", error=type(err).__name__)
        return False
    return migrated


def show_metrics(runtime: Runtime) -> None:
    """
    Show a worker's counters at the address its settings name, from a thread; a service has a page.

    Raises:
        SettingsInvalid: The address is not this machine's, or is taken.

    """
    host, port = runtime.settings.worker_metrics_host, runtime.settings.worker_metrics_port
    if port is None:
        return
    try:
        start_http_server(port, addr=host, registry=runtime.metrics.registry)
    except OSError as err:
        why = f"cannot listen on {host}:{port}: {err.strerror or err}"
        raise SettingsInvalid(f"TC_WORKER_METRICS_PORT: {why}") from err


def leave_to_stay() -> None:
    """Leave all that was built so far out of the collector's looks; it stays until the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)

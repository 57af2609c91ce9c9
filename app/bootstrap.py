"""Build the runtime: settings, engine, HTTP clients, systems by name.

With cli, the only file that knows both.
"""

import httpx

from app.clock import Clock, system_clock
from app.database import Hook, create_database
from app.key_ring import parse_keyring
from app.queue import create_queue
from app.runtime import Runtime, Systems
from app.settings import Settings
from app.systems.conta.client import ContaSystem
from app.systems.enhetsregisteret.client import Enhetsregisteret
from app.systems.timerabbit.client import TimerabbitSystem
from app.telemetry import create_metrics
from app.vault import Vault


def build_runtime(
    settings: Settings,
    *,
    clock: Clock = system_clock,
    hook: Hook | None = None,
    conta_transport: httpx.AsyncBaseTransport | None = None,
    timerabbit_transport: httpx.AsyncBaseTransport | None = None,
    register_transport: httpx.AsyncBaseTransport | None = None,
) -> Runtime:
    """
    Build what a process needs; nothing is connected yet.

    Args:
        hook: Called around each commit point; the stories die there.
        conta_transport: Stands in for the network towards Conta, for tests.
        timerabbit_transport: The same towards Timerabbit.
        register_transport: The same towards Enhetsregisteret, where one is named.

    """
    url = settings.database_url
    if url is None:
        raise ValueError("database_url must be set before the runtime is built")
    metrics = create_metrics()
    extra = {} if hook is None else {"hook": hook}
    return Runtime(
        settings=settings,
        database=create_database(url, pool=settings.database_pool, **extra),
        queue=create_queue(url),
        systems=Systems(
            time=TimerabbitSystem.from_settings(
                settings, observe=metrics.observe_call, clock=clock, transport=timerabbit_transport
            ),
            books=ContaSystem.from_settings(
                settings, observe=metrics.observe_call, clock=clock, transport=conta_transport
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
    )

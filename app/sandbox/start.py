"""Run the twins from the command line, together or alone."""

import contextlib
import sys
from datetime import UTC, datetime

from starlette.types import ASGIApp

from app.sandbox.conta import create_twin as create_conta
from app.sandbox.enhetsregisteret import create_twin as create_register
from app.sandbox.seeds import SeedWorld, demo, size
from app.sandbox.server import LiveTwin, run
from app.sandbox.timerabbit import create_twin as create_timerabbit

REGISTER_PORT = 8083
PAGELESS = frozenset({"enhetsregisteret"})
"""The twins on which nobody plays a person."""


def start(
    *,
    only: str | None,
    host: str,
    conta_port: int,
    timerabbit_port: int,
    register_port: int | None,
    seed: str,
) -> int:
    """
    Serve the twins until told to stop and give the exit code.

    Args:
        only: ``conta``, ``timerabbit`` or ``enhetsregisteret`` for one alone.
        register_port: Port of the business register's twin; without it, it is served only alone.
        seed: ``demo``, ``empty``, or a number of customers a side.

    """
    twins = _twins(
        _world(seed),
        conta_url=f"http://{host}:{conta_port}",
        timerabbit_url=f"http://{host}:{timerabbit_port}",
    )
    ports = {
        "conta": conta_port,
        "timerabbit": timerabbit_port,
        "enhetsregisteret": register_port or REGISTER_PORT,
    }
    wanted = ["conta", "timerabbit", *(["enhetsregisteret"] if register_port else [])]
    first, *others = [only] if only else wanted
    try:
        with contextlib.ExitStack() as stack:
            urls = {}
            for name in others:
                live = stack.enter_context(LiveTwin(twins[name], host=host, port=ports[name]))
                urls[name] = live.url
            run(
                twins[first], host=host, port=ports[first],
                ready=lambda port: _tell(urls | {first: f"http://{host}:{port}"}),
            )  # fmt: skip
    except OSError as err:
        where = err.filename or host
        sys.stderr.write(f"timerabbit-conta: cannot listen on {where}: {err.strerror or err}\n")
        return 2
    return 0


def _tell(urls: dict[str, str]) -> None:
    """
    Say where each twin answers: its API, a page to play a person on, and its control calls.

    All at once when the last one has its port: an address told before could be gone again.
    """
    for name, url in urls.items():
        page = "" if name in PAGELESS else f"  ·  page {url}/"
        sys.stdout.write(f"{name} (twin) at {url}{page}  ·  control {url}/_control/state\n")
    sys.stdout.flush()


def _world(seed: str) -> SeedWorld:
    today = datetime.now(UTC).date()
    if seed == "demo":
        return demo(today)
    return size(0 if seed == "empty" else int(seed), seed=1, today=today)


def _twins(world: SeedWorld, *, conta_url: str, timerabbit_url: str) -> dict[str, ASGIApp]:
    return {
        "conta": create_conta(base_url=conta_url, seed=world),
        "timerabbit": create_timerabbit(base_url=timerabbit_url, seed=world),
        "enhetsregisteret": create_register(seed=world),
    }

"""What a process builds at its start: its share of each pace, and nothing for the collector."""

import base64
import gc
from typing import Any

import pytest

from app.bootstrap import COLLECT_AFTER, build_runtime, leave_to_stay
from app.settings import Settings
from app.systems.pace import Role

KEYRING = "a:" + base64.b64encode(b"k" * 32).decode()


def test_what_was_built_is_no_work_for_the_collector() -> None:
    before = gc.get_threshold()
    try:
        leave_to_stay()
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold() == COLLECT_AFTER
        assert gc.isenabled()
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


@pytest.mark.parametrize(("serving", "working"), [(1, 1), (1, 4), (3, 2)])
async def test_all_processes_together_keep_to_a_links_pace(
    database_url: str, serving: int, working: int
) -> None:
    """A quarter is kept for what people wait for; the workers share the rest, never more."""
    settings = Settings.model_validate(
        {
            "database_url": database_url, "keyring": KEYRING, "serve_processes": serving,
            "worker_processes": working,
            "conta_calls_per_second": 10.0, "timerabbit_calls_per_second": 20.0,
        }
    )  # fmt: skip
    paces = {role: await _paces(settings, role) for role in Role}

    for side, allowed in enumerate((10.0, 20.0)):
        for_people = serving * paces[Role.SERVE][side]
        for_jobs = working * paces[Role.WORKER][side]
        assert for_people == pytest.approx(allowed / 4)
        assert for_people + for_jobs == pytest.approx(allowed)


async def _paces(settings: Settings, role: Role) -> tuple[float, float]:
    """Calls a second towards Conta and Timerabbit that a process of a role allows itself."""
    runtime = build_runtime(settings, role=role)
    books: Any = runtime.systems.books
    time: Any = runtime.systems.time
    await runtime.close()
    options = books._transport.options, time._transport.options
    return options[0].calls_per_second, options[1].calls_per_second

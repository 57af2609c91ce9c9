"""
Spare the database's driver what it does for a server with many callers.

Not one statement is another, and where two act at once they wait on the loop and take turns there
as in the service; only who acts alone waits without it.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
import pytest
from psycopg import waiting
from psycopg._preparing import PrepareManager

STATEMENTS: Final = 1_000
"""More than the service has; each is planned once for all worlds, not anew after each rollback."""


class Waiting:
    """Wait for the database at once while one acts alone, else on the loop."""

    def __init__(self) -> None:
        self._on_the_loop = waiting.wait_async
        self._together = 0

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let all who act in the block wait on the loop, so that they take turns."""
        self._together += 1
        try:
            yield
        finally:
            self._together -= 1

    async def wait(self, gen: Any, fileno: int, **how: Any) -> Any:
        """Consume a generator of the driver's."""
        if self._together:
            return await self._on_the_loop(gen, fileno, **how)
        return waiting.wait(gen, fileno, **how)


WAITING: Final = Waiting()


def spare(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Let the driver wait as ``WAITING`` does and keep what the server has planned.

    And let each call in process not look anew for an event loop that is not installed.
    """
    monkeypatch.setattr(psycopg.waiting, "wait_async", WAITING.wait)
    monkeypatch.setattr("httpx._transports.asgi.create_event", asyncio.Event)
    monkeypatch.setattr(PrepareManager, "prepared_max", STATEMENTS)
    monkeypatch.setattr(PrepareManager, "clear", lambda _: False)

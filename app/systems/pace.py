"""Hold calls back to an agreed pace: a token bucket for each link, in this process only."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Final

from app.settings import Settings
from app.systems.ports import RateLimited

Monotonic = Callable[[], float]
Sleep = Callable[[float], Awaitable[object]]

_IDLE_CHECK_AT = 4_096

KEPT_FOR_PEOPLE: Final = 0.25
"""Share of a link's pace that jobs leave alone, so that no sweep makes a person wait."""


class Role(StrEnum):
    """Name what a process does: serve people's calls, or work through jobs."""

    SERVE = "serve"
    WORKER = "worker"


def share(role: Role, settings: Settings) -> float:
    """Give the part of each pace that one process of a role may use; all together use 1."""
    if role is Role.SERVE:
        return KEPT_FOR_PEOPLE / settings.serve_processes
    return (1 - KEPT_FOR_PEOPLE) / settings.worker_processes


class Pace:
    """
    Be one bucket: ``burst`` calls at once, then ``rate_per_second``; first come, first served.

    Keeps only the instant at which the bucket would be full again, so waiting costs one sleep and
    no lock.
    """

    def __init__(
        self,
        rate_per_second: float,
        burst: int,
        *,
        clock: Monotonic = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._interval = 1.0 / rate_per_second
        self._slack = self._interval * (burst - 1)
        self._clock = clock
        self._sleep = sleep
        self._full_at = float("-inf")

    @property
    def idle(self) -> bool:
        """Say whether the bucket is full, so that a new one would behave the same."""
        return self._full_at <= self._clock()

    async def take(self, *, longest_seconds: float) -> None:
        """
        Wait for this call's turn.

        Raises:
            RateLimited: The turn is further away than ``longest_seconds``; no turn was taken.

        """
        now = self._clock()
        turn = max(now, self._full_at - self._slack)
        if turn - now > longest_seconds:
            raise RateLimited("our own pace for this link", retry_after=turn - now, sent=False)
        self._full_at = max(self._full_at, turn) + self._interval
        if turn > now:
            await self._sleep(turn - now)

    def pause(self, seconds: float) -> None:
        """Let nobody through for so many seconds (a 429), and without a burst afterwards."""
        self._full_at = max(self._full_at, self._clock() + seconds + self._slack)


class Paces:
    """Hold a bucket for each key (a link), made at first use and forgotten when idle."""

    def __init__(
        self,
        rate_per_second: float,
        burst: int,
        *,
        clock: Monotonic = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._rate_per_second = rate_per_second
        self._burst = burst
        self._clock = clock
        self._sleep = sleep
        self._pace_by_key: dict[str, Pace] = {}

    def of(self, key: str) -> Pace:
        """Give the bucket of a key."""
        pace = self._pace_by_key.get(key)
        if pace is None:
            if len(self._pace_by_key) >= _IDLE_CHECK_AT:
                self._pace_by_key = {k: p for k, p in self._pace_by_key.items() if not p.idle}
            pace = Pace(self._rate_per_second, self._burst, clock=self._clock, sleep=self._sleep)
            self._pace_by_key[key] = pace
        return pace

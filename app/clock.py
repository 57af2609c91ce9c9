"""Tell the time: the one place that asks the machine, handed in everywhere else."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present instant, aware and in UTC."""


def system_clock() -> datetime:
    """Give the machine's present instant, aware UTC."""
    return datetime.now(UTC)

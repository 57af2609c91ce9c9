"""Decide when a link is swept next; pure."""

from datetime import datetime, timedelta
from typing import Final

ACTIVE_FOR: Final = timedelta(hours=2)
"""A link counts as in daily use for so long after something moved in it."""

SPREAD: Final = 0.2


def next_sweep(
    *, now: datetime, active_at: datetime | None, active: timedelta, idle: timedelta, jitter: float
) -> datetime:
    """
    Say when a link is swept next: soon while a person works in it, seldom when nothing moves.

    Args:
        active_at: When something last moved; ``None`` when nothing ever did.
        active: Time between sweeps of a link in use; ``idle`` of one at rest.
        jitter: Drawn by the caller, from 0 to 1; spreads links by up to a fifth of the wait.

    """
    in_use = active_at is not None and now - active_at <= ACTIVE_FOR
    wait = active if in_use else idle
    return now + wait * (1 - SPREAD + SPREAD * jitter)

"""Decide when a link is swept next, and which records a sweep reads whole; pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Final, Protocol, TypeVar

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


READ_EVERY: Final = timedelta(hours=24)
"""Within this time every record of a side whose lists are thin is read whole once."""

FEW_HITS: Final = 50
"""So many hits of a list of changes are read whole at each sweep."""

CROWD_EVERY: Final = timedelta(hours=1)
"""Where a list of changes has more hits, each is read whole again after this time."""


class Unread(Protocol):
    """Be a record of which is known when it was last read whole."""

    @property
    def read_at(self) -> datetime | None:
        """Say when it was read whole; ``None`` if never."""
        ...

    @property
    def first_seen_at(self) -> datetime:
        """Say when a list first named it."""
        ...


Known = TypeVar("Known", bound=Unread)


def due_for_reading(
    known: Sequence[Known], *, now: datetime, narrowed: bool, passed: timedelta, idle: timedelta
) -> Sequence[Known]:
    """
    Choose the thin rows that a sweep reads whole, the longest unread first.

    A list of changes says which records may have changed lately: few are all read, of many those
    that were not within the hour. A whole list says nothing of the kind, so its records are read by
    turns, a share of a day for the time that passed, and every one before it is a day unread.

    Args:
        narrowed: The list names what changed lately only.
        passed: Time since the sweep before.
        idle: Longest time until the next sweep.

    """

    def unread_for(row: Known) -> timedelta:
        return now - (row.read_at or row.first_seen_at)

    oldest = sorted(known, key=unread_for, reverse=True)
    if narrowed:
        few = len(oldest) <= FEW_HITS
        return oldest if few else [row for row in oldest if unread_for(row) >= CROWD_EVERY]
    overdue = sum(unread_for(row) + idle > READ_EVERY for row in oldest)
    share = ceil(len(oldest) * (passed / READ_EVERY))
    return oldest[: max(overdue, share)]

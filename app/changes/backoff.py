"""Decide when a failed look at a record happens again, and when a person must look; pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

FIRST_WAIT: Final = timedelta(seconds=10)
LONGEST_WAIT: Final = timedelta(hours=1)
LONGEST_SHARED_WAIT: Final = timedelta(minutes=5)
MOST_ATTEMPTS: Final = 8
MOST_SHARED_ATTEMPTS: Final = 60
_SPREAD: Final = 0.5
_MOST_DOUBLINGS: Final = 20


@dataclass(frozen=True, slots=True)
class Failure:
    """
    Say why a look at a record failed.

    Args:
        code: The stable code that stands in the inbox.
        permanent: Trying the same again cannot help; a person must do something.
        shared: The other system failed for everyone, so that the record is not to blame.
        retry_after: Seconds the other system asks to wait, where it says so.

    """

    code: str
    permanent: bool = False
    shared: bool = False
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Say when the change is due again."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Park:
    """Say that the change waits for a person from now on."""

    code: str


def next_attempt(
    failure: Failure, *, attempts: int, now: datetime, jitter: float
) -> RetryAt | Park:
    """
    Say when a failed look happens again.

    Waits double from 10 seconds to at most 1 hour, and by up to half more by ``jitter``. A
    ``Retry-After`` of the other system is a lower bound, also above the hour. After 8 attempts
    the change is parked. Where the whole system is away the waits end at 5 minutes, so that
    everything is in step soon after its return, and parking comes after 60 attempts (five hours).

    Args:
        attempts: How often the change was looked at, this failure included; from 1.
        jitter: Drawn by the caller, from 0 to 1.

    """
    most = MOST_SHARED_ATTEMPTS if failure.shared else MOST_ATTEMPTS
    if failure.permanent or attempts >= most:
        return Park(failure.code)
    longest = LONGEST_SHARED_WAIT if failure.shared else LONGEST_WAIT
    doubled = FIRST_WAIT * 2 ** min(attempts - 1, _MOST_DOUBLINGS)
    spread = 1 + _SPREAD * jitter
    wait = min(doubled * spread, longest)
    asked = timedelta(seconds=(failure.retry_after or 0.0) * spread)
    return RetryAt(now + max(wait, asked))

"""Decide which failed read is tried again, and when; writes are never tried again here."""

from collections.abc import Awaitable, Callable

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_any,
    wait_random_exponential,
)
from tenacity.stop import stop_base

from app.systems.calls import Answer, Call
from app.systems.ports import RateLimited, Unreachable

MOST_TRIES = 3
# Waiting longer than this would hold a worker's place; the change is put off instead.
LONGEST_WAIT_SECONDS = 3.0


class Distrusted(Unreachable):
    """
    Say that the other end is not what it should be: a redirect, or an answer above the size cap.

    Not tried again by itself; an operator should look at the address of the system.
    """


class BreakerOpen(Unreachable):
    """Say that too many calls failed lately, so none was made; ``retry_after`` says when again."""


class TimeLeft:
    """Hold the seconds a read has left over all its tries; waiting between them is not counted."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


async def again_after(
    first: RateLimited | Unreachable,
    attempt: Callable[[Call, TimeLeft], Awaitable[Answer]],
    call: Call,
    left: TimeLeft,
) -> Answer:
    """
    Try a read again after its first failure, if that is worth it: at most three tries in all.

    Waits are short and spread, never shorter than a ``Retry-After``; a longer one is not waited
    for. Comes in only after a failure, since the machinery costs a tenth of a call.

    Raises:
        SystemFault: The last failure.

    """
    failures: list[RateLimited | Unreachable] = [first]

    async def next_attempt(call: Call, left: TimeLeft) -> Answer:
        if failures:
            raise failures.pop()
        return await attempt(call, left)

    retrying = AsyncRetrying(
        stop=stop_any(stop_after_attempt(MOST_TRIES), _OutOfTime()),
        retry=retry_if_exception(_worth_another_try),
        wait=_wait_before_next_try,
        reraise=True,
    )
    return await retrying(next_attempt, call, left)


def _worth_another_try(error: BaseException) -> bool:
    if isinstance(error, Distrusted | BreakerOpen):
        return False
    if isinstance(error, RateLimited | Unreachable):
        return (error.retry_after or 0.0) <= LONGEST_WAIT_SECONDS
    return False


class _OutOfTime(stop_base):
    def __call__(self, retry_state: RetryCallState) -> bool:
        left: TimeLeft = retry_state.args[1]
        return left.seconds <= 0


_spread = wait_random_exponential(multiplier=0.1, max=1.0)


def _wait_before_next_try(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    asked: float = getattr(error, "retry_after", None) or 0.0
    return max(asked, _spread(state))

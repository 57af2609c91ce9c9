"""Laws of trying again."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.changes.backoff import Failure, Park, RetryAt, next_attempt

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
jitters = st.floats(0, 1)
few = st.integers(1, 6)


def _wait(failure: Failure, attempts: int, jitter: float = 0.0) -> timedelta:
    decision = next_attempt(failure, attempts=attempts, now=NOW, jitter=jitter)
    assert isinstance(decision, RetryAt)
    return decision.at - NOW


@given(attempts=few, one=jitters, other=jitters, shared=st.booleans())
def test_waits_never_shrink(attempts: int, one: float, other: float, shared: bool) -> None:
    """Each further failure waits at least as long, whatever the jitter drew."""
    failure = Failure("x", shared=shared)

    assert _wait(failure, attempts, one) <= _wait(failure, attempts + 1, other)


@given(attempts=st.integers(1, 59), jitter=jitters)
def test_waits_are_capped(attempts: int, jitter: float) -> None:
    """Nothing waits above an hour on its own account, nor above five minutes for a dead system."""
    shared = _wait(Failure("x", shared=True), attempts, jitter)
    own = _wait(Failure("x"), min(attempts, 7), jitter)

    assert timedelta(seconds=10) <= shared <= timedelta(minutes=5)
    assert timedelta(seconds=10) <= own <= timedelta(hours=1)


@given(attempts=few, jitter=jitters, asked=st.floats(0, 86_400))
def test_never_earlier_than_retry_after(attempts: int, jitter: float, asked: float) -> None:
    """What the other system asks for is a lower bound, also above the hour."""
    wait = _wait(Failure("x", retry_after=asked), attempts, jitter)

    assert wait >= timedelta(seconds=asked)


@given(attempts=st.integers(8, 1000), jitter=jitters)
def test_the_eighth_failure_parks(attempts: int, jitter: float) -> None:
    """A record that keeps failing goes to a person; nothing is dropped."""
    assert next_attempt(Failure("x"), attempts=attempts, now=NOW, jitter=jitter) == Park("x")


def test_a_permanent_failure_parks_at_once() -> None:
    """What cannot help by repeating is not repeated."""
    refused = Failure("other-system-refused", permanent=True)

    assert next_attempt(refused, attempts=1, now=NOW, jitter=0) == Park("other-system-refused")


def test_a_system_that_is_away_for_hours_parks_nothing_early() -> None:
    """The record is not to blame: parking comes after 60 looks, five minutes apart."""
    away = Failure("system-unreachable", shared=True)

    assert isinstance(next_attempt(away, attempts=59, now=NOW, jitter=1), RetryAt)
    assert next_attempt(away, attempts=60, now=NOW, jitter=1) == Park("system-unreachable")

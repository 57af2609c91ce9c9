"""Laws of when a link is swept next."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.sync.cadence import ACTIVE_FOR, next_sweep

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
ACTIVE, IDLE = timedelta(minutes=15), timedelta(hours=4)
jitters = st.floats(0, 1)
rests = st.one_of(st.none(), st.timedeltas(timedelta(0), timedelta(days=30)))


def _wait(rest: timedelta | None, jitter: float) -> timedelta:
    active_at = None if rest is None else NOW - rest
    at = next_sweep(now=NOW, active_at=active_at, active=ACTIVE, idle=IDLE, jitter=jitter)
    return at - NOW


@given(rest=rests, jitter=jitters)
def test_a_sweep_comes_within_its_period_and_never_at_once(
    rest: timedelta | None, jitter: float
) -> None:
    """The promise is one period; jitter only makes it earlier, by a fifth at most."""
    in_use = rest is not None and rest <= ACTIVE_FOR
    period = ACTIVE if in_use else IDLE

    assert period * 0.8 <= _wait(rest, jitter) <= period


@given(one=jitters, other=jitters)
def test_a_link_in_use_is_swept_before_one_at_rest(one: float, other: float) -> None:
    """Where a person works, changes show within minutes."""
    assert _wait(timedelta(0), one) < _wait(None, other)


@given(jitter=jitters)
def test_jitter_spreads_links(jitter: float) -> None:
    """Links that began together do not stay together."""
    assert _wait(None, jitter) == IDLE * (0.8 + 0.2 * jitter)

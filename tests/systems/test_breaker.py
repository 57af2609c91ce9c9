"""The breaker opens at half of ten failures in a minute, waits, and lets one probe see."""

from hypothesis import given
from hypothesis import strategies as st

from app.systems.breaker import (
    LEAST_CALLS,
    OPEN_SECONDS,
    WINDOW_SECONDS,
    Breaker,
    Breakers,
    BreakerState,
)


def failing(calls: int, *, at: float = 1000.0) -> Breaker:
    breaker = Breaker()
    for _ in range(calls):
        assert breaker.admit(at) == 0
        breaker.record(at, answered=False)
    return breaker


def test_fewer_than_ten_calls_never_open_it() -> None:
    """Nine failures in a row are too few to judge by."""
    breaker = failing(LEAST_CALLS - 1)

    assert breaker.admit(1000.0) == 0


def test_ten_failures_open_it_for_half_a_minute() -> None:
    """While open, the time left is said and nothing is let through."""
    breaker = failing(LEAST_CALLS)

    assert breaker.admit(1000.0) == OPEN_SECONDS
    assert breaker.admit(1000.0 + OPEN_SECONDS - 1) == 1
    assert breaker.state is BreakerState.OPEN


def test_less_than_half_failing_keeps_it_closed() -> None:
    """Four failures in ten are a bad minute, not an outage; the fifth opens."""
    breaker = Breaker()
    for answered in [True] * 6 + [False] * 4:
        breaker.record(1000.0, answered=answered)

    assert breaker.admit(1000.0) == 0

    for _ in range(2):
        breaker.record(1000.0, answered=False)
    assert breaker.admit(1000.0) == OPEN_SECONDS


def test_failures_older_than_a_minute_are_forgotten() -> None:
    """Nine old failures and one new one are one failure."""
    breaker = failing(LEAST_CALLS - 1)

    breaker.record(1000.0 + WINDOW_SECONDS + 1, answered=False)

    assert breaker.admit(1000.0 + WINDOW_SECONDS + 1) == 0


def test_one_probe_goes_through_and_an_answer_closes_it() -> None:
    """After the wait exactly one call may see whether the system is back."""
    breaker = failing(LEAST_CALLS)
    later = 1000.0 + OPEN_SECONDS

    assert breaker.admit(later) == 0
    assert breaker.admit(later) > 0
    breaker.record(later, answered=True)

    assert breaker.admit(later) == 0
    assert breaker.idle


def test_a_failed_probe_opens_it_again() -> None:
    """A system that is still down is left alone for another half minute."""
    breaker = failing(LEAST_CALLS)
    later = 1000.0 + OPEN_SECONDS

    breaker.admit(later)
    breaker.record(later + 1, answered=False)

    assert breaker.admit(later + 1) == OPEN_SECONDS


def test_a_probe_that_was_given_up_may_be_tried_by_the_next() -> None:
    """A cancelled probe must not shut the system out for ever."""
    breaker = failing(LEAST_CALLS)
    later = 1000.0 + OPEN_SECONDS

    breaker.admit(later)
    breaker.withdraw(later)

    assert breaker.admit(later) == 0


def test_giving_up_an_ordinary_call_changes_nothing() -> None:
    """Only a probe is given back."""
    breaker = Breaker()

    breaker.withdraw(1000.0)

    assert breaker.admit(1000.0) == 0


@given(
    outcomes=st.lists(
        st.tuples(st.floats(0, 30, allow_nan=False), st.booleans()), min_size=1, max_size=80
    )
)
def test_it_is_never_shut_for_longer_than_its_wait(outcomes: list[tuple[float, bool]]) -> None:
    """Whatever happened, half a minute after the last outcome a call goes through."""
    breaker = Breaker()
    now = 0.0
    for step, answered in outcomes:
        now += step
        if breaker.admit(now) == 0:
            breaker.record(now, answered=answered)

    assert breaker.admit(now + OPEN_SECONDS) == 0


def test_a_failing_link_does_not_shut_out_the_others() -> None:
    """The link's breaker opens while the system as a whole still answers."""
    breakers = Breakers(lambda: 1000.0)
    for _ in range(LEAST_CALLS + 1):
        breakers.record("good", answered=True)
    for _ in range(LEAST_CALLS):
        breakers.record("bad", answered=False)

    assert breakers.admit("bad") == OPEN_SECONDS
    assert breakers.admit("good") == 0


def test_a_failing_system_shuts_out_every_link() -> None:
    """When half of all calls fail, no link needs to find out by itself; one probe does."""
    now = 1000.0
    breakers = Breakers(lambda: now)
    for number in range(LEAST_CALLS):
        breakers.record(f"link-{number}", answered=False)

    assert breakers.admit("another") == OPEN_SECONDS

    now += OPEN_SECONDS
    assert breakers.admit("another") == 0
    assert breakers.admit("a third") > 0
    breakers.withdraw("another")
    assert breakers.admit("a third") == 0


def test_the_probe_of_the_system_is_not_lost_to_a_link_that_is_shut() -> None:
    """A link whose own breaker is open gives the system's probe back."""
    now = 1000.0
    breakers = Breakers(lambda: now)
    for _ in range(LEAST_CALLS):
        breakers.record("down", answered=False)
    now += 1
    for _ in range(LEAST_CALLS):
        breakers.record("late", answered=False)
    now += OPEN_SECONDS - 1

    waits = [breakers.admit("late"), breakers.admit("down")]

    assert waits == [1, 0]


def test_breakers_of_links_that_are_well_are_forgotten() -> None:
    """Ten thousand links leave no ten thousand breakers behind."""
    breakers = Breakers(lambda: 1000.0)
    for number in range(5_000):
        breakers.record(f"link-{number}", answered=True)

    assert len(breakers._breaker_by_key) < 4_097

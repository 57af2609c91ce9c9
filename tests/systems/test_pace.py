"""The pace: a burst at once, then evenly, first come first served, and silence after a 429."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.systems.pace import Pace, Paces
from app.systems.ports import RateLimited


class Time:
    """Be a clock whose sleeps take no time."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def pace(time: Time, *, rate: float = 10.0, burst: int = 3) -> Pace:
    return Pace(rate, burst, clock=time, sleep=time.sleep)


async def test_a_burst_goes_at_once_and_the_rest_evenly() -> None:
    """Three at once, then one each tenth of a second."""
    time = Time()
    bucket = pace(time)

    for _ in range(6):
        await bucket.take(longest_seconds=10)

    assert time.slept == pytest.approx([0.1, 0.1, 0.1])


async def test_a_rest_fills_the_bucket_to_the_burst_and_no_further() -> None:
    """An hour of silence does not save up calls."""
    time = Time()
    bucket = pace(time)
    for _ in range(3):
        await bucket.take(longest_seconds=10)
    time.now += 3600

    assert bucket.idle
    for _ in range(4):
        await bucket.take(longest_seconds=10)

    assert time.slept == pytest.approx([0.1])


async def test_after_a_pause_the_calls_come_evenly() -> None:
    """A system that asked for patience is not met with a burst afterwards."""
    time = Time()
    bucket = pace(time)
    bucket.pause(5)

    await bucket.take(longest_seconds=10)
    await bucket.take(longest_seconds=10)

    assert time.slept == pytest.approx([5, 0.1])


async def test_a_turn_too_far_away_is_said_and_not_taken() -> None:
    """A long wait goes back to the caller, who puts the work off."""
    time = Time()
    bucket = pace(time)
    bucket.pause(60)

    for _ in range(3):
        with pytest.raises(RateLimited) as caught:
            await bucket.take(longest_seconds=10)
        assert caught.value.retry_after == pytest.approx(60)


@given(
    rate=st.floats(0.5, 200),
    burst=st.integers(1, 20),
    gaps=st.lists(st.floats(0, 2), min_size=1, max_size=60),
)
async def test_no_stretch_of_time_sees_more_than_its_share(
    rate: float, burst: int, gaps: list[float]
) -> None:
    """In any stretch of time at most the burst and the pace's share go out."""
    time = Time()
    bucket = Pace(rate, burst, clock=time, sleep=time.sleep)
    went: list[float] = []
    for gap in gaps:
        time.now += gap
        await bucket.take(longest_seconds=float("inf"))
        went.append(time.now)

    for first in range(len(went)):
        for last in range(first, len(went)):
            share = burst + rate * (went[last] - went[first])
            assert last - first + 1 <= share + 1e-6


def test_each_link_has_its_own_bucket_and_idle_ones_are_forgotten() -> None:
    """A link keeps its bucket while in use; thousands of idle ones leave nothing behind."""
    time = Time()
    paces = Paces(10.0, 3, clock=time, sleep=time.sleep)

    assert paces.of("a") is paces.of("a")
    assert paces.of("a") is not paces.of("b")

    paces.of("busy").pause(60)
    kept = paces.of("busy")
    for number in range(5_000):
        paces.of(f"link-{number}")

    assert len(paces._pace_by_key) < 4_097
    assert paces.of("busy") is kept

"""Laws of when a link is swept next."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from app.sync.cadence import ACTIVE_FOR, READ_EVERY, due_for_reading, next_sweep

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


@dataclass
class Row:
    number: int
    first_seen_at: datetime
    read_at: datetime | None


def _read(rows: list[Row], at: datetime, passed: timedelta, *, narrowed: bool = False) -> int:
    due = due_for_reading(rows, now=at, narrowed=narrowed, passed=passed, idle=IDLE)
    for row in due:
        row.read_at = at
    return len(due)


@settings(max_examples=30, deadline=None)
@given(
    count=st.integers(0, 400),
    steps=st.lists(st.timedeltas(timedelta(minutes=12), IDLE), min_size=40, max_size=60),
)
def test_without_the_filter_no_record_is_unread_for_more_than_a_day(
    count: int, steps: list[timedelta]
) -> None:
    """However many there are and however the sweeps fall, within their longest period."""
    rows = [Row(number, NOW, NOW) for number in range(count)]
    at = NOW
    for step in steps:
        at += step
        _read(rows, at, step)
        assert all(at - (row.read_at or NOW) < READ_EVERY for row in rows)


def test_reading_by_turns_is_spread_over_the_day() -> None:
    """Five thousand records are some hundreds a sweep, never all at once after the first day."""
    rows = [Row(number, NOW, NOW) for number in range(5000)]
    reads = [_read(rows, NOW + IDLE * turn, IDLE) for turn in range(1, 25)]

    assert max(reads) <= 5000 // 6 + 1
    assert sum(reads[6:12]) <= 5000 + 6


def test_a_few_hits_are_read_each_time_and_many_once_an_hour() -> None:
    """A list of changes names whom to read; a crowd is read whole, but not at every sweep."""
    few = [Row(number, NOW, NOW) for number in range(50)]
    crowd = [Row(number, NOW, NOW) for number in range(51)]
    quarter = timedelta(minutes=15)

    reads = [
        (
            _read(few, NOW + quarter * turn, quarter, narrowed=True),
            _read(crowd, NOW + quarter * turn, quarter, narrowed=True),
        )
        for turn in range(1, 9)
    ]

    assert reads == [(50, 0), (50, 0), (50, 0), (50, 51)] * 2

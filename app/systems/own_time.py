"""Tell our own time from the time spent waiting for other systems."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Interval = tuple[float, float]

_intervals: ContextVar[list[Interval] | None] = ContextVar("outgoing_intervals", default=None)


@contextmanager
def outgoing_calls() -> Iterator[list[Interval]]:
    """
    Collect when outgoing calls were in flight while the block runs, tasks it starts included.

    The list holds (start, end) in seconds of ``time.perf_counter``, in the order the calls ended.
    """
    intervals: list[Interval] = []
    token = _intervals.set(intervals)
    try:
        yield intervals
    finally:
        _intervals.reset(token)


def note_outgoing(start: float, end: float) -> None:
    """Add a call that was in flight, if anyone collects."""
    intervals = _intervals.get()
    if intervals is not None:
        intervals.append((start, end))


def own_seconds(start: float, end: float, intervals: Iterable[Interval]) -> float:
    """Give the length of start to end less the union of the intervals inside it."""
    waiting = 0.0
    reached = start
    for first, last in sorted(intervals):
        first_new = max(first, reached)
        last_inside = min(last, end)
        if last_inside > first_new:
            waiting += last_inside - first_new
            reached = last_inside
    return max(end - start - waiting, 0.0)

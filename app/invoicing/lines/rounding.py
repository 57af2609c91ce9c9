"""Round worked minutes to billing increments, where a company bills by them; pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from app.canonical import TimeEntry


class Worked(NamedTuple):
    """Hold an hour of which only a snapshot is left."""

    id: str
    day: date
    employee_id: str
    minutes: int


class Direction(StrEnum):
    """Name which way minutes go to the next increment; a half goes up."""

    UP = "up"
    NEAREST = "nearest"


class Per(StrEnum):
    """Name what is rounded: each entry, each person's day within the line, or the line's sum."""

    ENTRY = "entry"
    DAY = "day"
    LINE = "line"


@dataclass(frozen=True, slots=True, order=True)
class Rounding:
    """Hold how minutes are rounded; ``minutes`` is the increment: 15, 30 or 60."""

    minutes: int
    direction: Direction
    per: Per

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> "Rounding | None":
        """Read what ``as_json`` wrote; nothing means worked minutes are billed."""
        if not data:
            return None
        return cls(int(data["minutes"]), Direction(data["direction"]), Per(data["per"]))

    def as_json(self) -> dict[str, Any]:
        """Write it for our tables and the API."""
        return {
            "minutes": self.minutes, "direction": self.direction.value, "per": self.per.value,
        }  # fmt: skip


def billed_minutes(members: Sequence[TimeEntry | Worked], rounding: Rounding | None) -> int:
    """Give the minutes a line bills; without rounding the worked ones, to the minute."""
    if rounding is None:
        return sum(entry.minutes for entry in members)
    sums: dict[tuple[str, ...], int] = defaultdict(int)
    for entry in members:
        sums[_bucket(entry, rounding.per)] += entry.minutes
    return sum(_rounded(minutes, rounding) for minutes in sums.values())


def cuts(members: Sequence[TimeEntry], rounding: Rounding | None) -> list[int]:
    """
    Give the places where hours in order of days may be cut in two lines and still bill the same.

    What is rounded together stays together: a day where days are rounded, all where lines are.
    """
    places = range(1, len(members))
    if rounding is None or rounding.per is Per.ENTRY:
        return list(places)
    if rounding.per is Per.LINE:
        return []
    return [place for place in places if members[place].day != members[place - 1].day]


def _bucket(entry: TimeEntry | Worked, per: Per) -> tuple[str, ...]:
    if per is Per.ENTRY:
        return (entry.id,)
    if per is Per.DAY:
        return (entry.day.isoformat(), entry.employee_id)
    return ()


def _rounded(minutes: int, rounding: Rounding) -> int:
    step = rounding.minutes
    if rounding.direction is Direction.UP:
        return -(-minutes // step) * step
    return (2 * minutes + step) // (2 * step) * step

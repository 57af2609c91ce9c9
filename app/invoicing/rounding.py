"""Round worked minutes to billing increments, where a company bills by them; pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from app.canonical import TimeEntry

INCREMENTS: Final = (15, 30, 60)


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


def billed_minutes(members: Sequence[TimeEntry], rounding: Rounding | None) -> int:
    """Give the minutes a line bills; without rounding the worked ones, to the minute."""
    if rounding is None:
        return sum(entry.minutes for entry in members)
    sums: dict[tuple[str, ...], int] = defaultdict(int)
    for entry in members:
        sums[_bucket(entry, rounding.per)] += entry.minutes
    return sum(_rounded(minutes, rounding) for minutes in sums.values())


def _bucket(entry: TimeEntry, per: Per) -> tuple[str, ...]:
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

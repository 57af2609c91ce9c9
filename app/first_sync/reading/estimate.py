"""Estimate how long a reading still takes at the pace that is allowed to us."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from app.canonical import RecordKind, Side
from app.first_sync.store import Plan, PlanState
from app.settings import Settings
from app.systems.pace import Role, share

_ROWS_A_PAGE: Final = 100
"""The fewest rows a page of either side holds; a list costs little beside single reads."""


def seconds_to_read(plan: Plan, settings: Settings, *, now: datetime) -> int | None:
    """
    Say in how many seconds both sides will be read, at the longest; the slower one decides.

    ``None`` while no side has told how much there is, and when nothing is being read. Where only
    what changed is read whole it is too long until the list has come to its end. A wait for a
    system that is away counts.
    """
    if plan.state != PlanState.READING:
        return None
    of_pace = share(Role.WORKER, settings)  # one worker reads at a time
    pace = {
        Side.TIME: settings.timerabbit_calls_per_second * of_pace,
        Side.BOOKS: settings.conta_calls_per_second * of_pace,
    }
    projects = [RecordKind.PROJECT] if plan.capabilities.get("projects") else []
    kinds = [RecordKind.CUSTOMER, *projects]
    told = {side: _calls_left(plan.progress.get(side.value, {}), kinds) for side in Side}
    seconds = [calls / pace[side] for side, calls in told.items() if calls is not None]
    if not seconds:
        return None
    until = (plan.problem or {}).get("until")
    wait = (datetime.fromisoformat(until) - now).total_seconds() if until else 0.0
    return round(max(seconds) + max(wait, 0.0))


def _calls_left(told: Mapping[str, Mapping[str, Any]], kinds: Sequence[RecordKind]) -> float | None:
    """
    Count the calls a side still takes; ``None`` where it has not told how much there is.

    A kind that has not begun takes a page at the least.
    """
    calls = [
        left
        for progress in told.values()
        if (left := _left(progress["listed"], progress.get("total"), progress["read"])) is not None
    ]
    return sum(calls) + sum(kind.value not in told for kind in kinds) if calls else None


def _left(listed: int, total: int | None, read: int) -> float | None:
    """Count pages, and one call for each record of a list that says less than whole records."""
    if total is None:
        return None
    pages = max(total - listed, 0) / _ROWS_A_PAGE
    return pages + (max(total - read, 0) if read < listed else 0)

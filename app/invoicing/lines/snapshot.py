"""Freeze what is billed of an hour, and say what differs from it later; pure."""

from collections.abc import Mapping
from typing import Any

from app.canonical import BillingState, TimeEntry
from app.systems.ports import HeldEntry


def freeze_entry(entry: TimeEntry, *, project: str | None = None) -> dict[str, Any]:
    """Give an hour as it is billed, as JSON; ``project`` is its project's name."""
    return {
        "day": entry.day.isoformat(),
        "employeeId": entry.employee_id,
        "employeeName": entry.employee_name,
        "customerId": entry.customer_id,
        "projectId": entry.project_id,
        "project": project,
        "minutes": entry.minutes,
        "rate": entry.hourly_rate,
        "rateSource": entry.rate_source,
        "comment": entry.comment,
        "overtimeType": entry.overtime_type,
    }


def differences(frozen: Mapping[str, Any], now: TimeEntry | None) -> tuple[str, ...]:
    """
    Name what of a billed hour is different now; ``deleted`` stands alone.

    Only what is money or documentation counts: an approval or a mark set by us changes the version
    and none of these.
    """
    if now is None or now.gone:
        return ("deleted",)
    current = freeze_entry(now)
    watched = {
        "minutes": "minutes", "rate": "rate", "customer": "customerId", "project": "projectId",
        "day": "day", "employee": "employeeId",
    }  # fmt: skip
    return tuple(
        word for word, member in watched.items() if frozen.get(member) != current.get(member)
    )


def still_billable(
    frozen: Mapping[str, Any], now: TimeEntry | None, *, holds: frozenset[str]
) -> tuple[str, ...]:
    """
    Name what keeps a billed hour from being sent as it was shown.

    Args:
        holds: Our own reservations; an hour held by one of them is ours.

    """
    found = differences(frozen, now)
    if now is None or now.gone:
        return found
    if now.billing is not BillingState.TO_INVOICE:
        found += ("billing",)
    if now.held_by is not None and now.held_by not in holds:
        found += ("held",)
    return found


def held_otherwise(frozen: Mapping[str, Any], held: HeldEntry) -> tuple[str, ...]:
    """
    Name what of a billed hour was reserved otherwise than it was shown.

    A rate may move without a new version of the hour: a project's or the company's was changed.
    What the time system does not say of the reserved hour is not known, and no difference.
    """
    told = {"minutes": held.minutes, "rate": held.hourly_rate}
    return tuple(
        word for word, value in told.items() if value is not None and value != frozen.get(word)
    )

"""Say why an hour cannot be billed, all reasons at once, and what a preview warns of; pure."""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from app.canonical import BillingState, EntryId, RecordId, TimeEntry

OSLO: Final = ZoneInfo("Europe/Oslo")
"""The zone of Timerabbit's days (its contract says so) and of the law's."""

WARN_FROM: Final = timedelta(days=24)


class Hindrance(StrEnum):
    """Name why an entry cannot be billed."""

    NO_CUSTOMER = "no-customer"
    OTHER_CUSTOMER = "other-customer"
    CUSTOMER_NOT_LINKED = "customer-not-linked"
    NOT_MARKED = "not-marked"
    INVOICED = "already-invoiced"
    NOT_APPROVED = "not-approved"
    IN_DRAFT = "in-draft"
    HELD = "held-by-transfer"
    NO_RATE = "no-rate"
    ZERO_RATE = "zero-rate"
    NO_MINUTES = "no-minutes"
    DELETED = "deleted"
    UNKNOWN = "unknown"
    FUTURE = "in-the-future"
    OTHER_PROJECT = "other-project"
    OTHER_PERIOD = "other-period"
    OTHER_PERSON = "other-person"
    OTHER_OVERTIME = "other-overtime"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """
    Hold what an entry is judged by.

    Args:
        customer_id: The customer chosen on the time side; ``None`` judges each by its own.
        linked: Time-side customers that have a partner in the books.
        approval_required: Whether the company bills approved hours only.
        in_draft: Entries that stand in one of our drafts, with the draft's id.
        of_project: Entries of the chosen project and its subprojects; ``None`` without a choice.
        first_day: The chosen period, with ``last_day``.
        employee_id: The chosen person; ``None`` without a choice.
        overtime: The chosen overtime type, the empty text for plain hours; ``None`` without one.
        beside: Entries with expenses or kilometres that are not billed yet: without minutes they
            are billed for these alone, also at a rate of zero.
        today: The day in Oslo; later days cannot be billed in advance (§ 5-2-7).

    """

    linked: frozenset[RecordId]
    approval_required: bool
    in_draft: Mapping[EntryId, str]
    customer_id: RecordId | None = None
    of_project: frozenset[EntryId] | None = None
    first_day: date = date.min
    last_day: date = date.max
    employee_id: str | None = None
    overtime: str | None = None
    beside: frozenset[EntryId] = frozenset()
    today: date = date.max


def hindrances(entry: TimeEntry, around: Surroundings) -> tuple[Hindrance, ...]:
    """Name everything that hinders an entry; empty means billable."""
    if entry.gone:
        return (Hindrance.DELETED,)
    ours = entry.id in around.in_draft
    has_time = entry.minutes > 0 or entry.id not in around.beside
    wrong_customer = around.customer_id is not None and entry.customer_id != around.customer_id
    checks = (
        (entry.customer_id is None, Hindrance.NO_CUSTOMER),
        (entry.customer_id is not None and wrong_customer, Hindrance.OTHER_CUSTOMER),
        (
            entry.customer_id is not None and entry.customer_id not in around.linked,
            Hindrance.CUSTOMER_NOT_LINKED,
        ),
        (
            around.of_project is not None and entry.id not in around.of_project,
            Hindrance.OTHER_PROJECT,
        ),
        (not around.first_day <= entry.day <= around.last_day, Hindrance.OTHER_PERIOD),
        (around.employee_id not in (None, entry.employee_id), Hindrance.OTHER_PERSON),
        (around.overtime not in (None, entry.overtime_type or ""), Hindrance.OTHER_OVERTIME),
        (entry.day > around.today, Hindrance.FUTURE),
        (entry.billing is BillingState.NOT_BILLABLE, Hindrance.NOT_MARKED),
        (entry.billing is BillingState.INVOICED and not ours, Hindrance.INVOICED),
        (around.approval_required and not entry.approved, Hindrance.NOT_APPROVED),
        (ours, Hindrance.IN_DRAFT),
        (entry.held_by is not None and not ours, Hindrance.HELD),
        (entry.hourly_rate is None, Hindrance.NO_RATE),  # the time system would not hold it
        # Its line would be nothing, or take off the others', and refuse the whole draft with it.
        (
            entry.hourly_rate is not None and entry.hourly_rate <= 0 and has_time,
            Hindrance.ZERO_RATE,
        ),
        (entry.minutes <= 0 and has_time, Hindrance.NO_MINUTES),
    )
    return tuple(reason for hinders, reason in checks if hinders)


def close_to_limit(day: date, *, today: date) -> bool:
    """Say whether hours of a day come close to (or passed) the one-month billing limit."""
    return today - day >= WARN_FROM


def past_limit(day: date, *, today: date) -> bool:
    """Say whether hours of a day are older than the law lets an invoice wait."""
    return day < first_in_time(today)


def first_in_time(today: date) -> date:
    """
    Give the earliest day whose hours can still be billed in time today.

    Bookkeeping regulation § 5-2-2: at most one month after delivery. Of the 1st of March that is
    the 1st of April; of the 31st of January the last day of February, since it has no 31st.
    """
    first = today.replace(day=1)
    before = first - timedelta(days=1)
    return first if today.day > before.day else before.replace(day=today.day)


def last_in_time(day: date) -> date:
    """
    Give the last day on which hours of a day can be billed in time, that day included.

    The same day of the next month, or its last where it has none.
    """
    after = (day.replace(day=1) + timedelta(days=31)).replace(day=1)
    return after.replace(day=min(day.day, monthrange(after.year, after.month)[1]))


def oslo_day(now: datetime) -> date:
    """Give the day in Oslo of an instant."""
    return now.astimezone(OSLO).date()

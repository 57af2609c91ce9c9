"""Say why an hour cannot be billed, all reasons at once, and what a preview warns of; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from app.canonical import BillingState, EntryId, RecordId, TimeEntry

MONTH: Final = timedelta(days=31)
"""Bookkeeping regulation § 5-2-2: invoice at most one month after delivery."""

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
    NO_MINUTES = "no-minutes"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """
    Hold what an entry is judged by.

    Args:
        customer_id: The customer chosen on the time side; ``None`` judges each by its own.
        linked: Time-side customers that have a partner in the books.
        approval_required: Whether the company bills approved hours only.
        in_draft: Entries that stand in one of our drafts, with the draft's id.

    """

    linked: frozenset[RecordId]
    approval_required: bool
    in_draft: Mapping[EntryId, str]
    customer_id: RecordId | None = None


def hindrances(entry: TimeEntry, around: Surroundings) -> tuple[Hindrance, ...]:
    """Name everything that hinders an entry; empty means billable."""
    if entry.gone:
        return (Hindrance.DELETED,)
    ours = entry.id in around.in_draft
    wrong_customer = around.customer_id is not None and entry.customer_id != around.customer_id
    checks = (
        (entry.customer_id is None, Hindrance.NO_CUSTOMER),
        (entry.customer_id is not None and wrong_customer, Hindrance.OTHER_CUSTOMER),
        (
            entry.customer_id is not None and entry.customer_id not in around.linked,
            Hindrance.CUSTOMER_NOT_LINKED,
        ),
        (entry.billing is BillingState.NOT_BILLABLE, Hindrance.NOT_MARKED),
        (entry.billing is BillingState.INVOICED and not ours, Hindrance.INVOICED),
        (around.approval_required and not entry.approved, Hindrance.NOT_APPROVED),
        (ours, Hindrance.IN_DRAFT),
        (entry.held_by is not None and not ours, Hindrance.HELD),
        (entry.hourly_rate is None, Hindrance.NO_RATE),
        (entry.minutes <= 0, Hindrance.NO_MINUTES),
    )
    return tuple(reason for hinders, reason in checks if hinders)


def close_to_limit(day: date, *, today: date) -> bool:
    """Say whether hours of a day come close to (or passed) the one-month billing limit."""
    return today - day >= WARN_FROM

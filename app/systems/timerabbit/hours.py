"""Translate time entries, settings and transfers from Timerabbit's words; touches nothing."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

from app.canonical import BillingState, Cost, EntryId, Ore, RecordId, TimeEntry
from app.systems.ports import EntryQuery, HeldEntry, Reservation, TimeSettings
from app.systems.reading import ore_from, text_or_none
from app.systems.timerabbit import wire

_BILLING = {
    "to_invoice": BillingState.TO_INVOICE,
    "invoiced": BillingState.INVOICED,
    "not_billable": BillingState.NOT_BILLABLE,
}
_FARTHEST = 10**6
_NOT_HELD = frozenset({"released", "expired"})


def entry_from(seen: wire.TimeEntry) -> TimeEntry:
    """
    Read a time entry or its tombstone.

    An invoice state we do not know counts as not billable: leaving hours out can be mended, billing
    them wrongly is noticed by the customer.

    Raises:
        ValueError: It lives and lacks what a line is made of (version, day, minutes, employee), or
            has an amount or kilometres that nobody can have meant.

    """
    if seen.deleted_at is not None:
        return _tombstone(seen, seen.deleted_at)
    if seen.version is None or seen.day is None or seen.minutes is None or not seen.employee_id:
        raise ValueError("a time entry without version, day, minutes or employee")
    held = seen.transfer if seen.transfer and seen.transfer.state not in _NOT_HELD else None
    return TimeEntry(
        id=EntryId(seen.id),
        version=seen.version,
        employee_id=seen.employee_id,
        employee_name=text_or_none(seen.employee_name) or "",
        day=seen.day,
        minutes=seen.minutes,
        customer_id=RecordId(seen.customer_id) if seen.customer_id else None,
        project_id=RecordId(seen.project_id) if seen.project_id else None,
        billing=_BILLING.get(seen.invoice_status or "", BillingState.NOT_BILLABLE),
        hourly_rate=ore_from(seen.hourly_rate),
        rate_source=text_or_none(seen.rate_source),
        comment=text_or_none(seen.comment),
        overtime_type=text_or_none(seen.overtime_type.name) if seen.overtime_type else None,
        approved=seen.approval.approved if seen.approval else None,
        costs=tuple(_cost(cost) for cost in seen.costs or ()),
        kilometers=_driven(seen.kilometers),
        held_by=held.transfer_id if held else None,
        draft_id=held.draft_id if held else None,
        updated_at=_utc(seen.updated_at),
    )


def settings_from(seen: wire.Settings) -> TimeSettings:
    """Read the settings for hours; what is not said counts as off."""
    hours = seen.billable_hours or wire.BillableHours()
    return TimeSettings(
        billable_hours=bool(hours.enabled),
        approval_required=bool(seen.approval_required),
        default_hourly_rate=ore_from(hours.default_hourly_rate),
    )


def reservation_from(seen: wire.Transfer) -> Reservation:
    """Read a transfer; entries that were released from it are left out."""
    return Reservation(
        id=seen.id,
        state=seen.state or "",
        entries=tuple(
            HeldEntry(EntryId(entry.id), entry.minutes, ore_from(entry.hourly_rate))
            for entry in seen.entries
            if not entry.released
        ),
        expires_at=_utc(seen.expires_at),
        draft_id=seen.external.draft_id if seen.external else None,
    )


def query_from(query: EntryQuery) -> Mapping[str, str]:
    """Write a choice of entries as query parameters; a project includes its subprojects."""
    chosen = {
        "customerId": query.customer_id,
        "projectId": query.project_id,
        "employeeId": query.employee_id,
        "dateFrom": _day_text(query.first_day),
        "dateTo": _day_text(query.last_day),
        "uninvoiced": "true" if query.only_free else None,
        "updatedSince": query.changed_since.isoformat() if query.changed_since else None,
        "includeDeleted": "true" if query.with_gone else None,
        "sort": "updated" if query.changed_since else "date",
    }
    return {name: value for name, value in chosen.items() if value is not None}


def _tombstone(seen: wire.TimeEntry, deleted_at: datetime) -> TimeEntry:
    return TimeEntry(
        id=EntryId(seen.id),
        version=seen.version or 0,
        employee_id=seen.employee_id or "",
        employee_name=text_or_none(seen.employee_name) or "",
        day=seen.day or deleted_at.date(),
        minutes=0,
        customer_id=RecordId(seen.customer_id) if seen.customer_id else None,
        project_id=RecordId(seen.project_id) if seen.project_id else None,
        billing=BillingState.NOT_BILLABLE,
        gone=True,
        updated_at=_utc(seen.updated_at),
    )


def _cost(seen: wire.Cost) -> Cost:
    return Cost(
        description=text_or_none(seen.description) or "",
        amount=ore_from(seen.amount or Decimal(0)) or Ore(0),
    )


def _driven(kilometres: Decimal | None) -> Decimal | None:
    """Take kilometres as the contract has them: those of one hour would use up another's."""
    if kilometres is not None and not 0 <= kilometres < _FARTHEST:
        raise ValueError("not kilometres")
    return kilometres


def _day_text(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def _utc(instant: datetime | None) -> datetime | None:
    if instant is None:
        return None
    # Time stamps are UTC by contract; one without a zone is taken at that word.
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)

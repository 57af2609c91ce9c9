"""
Hold Timerabbit's JSON in Timerabbit's own words.

Every member but an id may be missing, unknown members are ignored, closed sets stay text; the
shapes are those of ``openapi/timerabbit.yaml`` (our contract proposal, November 2026). A member of
another type than the contract's makes the record unreadable: guessing could clear a field. An
hour's overtime type alone does not, since one such hour would hide all others.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

UNKNOWN_OVERTIME: Final = "?"
"""Stands for an overtime type that cannot be read: its hours share no line with plain ones."""


class Wire(BaseModel):
    """Be the parent of what Timerabbit sends: camel case, lenient on members, strict on types."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="ignore", frozen=True, coerce_numbers_to_str=True
    )


class Versioned(Wire):
    """Hold what each mutable record has; with ``deleted_at`` it is a tombstone."""

    id: str = Field(min_length=1)
    version: int | None = None
    updated_at: datetime | None = None
    deleted_at: datetime | None = None


class Address(Wire):
    """Hold an address; ``country`` is ISO 3166-1 alpha-2."""

    line1: str | None = None
    line2: str | None = None
    postal_code: str | None = None
    city: str | None = None
    country: str | None = None


class ExternalRefs(Wire):
    """Hold our mark."""

    conta: str | None = None


class Customer(Versioned):
    """Hold a customer or its tombstone."""

    name: str | None = None
    number: str | None = None
    kind: str | None = None
    organization_number: str | None = None
    email: str | None = None
    phone: str | None = None
    address: Address | None = None
    active: bool | None = None
    external_refs: ExternalRefs | None = None
    merged_into_id: str | None = None


class Project(Versioned):
    """Hold a project or its tombstone."""

    name: str | None = None
    number: str | None = None
    customer_id: str | None = None
    active: bool | None = None
    external_refs: ExternalRefs | None = None
    parent_project_id: str | None = None
    start_date: date | None = None
    end_date: date | None = None


class OvertimeType(Wire):
    """Hold an overtime type."""

    name: str | None = None


def _overtime(seen: object) -> object:
    """
    Take an overtime type of another shape for an unknown one; a text is its name.

    It says which hours share a line and never what they cost.
    """
    named = seen.get("name") if isinstance(seen, dict) else seen
    if named is None:
        return None
    return {"name": named if isinstance(named, str) else UNKNOWN_OVERTIME}


class Cost(Wire):
    """Hold an expense; the amount is NOK excluding VAT."""

    description: str | None = None
    amount: Decimal | None = None


class Approval(Wire):
    """Hold whether an administrator approved the hours."""

    approved: bool | None = None


class EntryTransfer(Wire):
    """Hold the transfer an entry is held by."""

    transfer_id: str | None = None
    state: str | None = None
    draft_id: str | None = None


class TimeEntry(Versioned):
    """Hold a time entry or its tombstone; minutes are net of the break."""

    employee_id: str | None = None
    employee_name: str | None = None
    day: date | None = Field(default=None, alias="date")
    minutes: int | None = None
    customer_id: str | None = None
    project_id: str | None = None
    comment: str | None = None
    invoice_status: str | None = None
    hourly_rate: Decimal | None = None
    rate_source: str | None = None
    overtime_type: Annotated[OvertimeType | None, BeforeValidator(_overtime)] = None
    costs: tuple[Cost, ...] | None = None
    kilometers: Decimal | None = None
    approval: Approval | None = None
    transfer: EntryTransfer | None = None


class Listing(Wire):
    """Hold a page; its items are read one by one, so that one bad record hides no other."""

    items: tuple[object, ...]
    next_cursor: str | None = None
    as_of: datetime | None = None


class Batch(Wire):
    """Hold the answer to a read of many by id."""

    items: tuple[object, ...]


class TransferEntry(Wire):
    """Hold an entry of a transfer, with its minutes and rate as they were when it was reserved."""

    id: str
    minutes: int | None = None
    hourly_rate: Decimal | None = None
    released: bool | None = None


class ExternalInvoice(Wire):
    """Hold what Timerabbit knows of the draft."""

    draft_id: str | None = None


class Transfer(Versioned):
    """Hold a transfer: entries reserved for, or standing in, one draft."""

    state: str | None = None
    expires_at: datetime | None = None
    entries: tuple[TransferEntry, ...] = ()
    external: ExternalInvoice | None = None


class ConnectionTest(Wire):
    """Hold the answer of «Test API»."""

    ok: bool | None = None
    company_id: str
    company_name: str | None = None


class Subscription(Wire):
    """Hold the state of the company's subscription."""

    status: str | None = None
    add_ons: tuple[str, ...] = ()


class Company(Wire):
    """Hold the company the credential belongs to."""

    id: str
    name: str | None = None
    organization_number: str | None = None
    subscription: Subscription | None = None


class BillableHours(Wire):
    """Hold «Fakturerbare timer»."""

    enabled: bool | None = None
    default_hourly_rate: Decimal | None = None


class Settings(Wire):
    """Hold the settings that decide whether hours can be billed."""

    billable_hours: BillableHours | None = None
    approval_required: bool | None = None


class WebhookSubscription(Wire):
    """Hold a subscription as its creation answers it, the only time with the secret."""

    id: str
    secret: str


class Handover(Wire):
    """Hold a log-in or trial session."""

    id: str
    handover_url: str
    expires_at: datetime


class TokenAnswer(BaseModel):
    """Hold tokens (RFC 6749 5.1); lifetimes are seconds."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    access_token: str = Field(pattern=r"^[\x21-\x7e]+$")
    expires_in: int = Field(default=3600, ge=0)
    refresh_token: str | None = None


class FieldError(Wire):
    """Hold one refused field; the pointer is a JSON pointer into the body."""

    pointer: str | None = None
    message: str | None = None


class Conflict(Wire):
    """Hold one entry that could not be taken."""

    id: str
    reason: str | None = None
    transfer_id: str | None = None


class Problem(Wire):
    """Hold a problem document (RFC 9457), or an OAuth error where ``error`` is set."""

    code: str | None = None
    error: str | None = None
    existing_id: str | None = None
    errors: tuple[FieldError, ...] = ()
    conflicts: tuple[Conflict, ...] = ()

"""Hold what the ports give and take, in nobody's own words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from app.canonical import (
    EntryId,
    Ore,
    Record,
    RecordId,
    RecordKind,
)


@dataclass(frozen=True, slots=True)
class Demands:
    """
    Say what a system demands of any record, whatever the account; needs no call.

    Args:
        text_limits: Longest text the system takes, by kind, then by canonical field (``name``,
            ``address.line1`` …).
        required: Canonical fields a customer must have before it can be created there.

    """

    text_limits: Mapping[RecordKind, Mapping[str, int]] = field(default_factory=dict)
    required: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Capabilities:
    """
    Say what a connected account can do; data, never an ``if`` on the system's name.

    Args:
        projects: Projects exist and may be written (Conta: the plan has ``ALLOW_PROJECT``).
        changed_since: Lists of customers can be narrowed to what changed since a day or instant.
        complete_lists: A list row carries the whole record, so that no single read is needed.
        idempotent_create: Creating twice with one key makes one record.
        text_limits: Longest text the system takes, by kind, then by canonical field (``name``,
            ``address.line1`` …).
        required: Canonical fields a customer must have before it can be created there.

    """

    projects: bool
    changed_since: bool
    complete_lists: bool
    idempotent_create: bool
    text_limits: Mapping[RecordKind, Mapping[str, int]] = field(default_factory=dict)
    required: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Sighting:
    """
    Hold a record as it was read, with what an update needs to keep the rest as it was.

    Args:
        record: ``None`` when the record is not there; a tombstone has ``gone``.
        raw: The wire body an update is laid over (books side); opaque to everyone but the adapter.
        version: The validator for ``If-Match`` (time side); opaque.

    """

    record: Record | None
    raw: Mapping[str, Any] = field(default_factory=dict)
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """
    Hold one row of a list.

    Args:
        record: The record; thin when ``complete`` is False (then what it does not say is unknown,
            not empty; a row that could not be read at all has an empty name).
        fingerprint: SHA-256 hex of what the row says, to tell whether it changed since it was last
            listed.

    """

    id: RecordId
    record: Record
    complete: bool
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Page:
    """Hold one page of a list; ``total`` and ``as_of`` where the system says them."""

    rows: tuple[Row, ...]
    total: int | None = None
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """
    Hold one finding of a connection test.

    Args:
        code: Stable, listed in the problem catalogue (``conta-key-refused`` …).
        blocking: True when the link cannot work with it; False for a remark (projects wait).
        facts: Values for the texts, never secrets.

    """

    code: str
    blocking: bool
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """Hold who an account is, as far as the system tells."""

    id: str
    name: str
    organization_number: str | None = None
    key_owner: str | None = None


@dataclass(frozen=True, slots=True)
class AccessReport:
    """Hold everything a connection test found, at once."""

    account: AccountFacts | None
    findings: tuple[Finding, ...]
    features: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Say whether nothing blocking was found."""
        return self.account is not None and not any(f.blocking for f in self.findings)


@dataclass(frozen=True, slots=True)
class TimeSettings:
    """Hold the time side's settings that decide whether hours can be billed."""

    billable_hours: bool
    approval_required: bool
    default_hourly_rate: Ore | None = None


@dataclass(frozen=True, slots=True)
class EntryQuery:
    """Choose time entries; days are inclusive; ``with_gone`` adds tombstones."""

    customer_id: RecordId | None = None
    project_id: RecordId | None = None
    employee_id: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    only_free: bool = False
    changed_since: datetime | None = None
    with_gone: bool = False


@dataclass(frozen=True, slots=True)
class HeldEntry:
    """Hold an entry as it was when it was reserved; what is not said of it is ``None``."""

    id: EntryId
    minutes: int | None = None
    hourly_rate: Ore | None = None


@dataclass(frozen=True, slots=True)
class Reservation:
    """
    Hold a transfer in the time system: entries held for, or standing in, one draft.

    Args:
        entries: The entries it holds, as they were when they were reserved.

    """

    id: str
    state: str
    entries: tuple[HeldEntry, ...]
    expires_at: datetime | None = None
    draft_id: str | None = None

    @property
    def entry_ids(self) -> tuple[EntryId, ...]:
        """Give the entries it holds."""
        return tuple(entry.id for entry in self.entries)


class ReleaseReason(StrEnum):
    """Name why hours are set free again."""

    DRAFT_FAILED = "draft_failed"
    DRAFT_DELETED = "draft_deleted"
    INVOICE_CREDITED = "invoice_credited"
    USER_REQUEST = "user_request"


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """Hold what the time system is told: ``status`` is first_sync, active, paused or error."""

    status: str
    organization_name: str
    organization_number: str | None
    project_sync: bool
    invoice_page_url: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """Hold a webhook subscription; ``secret`` has the prefix ``whsec_``."""

    id: str
    secret: str


@dataclass(frozen=True, slots=True)
class ChangeNotice:
    """Say that a record may have changed; a hint, never a fact."""

    kind: RecordKind
    id: RecordId


@dataclass(frozen=True, slots=True)
class Notice:
    """
    Hold what a webhook's body says, parsed purely.

    Args:
        event: The event's type, for counting; unknown types are kept and counted.
        account_id: The account it speaks of, to be compared with the link's.
        changes: Records to look at; empty for an event that concerns none.
        access_changed: True when the account's access or settings may have changed.
        entries: Time entries under a transfer that were changed or deleted (time side only).

    """

    event: str
    account_id: str | None
    changes: tuple[ChangeNotice, ...] = ()
    access_changed: bool = False
    entries: tuple[EntryId, ...] = ()


@dataclass(frozen=True, slots=True)
class Tokens:
    """Hold a pair of OAuth tokens; ``expires_at`` is aware UTC."""

    access: str
    refresh: str | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class HandoverRequest:
    """Ask the time system for a log-in page; ``challenge`` is PKCE S256 of a verifier we keep."""

    return_url: str
    state: str
    challenge: str
    organization_name: str
    organization_number: str
    locale: str


@dataclass(frozen=True, slots=True)
class HandoverPage:
    """Hold where to send the person's browser, and until when."""

    url: str
    expires_at: datetime

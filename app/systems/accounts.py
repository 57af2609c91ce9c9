"""Say what a system must offer for one account: its records, its hours or its books."""

from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime
from typing import Any, Protocol

from app.canonical import (
    DraftOrder,
    EntryId,
    Record,
    RecordId,
    RecordKind,
    TimeEntry,
)
from app.systems.documents import RemoteDraft, RemoteInvoice
from app.systems.shapes import (
    AccessReport,
    Capabilities,
    EntryQuery,
    LinkFacts,
    Page,
    ReleaseReason,
    Reservation,
    Sighting,
    Subscription,
    TimeSettings,
)


class RecordKeeper(Protocol):
    """Offer what both sides have: customers and projects of one account."""

    async def capabilities(self) -> Capabilities:
        """Read what the account can do now; one call at most."""
        ...

    def pages(
        self, kind: RecordKind, *, changed_since: datetime | None = None
    ) -> AsyncIterator[Page]:
        """
        List all records of a kind, page by page, inactive ones and tombstones too.

        A record that moves between pages while we page may come twice, never not at all as far as
        the system allows; callers compare by id.
        """
        ...

    async def read(self, kind: RecordKind, record_id: RecordId) -> Sighting:
        """Read one record whole; a missing one gives ``record=None``, a tombstone ``gone``."""
        ...

    async def create(self, kind: RecordKind, record: Record, *, key: str) -> Record:
        """
        Create a record (its ``id`` is ignored) and return it as the system now has it.

        Args:
            key: Idempotency key; only systems with ``idempotent_create`` honour it.

        Raises:
            Unreachable: With ``effect_possible`` when the outcome is unknown; settle by looking.
            Rejected: Nothing was made.

        """
        ...

    async def update(self, kind: RecordKind, seen: Sighting, changes: Mapping[str, Any]) -> Record:
        """
        Write only the named canonical fields over what was seen and keep everything else as it was.

        Args:
            changes: Canonical field names (``name``, ``kind``, ``organization_number``, ``email``,
                ``phone``, ``address`` whole, ``active``, ``customer_id``, ``start``, ``end``,
                ``mark``) to new values.

        """
        ...


class TimeTracker(RecordKeeper, Protocol):
    """Offer hours: the time side of a link, bound to one account's credential."""

    async def check(self) -> AccessReport:
        """Test the connection and say everything found."""
        ...

    async def settings(self) -> TimeSettings:
        """Read the settings for hours."""
        ...

    async def entries(self, query: EntryQuery) -> tuple[TimeEntry, ...]:
        """Read all entries the query chooses, ordered by day, then id."""
        ...

    async def entries_by_id(self, ids: tuple[EntryId, ...]) -> tuple[TimeEntry, ...]:
        """Read entries by id as they are now; unknown ids are left out, tombstones are ``gone``."""
        ...

    async def reserve(
        self,
        customer_id: RecordId,
        versions: Mapping[EntryId, int],
        *,
        key: str,
        ttl_seconds: int,
        requested_by: str | None = None,
    ) -> Reservation:
        """
        Hold at most 500 entries for a draft; all or none; the same key gives the same reservation.

        Args:
            requested_by: The employee who asked, where that is known.

        Raises:
            EntriesTaken: Naming each entry and why.

        """
        ...

    async def complete(self, reservation_id: str, *, draft_id: str, draft_url: str | None) -> None:
        """
        Mark the held entries as standing in the draft, also after a lapse; idempotent for a draft.

        Raises:
            EntriesTaken: An entry was taken by someone else meanwhile; a person decides.

        """
        ...

    async def release(
        self, reservation_id: str, *, reason: ReleaseReason, entry_ids: tuple[EntryId, ...] = ()
    ) -> None:
        """Set entries free again (all without ``entry_ids``); idempotent."""
        ...

    async def tell_link(self, facts: LinkFacts) -> None:
        """Tell the time system the state of the link; its banner and lock follow it."""
        ...

    async def forget_link(self) -> None:
        """Tell the time system that the link is closed; records and marks stay."""
        ...

    async def subscribe(self, url: str) -> Subscription:
        """Ask for webhooks to an address; the secret is in this answer only."""
        ...

    async def rotate_secret(self, subscription_id: str) -> str:
        """Let the time system make a new webhook secret; the one before signs for a day yet."""
        ...

    async def unsubscribe(self, subscription_id: str) -> None:
        """End a subscription; a missing one is fine."""
        ...


class AccountingSystem(RecordKeeper, Protocol):
    """Offer books: the books side of a link, bound to one account's credential."""

    async def check(self) -> AccessReport:
        """Test the key and say everything found at once: alive, visible, not blocked, plan."""
        ...

    async def create_draft(self, order: DraftOrder) -> RemoteDraft:
        """
        Create a draft. Never tried twice by itself.

        Raises:
            Rejected: Nothing was made (422, 409, 400, 404).
            RateLimited: Nothing was made.
            Unreachable: ``effect_possible`` tells an unknown outcome (time-out, reset, 5xx,
                unreadable 200) from a proof that nothing was sent (connection refused).

        """
        ...

    async def draft_ids(self, customer_id: RecordId, *, since: date) -> tuple[str, ...]:
        """List the ids of a customer's drafts created since a day, newest first."""
        ...

    async def read_draft(self, draft_id: str) -> RemoteDraft | None:
        """Read a draft; ``None`` when it is gone (sent or deleted look the same)."""
        ...

    async def invoice_ids(self, customer_id: RecordId, *, since: date) -> tuple[str, ...]:
        """List the ids of a customer's invoices created since a day, newest first."""
        ...

    async def read_invoice(self, invoice_id: str) -> RemoteInvoice | None:
        """Read an invoice; ``None`` when it is not there."""
        ...

    async def paper_ids(
        self, kind: RecordKind, record_id: RecordId, *, since: date
    ) -> tuple[str, ...]:
        """List what stands on a customer or project since a day: its drafts, then its invoices."""
        ...

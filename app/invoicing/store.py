"""Keep previews, drafts, their attempts and events, and the hour ledger."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Date, Index, Integer, LargeBinary, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant


class DraftState(StrEnum):
    """
    Name where a draft stands.

    ``taken``: hours in the ledger; ``reserved``: held in the time system too; ``sending``: a POST
    may be on its way; ``unconfirmed``: its outcome is unknown and looked for; ``needs-person``: not
    found or found twice; ``created``: stands in the books; ``completed``: the hours are marked;
    ``refused``: nothing was made, hours free; ``released``: hours set free by a person.
    """

    TAKEN = "taken"
    RESERVED = "reserved"
    SENDING = "sending"
    UNCONFIRMED = "unconfirmed"
    NEEDS_PERSON = "needs-person"
    CREATED = "created"
    COMPLETED = "completed"
    REFUSED = "refused"
    RELEASED = "released"


class Preview(Base):
    """
    Hold a draft as it will be sent, for an hour.

    Args:
        versions: Entry id to version, as previewed; ``minutes`` likewise.
        entries: Entry id to what is billed of it (``app/invoicing/lines/snapshot.py``).
        wish: What the person asked for, to preview again with the same choices.
        lines: The lines as JSON; what is sent is these.

    """

    __tablename__ = "previews"

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    preview_id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_time_id: Mapped[str] = mapped_column(String(64))
    customer_books_id: Mapped[str] = mapped_column(String(64))
    project_books_id: Mapped[str | None] = mapped_column(String(64))
    mark: Mapped[str] = mapped_column(String(16))
    versions: Mapped[Mapping[str, int]] = mapped_column(JSONB)
    minutes: Mapped[Mapping[str, int]] = mapped_column(JSONB)
    entries: Mapped[Mapping[str, Any]] = mapped_column(JSONB)
    wish: Mapped[Mapping[str, Any]] = mapped_column(JSONB)
    lines: Mapped[Sequence[Mapping[str, Any]]] = mapped_column(JSONB)
    net: Mapped[int] = mapped_column(BigInteger)
    vat: Mapped[int] = mapped_column(BigInteger)
    problems: Mapped[Sequence[Mapping[str, Any]]] = mapped_column(JSONB)
    left_out: Mapped[Sequence[Mapping[str, Any]]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)


class Draft(Base):
    """
    Hold a draft and how far it has come.

    Args:
        body: The frozen lines and customer; ``body_hash`` is its SHA-256.
        attempt: The fence: a late finisher with an older number changes nothing.
        looks: How often the books were searched since the outcome became unknown.
        not_before: When the next step is due; ``None`` when none is.
        books_ids: Drafts in the books that carry the mark; more than one is an alarm.
        remote: What the books said of the sums, for comparison.
        invoice: The invoice the draft became, as last seen; ``None`` while it is none.
        next_look: When the books are looked at again for what became of the draft.
        watch_until: Until when a late second draft with the mark is watched for.

    """

    __tablename__ = "drafts"
    __table_args__ = (
        Index("uq_drafts_mark", "link_id", "mark", unique=True),
        Index(
            "ix_drafts_next_look", "link_id", "next_look",
            postgresql_where=text("next_look IS NOT NULL"),
        ),
        Index(
            "ix_drafts_problem", "link_id", "problem", "draft_id",
            postgresql_where=text("problem IS NOT NULL"),
        ),
    )  # fmt: skip

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    draft_id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    mark: Mapped[str] = mapped_column(String(16))
    customer_time_id: Mapped[str] = mapped_column(String(64))
    customer_books_id: Mapped[str] = mapped_column(String(64))
    project_books_id: Mapped[str | None] = mapped_column(String(64))
    body: Mapped[Mapping[str, Any]] = mapped_column(JSONB)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    versions: Mapped[Mapping[str, int]] = mapped_column(JSONB)
    net: Mapped[int] = mapped_column(BigInteger)
    vat: Mapped[int] = mapped_column(BigInteger)
    attempt: Mapped[int] = mapped_column(Integer)
    looks: Mapped[int] = mapped_column(Integer)
    not_before: Mapped[datetime | None] = mapped_column(Instant)
    books_ids: Mapped[Sequence[str]] = mapped_column(JSONB)
    remote: Mapped[Mapping[str, Any] | None] = mapped_column(JSONB)
    invoice: Mapped[Mapping[str, Any] | None] = mapped_column(JSONB)
    next_look: Mapped[datetime | None] = mapped_column(Instant)
    watch_until: Mapped[datetime | None] = mapped_column(Instant)
    problem: Mapped[str | None] = mapped_column(String(64))
    facts: Mapped[Mapping[str, Any]] = mapped_column(JSONB)
    requested_by: Mapped[str] = mapped_column(String(300))
    version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class DraftAttempt(Base):
    """Hold one POST: when it was meant, until when it may still be on its way, what came of it."""

    __tablename__ = "draft_attempts"

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    draft_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    started_at: Mapped[datetime] = mapped_column(Instant)
    deadline: Mapped[datetime] = mapped_column(Instant)
    outcome: Mapped[str | None] = mapped_column(String(32))


class LedgerRow(Base):
    """
    Say where one hour is: in one draft only.

    The unique index is over the company, not the link: a company linked to another organization
    must not bill an hour again, and a unique index sees through row-level security.
    ``snapshot`` is the hour as it was billed; later changes of the hour never touch it.
    """

    __tablename__ = "ledger"
    __table_args__ = (
        Index(
            "uq_ledger_active_entry",
            "time_company_id",
            "entry_id",
            unique=True,
            postgresql_where=text("active"),
        ),
        Index("ix_ledger_entry", "link_id", "entry_id"),
    )

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    draft_id: Mapped[UUID] = mapped_column(primary_key=True)
    entry_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    time_company_id: Mapped[str] = mapped_column(String(64))
    line_no: Mapped[int] = mapped_column(Integer)
    minutes: Mapped[int] = mapped_column(Integer)
    rate: Mapped[int] = mapped_column(BigInteger)
    entry_version: Mapped[int] = mapped_column(Integer)
    snapshot: Mapped[Mapping[str, Any]] = mapped_column(JSONB)
    active: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime] = mapped_column(Instant)
    freed_at: Mapped[datetime | None] = mapped_column(Instant)


class HeldHours(Base):
    """
    Hold one reservation of at most 500 hours in the time system; the key makes it repeatable.

    Args:
        generation: How often it was made anew because it lapsed; part of the key. Before the first
            answer -1.
        expires_at: When it lapses unless it is completed.
        asked: The versions by entry id of a next generation that is asked for and not answered
            yet: whoever goes on repeats that very call, so that a lost answer loses no hold.

    """

    __tablename__ = "reservations"

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    draft_id: Mapped[UUID] = mapped_column(primary_key=True)
    part: Mapped[int] = mapped_column(Integer, primary_key=True)
    reservation_id: Mapped[str] = mapped_column(String(64))
    generation: Mapped[int] = mapped_column(Integer)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    completed: Mapped[bool] = mapped_column(Boolean)
    asked: Mapped[Mapping[str, int] | None] = mapped_column(JSONB(none_as_null=True))


ONE_OF: Final = "one-of:"
"""Stands before a code that was refused together with others."""


class VatAnswer(Base):
    """
    Hold what the books last said to a VAT code: they do not tell which codes are allowed.

    Args:
        code: The code; behind ``ONE_OF`` the answer was to a draft of several codes, one of which
            was refused, and the books did not say which.

    """

    __tablename__ = "vat_answers"

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(16), primary_key=True)
    accepted: Mapped[bool] = mapped_column(Boolean)
    answered_at: Mapped[datetime] = mapped_column(Instant)


class DraftEvent(Base):
    """Tell one thing that happened to a draft; rows are only ever added."""

    __tablename__ = "draft_events"

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    draft_id: Mapped[UUID] = mapped_column()
    what: Mapped[str] = mapped_column(String(32))
    facts: Mapped[Mapping[str, Any]] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(Instant)


class Specification(Base):
    """Hold a draft's time specification as it was made, byte for byte; ``kind`` is pdf or csv."""

    __tablename__ = "specifications"

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    draft_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime] = mapped_column(Instant)
    keep_until: Mapped[date] = mapped_column(Date)


class EntryChange(Base):
    """
    Say that a billed hour was changed in the time system, once for each version seen.

    Args:
        what: The words of ``snapshot.differences``.
        before: The hour as it was billed; ``after`` as it was seen, empty where it is gone.
        choice: ``leave`` or ``follow-up`` once a person chose.

    """

    __tablename__ = "entry_changes"
    __table_args__ = (
        Index(
            "uq_entry_changes_seen", "link_id", "draft_id", "entry_id", "entry_version", unique=True
        ),
    )

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    change_id: Mapped[UUID] = mapped_column(primary_key=True)
    draft_id: Mapped[UUID] = mapped_column()
    entry_id: Mapped[str] = mapped_column(String(64))
    entry_version: Mapped[int] = mapped_column(Integer)
    what: Mapped[Sequence[str]] = mapped_column(JSONB)
    before: Mapped[Mapping[str, Any]] = mapped_column(JSONB)
    after: Mapped[Mapping[str, Any]] = mapped_column(JSONB)
    choice: Mapped[str | None] = mapped_column(String(16))
    chosen_by: Mapped[str | None] = mapped_column(String(300))
    seen_at: Mapped[datetime] = mapped_column(Instant)
    chosen_at: Mapped[datetime | None] = mapped_column(Instant)


class BillingChoice(Base):
    """
    Hold how one scope is billed; what is not chosen there comes from the next wider one.

    Args:
        scope: ``link``, ``customer:<id>`` or ``project:<id>`` (ids of the time side).
        version: Rises at each change; the ETag.

    """

    __tablename__ = "billing_choices"

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(String(80), primary_key=True)
    values: Mapped[Mapping[str, Any]] = mapped_column(JSONB)
    version: Mapped[int] = mapped_column(Integer)
    updated_at: Mapped[datetime] = mapped_column(Instant)

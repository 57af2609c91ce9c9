"""Keep links.

The directory that all may read, and each link's own row, credentials and webhook secrets.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.canonical import LinkId, Side
from app.database import Base, Instant
from app.links.states import LinkState as LinkState  # noqa: PLC0414 - part of this room's door
from app.problems import Problem


class DirectoryEntry(Base):
    """
    Hold what is read before a link's rows may be: ids, state, due times, counters; no names.

    Args:
        time_account: The company's id in the time system; ``None`` until someone logged in there.
        books_account: The organization's id in the books system.
        next_due: When the link's next waiting change (or sweep) is due; ``None`` when nothing
            waits.
        next_sweep: When the link is swept next.
        next_draft: When a draft of the link has its next step; ``None`` when none waits.
        next_plan: When a first sync that waits for a system goes on; ``None`` when none waits.
        time_not_before: A 429 of the time system: no call for this link before then, by any
            process.
        books_not_before: The same for the books system.
        pending: Changes waiting, as the last drain counted them.
        parked: Changes waiting for a person.

    """

    __tablename__ = "link_directory"
    __table_args__ = (
        UniqueConstraint("time_account", "books_account"),
        Index(
            "uq_link_directory_open_time",
            "time_account",
            unique=True,
            postgresql_where=text("state <> 'closed'"),
        ),
        Index(
            "uq_link_directory_open_books",
            "books_account",
            unique=True,
            postgresql_where=text("state <> 'closed'"),
        ),
        Index(
            "ix_link_directory_next_due",
            "next_due",
            postgresql_where=text("next_due IS NOT NULL"),
        ),
        CheckConstraint(
            "state IN ('connecting', 'reviewing', 'active', 'paused', 'closed')", name="state"
        ),
    )

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    time_account: Mapped[str | None] = mapped_column(String(64))
    books_account: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    next_due: Mapped[datetime | None] = mapped_column(Instant)
    next_sweep: Mapped[datetime | None] = mapped_column(Instant)
    next_draft: Mapped[datetime | None] = mapped_column(Instant)
    next_plan: Mapped[datetime | None] = mapped_column(Instant)
    time_not_before: Mapped[datetime | None] = mapped_column(Instant)
    books_not_before: Mapped[datetime | None] = mapped_column(Instant)
    pending: Mapped[int] = mapped_column(Integer)
    parked: Mapped[int] = mapped_column(Integer)


class Link(Base):
    """
    Hold a link's own facts, readable only within a transaction bound to it.

    Args:
        state: The same as in the directory; both are written in one transaction by ``lifecycle``'s
            deeds.
        resume_state: Where a paused link goes when resumed, and a closed one when its couple is
            linked again (reviewing or active).
        pause_reason: A stable code a person can act on, with ``pause_detail`` for the texts.
        settings: Policies and defaults of this link (default VAT code, brake, field policies).
        features: What the books account's plan allows, as last read.
        version: Rises at each change a person can make; the ETag.

    """

    __tablename__ = "links"
    __table_args__ = (
        CheckConstraint("(state = 'paused') = (pause_reason IS NOT NULL)", name="pause"),
    )

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    resume_state: Mapped[str | None] = mapped_column(String(16))
    pause_reason: Mapped[str | None] = mapped_column(String(64))
    pause_detail: Mapped[Mapping[str, Any]] = mapped_column(JSONB)
    time_account: Mapped[str | None] = mapped_column(String(64))
    time_name: Mapped[str | None] = mapped_column(String(300))
    time_organization_number: Mapped[str | None] = mapped_column(String(20))
    books_account: Mapped[str] = mapped_column(String(64))
    books_name: Mapped[str | None] = mapped_column(String(300))
    books_organization_number: Mapped[str | None] = mapped_column(String(20))
    books_key_owner: Mapped[str | None] = mapped_column(String(300))
    return_url: Mapped[str] = mapped_column(String(2000))
    settings: Mapped[Mapping[str, Any]] = mapped_column(JSONB)
    features: Mapped[Sequence[str]] = mapped_column(JSONB)
    subscription_id: Mapped[str | None] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    last_sweep_at: Mapped[datetime | None] = mapped_column(Instant)


class Credential(Base):
    """
    Hold one sealed credential: OAuth tokens of the time side, the key of the books side.

    Args:
        fingerprint: SHA-256 of a books key, so that links sharing a key can be tested together.
        version: Rises at each renewal.
        lease_until: Until when someone may be believed to be renewing it.

    """

    __tablename__ = "credentials"

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    side: Mapped[str] = mapped_column(String(8), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    fingerprint: Mapped[str | None] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(Integer)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    lease_until: Mapped[datetime | None] = mapped_column(Instant)


class WebhookSecret(Base):
    """
    Hold one sealed secret that signs webhooks of a side; at most two are active.

    Args:
        expires_at: End of its grace after a newer one was made; ``None`` while it is the newest.

    """

    __tablename__ = "webhook_secrets"
    __table_args__ = (Index("ix_webhook_secrets_side", "link_id", "side"),)

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    secret_id: Mapped[UUID] = mapped_column(primary_key=True)
    side: Mapped[str] = mapped_column(String(8))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    last_used_at: Mapped[datetime | None] = mapped_column(Instant)


async def read_link(session: AsyncSession, link_id: LinkId) -> Link | None:
    """Read a link's row; ``None`` when it is not there or the transaction is not bound to it."""
    return await session.get(Link, link_id)


async def lock_link(session: AsyncSession, link_id: LinkId) -> Link | None:
    """Read a link's row and hold it until the transaction ends."""
    return await session.scalar(select(Link).where(Link.link_id == link_id).with_for_update())


async def lock_open_link(session: AsyncSession, link_id: LinkId) -> Link:
    """
    Read a link's row and hold it, for what a closed link must not take.

    Raises:
        Problem: ``not-found`` or ``link-closed`` (409).

    """
    link = await lock_link(session, link_id)
    if link is None:
        raise Problem("not-found")
    if link.state == LinkState.CLOSED:
        raise Problem("link-closed")
    return link


async def directory_entry(session: AsyncSession, link_id: LinkId) -> DirectoryEntry | None:
    """Read a link's line in the directory."""
    return await session.get(DirectoryEntry, link_id)


async def is_at_work(session: AsyncSession, link_id: LinkId, *states: LinkState) -> bool:
    """Say whether a link is in one of these states right now; a person may pause it any time."""
    found = await session.scalar(
        select(DirectoryEntry.state).where(DirectoryEntry.link_id == link_id)
    )
    return found in states


async def hold_back(session: AsyncSession, link_id: LinkId, side: Side, *, until: datetime) -> None:
    """Write that a system asked for patience.

    No call of this link to that side before ``until``.
    """
    column = "time_not_before" if side is Side.TIME else "books_not_before"
    await session.execute(
        update(DirectoryEntry).where(DirectoryEntry.link_id == link_id).values({column: until})
    )

"""Keep API tokens and single-use OAuth states; only hashes are stored."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, delete
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant


class ApiToken(Base):
    """
    Hold an API token of one account; the token itself is shown once and stored as SHA-256.

    Args:
        side: The side whose account it belongs to.
        hint: The last four characters, so that a person can tell tokens apart.

    """

    __tablename__ = "api_tokens"
    __table_args__ = (
        Index("uq_api_tokens_hash", "hash", unique=True),
        Index("ix_api_tokens_account", "side", "account"),
    )

    token_id: Mapped[UUID] = mapped_column(primary_key=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    hint: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(100))
    side: Mapped[str] = mapped_column(String(8))
    account: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[Sequence[str]] = mapped_column(JSONB)
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    last_used_at: Mapped[datetime | None] = mapped_column(Instant)


class OAuthState(Base):
    """
    Hold one started log-in: its state (hashed), who started it, and the sealed PKCE verifier.

    Args:
        used_at: Set once; a second use is refused.

    """

    __tablename__ = "oauth_states"

    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    link_id: Mapped[UUID] = mapped_column()
    issuer: Mapped[str] = mapped_column(String(500))
    subject: Mapped[str] = mapped_column(String(200))
    sealed_verifier: Mapped[bytes] = mapped_column(LargeBinary)
    return_url: Mapped[str] = mapped_column(String(2000))
    expires_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


async def forget_ended_states(session: AsyncSession, *, now: datetime) -> int:
    """
    Delete log-ins whose ten minutes are over, used or not; gives how many.

    One that is deleted is refused just as one that is over.
    """
    gone = await session.scalars(
        delete(OAuthState).where(OAuthState.expires_at <= now).returning(OAuthState.link_id)
    )
    return len(gone.all())

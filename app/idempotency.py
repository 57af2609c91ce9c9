"""Make a creating POST safe to repeat: the key remembers which resource the first call made."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant


class IdempotencyKey(Base):
    """
    Hold one used key: its scope, a fingerprint of the body, and what came of it.

    Args:
        scope: SHA-256 of caller, method, path and key together.
        fingerprint: SHA-256 of the canonical body.
        resource_id: The resource that the call made; ``None`` while it runs.
        lease_until: Until when a running call may be believed alive.
        fence: Rises at each take-over; a late finisher with an older fence may not commit.

    """

    __tablename__ = "idempotency_keys"

    scope: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    link_id: Mapped[UUID | None] = mapped_column()
    resource_id: Mapped[str | None] = mapped_column(String(64))
    fence: Mapped[int] = mapped_column()
    lease_until: Mapped[datetime] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)

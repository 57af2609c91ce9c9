"""Keep what was delivered: once for each id of a system, with the body as it came."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant


class Delivery(Base):
    """
    Hold one accepted webhook.

    Rows are written by the database function ``accept_delivery`` only.

    Args:
        system: The system's name, as its webhook path carries it.
        delivery_id: The sender's ``webhook-id``, the same over its retries.
        body_hash: SHA-256 (hex) of the body, to know a retry from another body under the same id.
        body: The body as it came (valid UTF-8, else it is refused), kept for 30 days.
        altered: True once the same id came with another body; a person should ask the sender why.

    """

    __tablename__ = "deliveries"

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    system: Mapped[str] = mapped_column(String(32), primary_key=True)
    delivery_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    event: Mapped[str] = mapped_column(String(100))
    body_hash: Mapped[str] = mapped_column(String(64))
    body: Mapped[str | None] = mapped_column(Text)
    altered: Mapped[bool] = mapped_column(Boolean)
    received_at: Mapped[datetime] = mapped_column(Instant)

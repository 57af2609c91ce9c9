"""Keep what was delivered: once for each id of a system, with the body as it came."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Boolean, String, Text, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.canonical import LinkId
from app.database import Base, Instant

BODIES_KEPT: Final = timedelta(days=30)
"""Bodies may name persons, and nobody asks what a webhook said a month ago."""

IDS_KEPT: Final = timedelta(days=90)
"""Longer than any sender's retries last: a forgotten id would be taken for a new delivery."""

FORGOTTEN_AT_ONCE: Final = 1000
"""Most deliveries that one call of ``forget_old`` touches, so that no transaction grows long."""


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


# Along the primary key, link by link: an index by time would cost every webhook.
_FORGET: Final = text("""
WITH old AS MATERIALIZED (
  SELECT system, delivery_id, received_at <= :ids_before AS whole FROM deliveries
  WHERE link_id = :link_id
    AND (received_at <= :ids_before OR received_at <= :bodies_before AND body IS NOT NULL)
  LIMIT :most FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM deliveries d USING old
  WHERE d.link_id = :link_id AND d.system = old.system AND d.delivery_id = old.delivery_id
    AND old.whole
), emptied AS (
  UPDATE deliveries d SET body = NULL FROM old
  WHERE d.link_id = :link_id AND d.system = old.system AND d.delivery_id = old.delivery_id
    AND NOT old.whole
)
SELECT count(*) FROM old
""")


async def forget_old(
    session: AsyncSession, link_id: LinkId, *, now: datetime, most: int = FORGOTTEN_AT_ONCE
) -> int:
    """
    Empty a link's bodies after 30 days and forget its deliveries after 90; gives how many.

    Call again, each time in a transaction of its own, until it gives 0.
    """
    found: int | None = await session.scalar(
        _FORGET,
        {
            "link_id": link_id,
            "bodies_before": now - BODIES_KEPT,
            "ids_before": now - IDS_KEPT,
            "most": most,
        },
    )
    return found or 0

"""Make, take, list and revoke the secrets that sign webhooks; two of a side at most are active."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.canonical import LinkId, Side
from app.links.identity import webhook_secret_identity
from app.links.store import WebhookSecret
from app.problems import Problem
from app.systems.signatures import encode_secret
from app.vault import Vault

GRACE: Final = timedelta(hours=24)
MOST_ACTIVE: Final = 2


async def active_secrets(
    session: AsyncSession, link_id: LinkId, side: Side, *, now: datetime
) -> Sequence[WebhookSecret]:
    """Read a side's secrets that still verify, the newest first."""
    rows = await session.scalars(
        select(WebhookSecret)
        .where(
            WebhookSecret.link_id == link_id,
            WebhookSecret.side == side.value,
            or_(WebhookSecret.expires_at.is_(None), WebhookSecret.expires_at > now),
        )
        .order_by(WebhookSecret.created_at.desc(), WebhookSecret.secret_id.desc())
    )
    return rows.all()


async def make_secret(
    session: AsyncSession, vault: Vault, link_id: LinkId, *, now: datetime
) -> tuple[WebhookSecret, str]:
    """
    Make a secret for the books side; the one before ends after 24 hours.

    Gives the row and the secret's text, which is shown this once.

    Raises:
        Problem: ``webhook-secrets-full`` when two are active.

    """
    active = await active_secrets(session, link_id, Side.BOOKS, now=now)
    if len(active) >= MOST_ACTIVE:
        raise Problem("webhook-secrets-full")
    _end_older(active, now)
    text = encode_secret(secrets.token_bytes(32))
    row = await keep_secret(session, vault, link_id, Side.BOOKS, text, now=now)
    return row, text


async def revoke_secret(session: AsyncSession, link_id: LinkId, secret_id: UUID) -> bool:
    """End a secret of the books side now; gives whether it was there."""
    found = await session.execute(
        delete(WebhookSecret)
        .where(
            WebhookSecret.link_id == link_id,
            WebhookSecret.secret_id == secret_id,
            WebhookSecret.side == Side.BOOKS.value,
        )
        .returning(WebhookSecret.secret_id)
    )
    return found.scalar() is not None


async def take_secret(
    session: AsyncSession, vault: Vault, link_id: LinkId, text: str, *, now: datetime
) -> None:
    """Keep a secret that the time system made; of those before, the newest verifies for a day."""
    _end_older(await active_secrets(session, link_id, Side.TIME, now=now), now)
    await keep_secret(session, vault, link_id, Side.TIME, text, now=now)


async def keep_secret(
    session: AsyncSession, vault: Vault, link_id: LinkId, side: Side, text: str, *, now: datetime
) -> WebhookSecret:
    """Seal and store a secret."""
    secret_id = uuid7()
    row = WebhookSecret(
        link_id=link_id, secret_id=secret_id, side=side.value,
        sealed=vault.seal(text.encode(), identity=webhook_secret_identity(link_id, secret_id)),
        created_at=now, expires_at=None, last_used_at=None,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    return row


def _end_older(active: Sequence[WebhookSecret], now: datetime) -> None:
    """Let the newest verify for a day yet, so that a sender can change over; end the others."""
    for place, older in enumerate(active):
        older.expires_at = now if place else now + GRACE

"""Close a link: stop its work, keep its pairs and hours as evidence, erase its key."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, Side
from app.links.change_state import enter
from app.links.store import Credential, LinkState, WebhookSecret, lock_link
from app.problems import Problem


async def close_link(session: AsyncSession, link_id: LinkId, *, now: datetime) -> None:
    """
    Close a link; closing a closed one changes nothing.

    The time system is told by the job that the change of state defers; its log-in is erased after
    that. The books side's secrets stay, so that a late webhook hears 410 rather than 401.
    """
    link = await lock_link(session, link_id)
    if link is None:
        raise Problem("not-found")
    if link.state == LinkState.CLOSED:
        return
    await enter(session, link, LinkState.CLOSED, now=now)
    await session.execute(
        delete(Credential).where(Credential.link_id == link_id, Credential.side == Side.BOOKS.value)
    )


async def erase_old_secrets(session: AsyncSession, link_id: LinkId, *, keep: object) -> None:
    """Erase the time side's older secrets once a new log-in made one of its own."""
    await session.execute(
        delete(WebhookSecret).where(
            WebhookSecret.link_id == link_id,
            WebhookSecret.side == Side.TIME.value,
            WebhookSecret.secret_id != keep,
        )
    )

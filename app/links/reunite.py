"""Give a log-in of a couple that was linked before back to the couple's own link."""

from contextlib import suppress
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, Side
from app.links.change_state import enter
from app.links.credentials import keep_credential, key_fingerprint, open_credential
from app.links.leave import close_link
from app.links.store import DirectoryEntry, Link, LinkState, lock_link
from app.problems import Problem
from app.systems.ports import Unauthorised
from app.vault import Vault


async def closed_link_of(
    session: AsyncSession, *, time_account: str, books_account: str
) -> LinkId | None:
    """Find the closed link of a couple; ``None`` where there is none, or it is not closed."""
    found = await session.scalar(
        select(DirectoryEntry.link_id).where(
            DirectoryEntry.time_account == time_account,
            DirectoryEntry.books_account == books_account,
            DirectoryEntry.state == LinkState.CLOSED,
        )
    )
    return None if found is None else LinkId(found)


async def reunite(
    session: AsyncSession, vault: Vault, started: Link, earlier: LinkId, *, now: datetime
) -> Link:
    """
    Reopen a couple's closed link in place of the one that was started; gives it, locked.

    The started link is closed. What was typed at the start goes along, and so does a key that was
    put there: it opens the same organization. The session must be bound to both links.

    Raises:
        Problem: ``handover-refused``; one of the two moved meanwhile.
        sqlalchemy.exc.IntegrityError: The company is in another open link.

    """
    link = await lock_link(session, earlier)
    connecting = started.state == LinkState.CONNECTING
    if not connecting or link is None or link.state != LinkState.CLOSED:
        raise Problem("handover-refused")
    key = await _key_of(session, vault, LinkId(started.link_id))
    await close_link(session, LinkId(started.link_id), now=now)
    link.return_url = started.return_url
    link.books_name = started.books_name or link.books_name
    link.books_organization_number = started.books_organization_number
    if key is not None:
        link.books_key_owner, link.features = started.books_key_owner, started.features
        await keep_credential(
            session, vault, earlier, Side.BOOKS, key,
            now=now, fingerprint=key_fingerprint(key.decode()),
        )  # fmt: skip
    await enter(session, link, LinkState.CONNECTING, now=now)
    return link


async def _key_of(session: AsyncSession, vault: Vault, link_id: LinkId) -> bytes | None:
    with suppress(Unauthorised):  # one that cannot be opened is asked for anew
        return await open_credential(session, vault, link_id, Side.BOOKS)
    return None

"""Open the two systems for a link.

Read its credential in a short transaction, bind a client to it.
"""

from app.canonical import LinkId, Side
from app.links.credentials import open_credential
from app.links.store import read_link
from app.links.token_keeper import LinkTokens
from app.runtime import Runtime
from app.systems.ports import (
    AccessReason,
    AccountingSystem,
    RecordKeeper,
    TimeTracker,
    Unauthorised,
)


async def open_time(runtime: Runtime, link_id: LinkId) -> TimeTracker:
    """Bind the time system to a link; nothing is called yet, tokens are read when needed."""
    return runtime.systems.time.open(LinkTokens(runtime, link_id), pace_key=str(link_id))


async def open_books(runtime: Runtime, link_id: LinkId) -> AccountingSystem:
    """
    Bind the books system to a link.

    Raises:
        Unauthorised: The link has no key, or one that our key ring cannot open.

    """
    async with runtime.database.reading(link_id) as session:
        link = await read_link(session, link_id)
        key = await open_credential(session, runtime.vault, link_id, Side.BOOKS)
    if link is None or key is None:
        raise Unauthorised("the link has no key", reason=AccessReason.CREDENTIAL_MISSING)
    return runtime.systems.books.open(link.books_account, key.decode(), pace_key=str(link_id))


async def open_side(runtime: Runtime, link_id: LinkId, side: Side) -> RecordKeeper:
    """Bind the system of a side to a link."""
    if side is Side.TIME:
        return await open_time(runtime, link_id)
    return await open_books(runtime, link_id)

"""Tell the time system where a link stands, so that its pages show the banner and the lock."""

from app.canonical import LinkId, Side
from app.database import CommitPoint
from app.links.key import pause_sharers
from app.links.lifecycle import PROJECTS, PauseReason, told_status
from app.links.open_systems import open_time
from app.links.store import Credential, Link, LinkState, read_link
from app.runtime import Runtime
from app.systems.ports import LinkFacts, NotFound, Rejected, Unauthorised, Unreachable


async def tell_link(runtime: Runtime, link_id: LinkId) -> None:
    """
    Tell the link's present state (job ``TELL_LINK``); for a closed link, say goodbye and forget.

    Telling is a courtesy: when the time system is away or refuses us, the next change of state
    tells again, and nothing of the link's work hangs on it. A refused key is tried for the other
    links that share it, so that each is told once.
    """
    async with runtime.database.reading(link_id) as session:
        link = await read_link(session, link_id)
        has_login = await session.get(Credential, (link_id, Side.TIME.value)) is not None
    if link is None:
        return
    if link.pause_reason == PauseReason.KEY_REFUSED:
        await pause_sharers(runtime, link_id)
    if not has_login:
        return
    try:
        if link.state == LinkState.CLOSED:
            await _say_goodbye(runtime, link_id, link)
        elif link.state != LinkState.CONNECTING:
            tracker = await open_time(runtime, link_id)
            await tracker.tell_link(_facts(runtime, link))
    except (Unreachable, Unauthorised, NotFound, Rejected):
        if link.state == LinkState.CLOSED:
            await _forget(runtime, link_id)


def _facts(runtime: Runtime, link: Link) -> LinkFacts:
    return LinkFacts(
        status=told_status(LinkState(link.state)),
        organization_name=link.books_name or "",
        organization_number=link.books_organization_number,
        project_sync=PROJECTS in link.features,
        invoice_page_url=runtime.systems.books.draft_page(link.books_account),
        message=link.pause_reason,
    )


async def _say_goodbye(runtime: Runtime, link_id: LinkId, link: Link) -> None:
    tracker = await open_time(runtime, link_id)
    if link.subscription_id is not None:
        await tracker.unsubscribe(link.subscription_id)
    await tracker.forget_link()
    await _forget(runtime, link_id)


async def _forget(runtime: Runtime, link_id: LinkId) -> None:
    """Erase the closed link's log-in; pairs and the hour ledger stay."""
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        link = await read_link(session, link_id)
        row = await session.get(Credential, (link_id, Side.TIME.value))
        if link is not None and link.state == LinkState.CLOSED and row is not None:
            link.subscription_id = None
            await session.delete(row)

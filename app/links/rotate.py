"""Let the time system change the secret that signs its webhooks."""

from app.canonical import LinkId
from app.database import CommitPoint
from app.links.open_systems import open_time
from app.links.store import read_link
from app.links.webhook_secrets import take_secret
from app.problems import Problem
from app.runtime import Runtime


async def rotate_time_secret(runtime: Runtime, link_id: LinkId) -> None:
    """
    Take a new secret in place of the one before, which verifies for a day yet.

    Repeating it after an answer was lost is right: the secret made last signs, and is taken.

    Raises:
        Problem: ``not-found`` when the link never subscribed.
        SystemFault: The time system is away or refuses; nothing changed here.

    """
    async with runtime.database.reading(link_id) as session:
        link = await read_link(session, link_id)
    if link is None or link.subscription_id is None:
        raise Problem("not-found")
    tracker = await open_time(runtime, link_id)
    text = await tracker.rotate_secret(link.subscription_id)
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await take_secret(session, runtime.vault, link_id, text, now=runtime.clock())

"""Show drafts as they stand now, with their hours and what happened to them."""

from uuid import UUID

from sqlalchemy import select

from app.canonical import LinkId
from app.invoicing.answers import DraftAnswer, draft_answer
from app.invoicing.ledger import hours_of
from app.invoicing.store import Draft, DraftEvent
from app.invoicing.vat import PERCENT
from app.links.store import read_link
from app.problems import Problem
from app.runtime import Runtime


async def existing_draft(runtime: Runtime, link_id: LinkId, draft_id: UUID) -> Draft:
    """
    Read a draft of a link.

    Raises:
        Problem: ``not-found``.

    """
    async with runtime.database.reading(link_id) as session:
        draft = await session.get(Draft, (link_id, draft_id))
    if draft is None:
        raise Problem("not-found")
    return draft


async def show_draft(
    runtime: Runtime, link_id: LinkId, draft_id: UUID, language: str
) -> DraftAnswer:
    """
    Show a draft in a language.

    Raises:
        Problem: ``not-found``.

    """
    draft = await existing_draft(runtime, link_id, draft_id)
    async with runtime.database.reading(link_id) as session:
        link = await read_link(session, link_id)
        rows = await hours_of(session, link_id, draft_id)
        events = await session.scalars(
            select(DraftEvent)
            .where(DraftEvent.link_id == link_id, DraftEvent.draft_id == draft_id)
            .order_by(DraftEvent.event_id)
        )
        page = runtime.systems.books.draft_page(link.books_account if link else "")
        return draft_answer(
            draft, rows, events.all(), percent=PERCENT, conta_url=page, language=language
        )

"""Show previews, and drafts as they stand now with their hours and what happened to them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select

from app.canonical import LinkId
from app.invoicing.answers import DraftAnswer, PreviewAnswer, draft_answer, preview_answer
from app.invoicing.ledger.ledger import hours_of
from app.invoicing.lines.vat import PERCENT
from app.invoicing.previews.preview import vat_said
from app.invoicing.store import Draft, DraftEvent, Preview
from app.invoicing.unbilled.extras_added import added_extras
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
    (shown,) = await show_drafts(runtime, link_id, [draft], language)
    return shown


async def show_preview(
    runtime: Runtime, link_id: LinkId, preview: Preview, language: str
) -> PreviewAnswer:
    """Show a preview in a language, with what the books last said to each VAT code."""
    async with runtime.database.reading(link_id) as session:
        said = await vat_said(session, link_id)
    return preview_answer(preview, PERCENT, said, language)


async def show_drafts(
    runtime: Runtime, link_id: LinkId, drafts: Sequence[Draft], language: str
) -> list[DraftAnswer]:
    """Show drafts in their order: one query for all their hours, one for all their events."""
    ids = [draft.draft_id for draft in drafts]
    async with runtime.database.reading(link_id) as session:
        link = await read_link(session, link_id)
        hours = await hours_of(session, link_id, ids)
        found = await session.scalars(
            select(DraftEvent)
            .where(DraftEvent.link_id == link_id, DraftEvent.draft_id.in_(ids))
            .order_by(DraftEvent.event_id)
        )
        events: dict[UUID, list[DraftEvent]] = defaultdict(list)
        for event in found:
            events[event.draft_id].append(event)
        added = await added_extras(session, link_id, drafts)
    page = runtime.systems.books.draft_page(link.books_account if link else "")
    shown = [
        draft_answer(
            draft, hours[draft.draft_id], events[draft.draft_id], percent=PERCENT, conta_url=page,
            language=language,
        )
        for draft in drafts
    ]  # fmt: skip
    return [_with_added(one, added.get(one.id, {})) for one in shown]


def _with_added(shown: DraftAnswer, added: Mapping[str, list[str]]) -> DraftAnswer:
    """Show what came to hours later with what the draft left out."""
    left = shown.expenses_left_out
    both = {
        entry_id: list(dict.fromkeys([*left.get(entry_id, ()), *added.get(entry_id, ())]))
        for entry_id in {**left, **added}
    }
    return shown.model_copy(update={"expenses_left_out": both})

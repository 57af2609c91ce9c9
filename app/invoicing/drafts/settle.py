"""Take an unfinished draft further (job ``SETTLE_DRAFT``).

After a death, a wait, or a lost answer.
"""

from uuid import UUID

from app.canonical import LinkId
from app.invoicing.drafts.advance import advance
from app.invoicing.drafts.complete import finish_hours
from app.invoicing.drafts.set_free import tell_freed
from app.invoicing.store import DraftState
from app.links.store import LinkState, is_at_work
from app.runtime import Runtime


async def settle_draft(runtime: Runtime, link_id: LinkId, *, draft_id: str) -> None:
    """
    Advance a draft; where it stands in the books, or was refused, finish its hours too.

    A link that does not work now keeps its drafts as they are; they are due again when it does.
    """
    async with runtime.database.reading(link_id) as session:
        if not await is_at_work(session, link_id, LinkState.ACTIVE):
            return
    draft = await advance(runtime, link_id, UUID(draft_id))
    if draft.state in (DraftState.CREATED, DraftState.REFUSED, DraftState.RELEASED):
        await finish_hours(runtime, link_id, draft)
    await tell_freed(runtime, link_id, draft)

"""Record what a person chose about hours that changed after they were billed, and take it back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId
from app.invoicing.store import Draft, EntryChange

FOLLOW_UP: Final = "followUp"
"""Names, in a draft's frozen body, the changes whose difference it bills."""


async def choose(
    session: AsyncSession,
    link_id: LinkId,
    change_ids: Sequence[UUID],
    choice: str,
    *,
    by: str,
    now: datetime,
) -> int:
    """Record what a person chose; gives how many were still open."""
    rows = await session.scalars(
        update(EntryChange)
        .where(
            EntryChange.link_id == link_id, EntryChange.change_id.in_(change_ids),
            EntryChange.choice.is_(None),
        )
        .values(choice=choice, chosen_by=by, chosen_at=now)
        .returning(EntryChange.change_id)
    )  # fmt: skip
    return len(rows.all())


def changes_of(draft: Draft) -> list[UUID]:
    """Give the changes that a follow-up draft bills; none for any other draft."""
    return [UUID(one) for one in draft.body.get("about", {}).get(FOLLOW_UP, [])]


async def reopen(session: AsyncSession, draft: Draft) -> None:
    """Open the changes of a follow-up again that came to nothing."""
    ids = changes_of(draft)
    if ids:
        await session.execute(
            update(EntryChange)
            .where(
                EntryChange.link_id == draft.link_id, EntryChange.change_id.in_(ids),
                EntryChange.choice == "follow-up",
            )
            .values(choice=None, chosen_by=None, chosen_at=None)
        )  # fmt: skip

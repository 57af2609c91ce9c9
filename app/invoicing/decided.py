"""Record what a person chose about hours that changed after they were billed, and take it back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId
from app.invoicing.store import Draft, EntryChange, LedgerRow

FOLLOW_UP: Final = "followUp"
"""Names, in a draft's frozen body, the changes whose difference it bills."""


def is_open(link_id: LinkId) -> ColumnElement[bool]:
    """
    Choose the changes of a link that wait for a person.

    Those of an hour that was released since are none any more: a new draft bills all of it.
    """
    billed = exists().where(
        LedgerRow.link_id == EntryChange.link_id, LedgerRow.draft_id == EntryChange.draft_id,
        LedgerRow.entry_id == EntryChange.entry_id, LedgerRow.active,
    )  # fmt: skip
    return and_(EntryChange.link_id == link_id, EntryChange.choice.is_(None), billed)


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
        .where(is_open(link_id), EntryChange.change_id.in_(change_ids))
        .values(choice=choice, chosen_by=by, chosen_at=now)
        .returning(EntryChange.change_id)
    )
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

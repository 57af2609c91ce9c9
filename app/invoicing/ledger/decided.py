"""Record what a person chose about hours that changed after they were billed, and take it back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId
from app.invoicing.store import Draft, EntryChange, LedgerRow

FOLLOW_UP: Final = "followUp"
"""Names, in a draft's frozen body, the changes whose difference it bills."""


VERSIONS: Final = "versions"
"""Names, in a follow-up's body, its hours' versions when it was previewed; it holds no hours."""

UPON: Final = "upon"
"""Names, in a follow-up's frozen body, the changes that were followed up before it."""


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
    await session.execute(  # in one order, so that two never wait in a circle
        select(EntryChange.change_id)
        .where(EntryChange.link_id == link_id, EntryChange.change_id.in_(change_ids))
        .order_by(EntryChange.change_id)
        .with_for_update()
    )
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


async def reopen(session: AsyncSession, draft: Draft, *, now: datetime) -> None:
    """
    Open the changes of a follow-up again that came to nothing.

    An hour has one open change at most: what was noted after it, open or left, takes it in and is
    asked about once more.
    """
    ids = changes_of(draft)
    if not ids:
        return
    reopened = await session.scalars(
        update(EntryChange)
        .where(
            EntryChange.link_id == draft.link_id, EntryChange.change_id.in_(ids),
            EntryChange.choice == "follow-up",
        )
        .values(choice=None, chosen_by=None, chosen_at=None)
        .returning(EntryChange)
    )  # fmt: skip
    older = {(row.draft_id, row.entry_id): row for row in reopened}
    later = await session.scalars(
        select(EntryChange)
        .where(
            EntryChange.link_id == draft.link_id,
            EntryChange.choice.is_(None) | (EntryChange.choice == "leave"),
            EntryChange.draft_id.in_({draft_id for draft_id, _ in older}),
            EntryChange.entry_id.in_({entry_id for _, entry_id in older}),
            EntryChange.change_id.not_in(ids),
        )
        .order_by(EntryChange.change_id)
    )
    for row in later:
        first = older.get((row.draft_id, row.entry_id))
        if first is None or row.change_id < first.change_id:
            continue
        row.before, row.choice, row.chosen_by, row.chosen_at = first.before, None, None, None
        row.what = [*first.what, *(word for word in row.what if word not in first.what)]
        first.choice, first.chosen_at = "overtaken", now
        older[row.draft_id, row.entry_id] = row

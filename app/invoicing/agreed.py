"""Read how the hours of drafts count by now: as first billed, or as last followed up or left."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId
from app.invoicing.corrections import EXTRAS, CorrectionRow, corrections_of
from app.invoicing.difference import Frozen, stays
from app.invoicing.store import Draft, DraftState, EntryChange, LedgerRow

_STANDING: Final = frozenset({DraftState.CREATED, DraftState.COMPLETED})


async def agreed_hours(
    session: AsyncSession, link_id: LinkId, drafts: Sequence[Draft]
) -> Mapping[UUID, Mapping[str, Frozen]]:
    """
    Give each draft's hours as they count by now; one that was taken back counts no more.

    What a person left as it was billed counts as it was left: a later change is compared with
    that. An hour that was left though it is gone, or another customer's, counts as it was billed.
    """
    found = {draft.draft_id: dict(draft.body.get("entries", {})) for draft in drafts}
    customers = {draft.draft_id: draft.customer_time_id for draft in drafts}
    rows = await session.scalars(
        select(EntryChange)
        .where(
            EntryChange.link_id == link_id, EntryChange.draft_id.in_(found),
            EntryChange.choice.in_(("leave", "follow-up")),
        )
        .order_by(EntryChange.change_id)
    )  # fmt: skip
    for change in rows:
        hours = found[change.draft_id]
        if stays(change.after, customers[change.draft_id]):
            hours[change.entry_id] = change.after
        elif change.choice == "follow-up":
            hours.pop(change.entry_id, None)
    return found


async def unfinished_upon(
    session: AsyncSession, link_id: LinkId, changes: Sequence[EntryChange], *, hold: bool = False
) -> list[UUID]:
    """
    Give the living follow-ups of the same hours that do not stand in the books yet.

    Another difference upon one of them would be wrong, should the books refuse it.

    Args:
        hold: Keep all living ones as they are until the transaction ends.

    """
    upon = select(CorrectionRow.draft_id).where(
        CorrectionRow.link_id == link_id,
        CorrectionRow.active,
        tuple_(CorrectionRow.corrected_id, CorrectionRow.entry_id).in_(
            [(change.draft_id, change.entry_id) for change in changes]
        ),
    )
    living = (
        select(Draft.draft_id, Draft.state)
        .where(Draft.link_id == link_id, Draft.draft_id.in_(upon))
        .order_by(Draft.draft_id)
    )
    rows = await session.execute(living.with_for_update(read=True) if hold else living)
    return [draft_id for draft_id, state in rows if state not in _STANDING]


async def is_as_agreed(session: AsyncSession, follow_up: Draft) -> bool:
    """Say whether a follow-up's hours still count as they did when it was previewed."""
    link_id = LinkId(follow_up.link_id)
    found = corrections_of(follow_up)
    ids = sorted({UUID(one["draftId"]) for one in found})
    drafts = [await session.get_one(Draft, (link_id, one)) for one in ids]
    agreed = await agreed_hours(session, link_id, drafts)
    kept = {draft.draft_id: draft.body.get("entries", {}) for draft in drafts}
    return all(
        one["before"] == agreed[UUID(one["draftId"])].get(one["entryId"])
        for one in found
        if one["entryId"] in kept[UUID(one["draftId"])] and one.get("kind") != EXTRAS
    )


async def are_billed(session: AsyncSession, follow_up: Draft) -> bool:
    """Say whether all hours of a follow-up still stand in the drafts it follows."""
    found = {(one["draftId"], one["entryId"]) for one in corrections_of(follow_up)}
    rows = await session.execute(
        select(LedgerRow.draft_id, LedgerRow.entry_id).where(
            LedgerRow.link_id == follow_up.link_id,
            LedgerRow.active,
            LedgerRow.draft_id.in_({UUID(draft_id) for draft_id, _ in found}),
        )
    )
    return found <= {(str(draft_id), entry_id) for draft_id, entry_id in rows}

"""Read what followed of drafts: how their hours count by now, and what else is under way."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId
from app.invoicing.ledger.corrections import CorrectionRow, corrections_of, is_extra
from app.invoicing.ledger.decided import UPON
from app.invoicing.ledger.places import stands
from app.invoicing.lines.difference import Frozen, stays
from app.invoicing.store import Draft, EntryChange, LedgerRow


async def followed(
    session: AsyncSession, link_id: LinkId, draft_ids: Sequence[UUID]
) -> Mapping[UUID, list[EntryChange]]:
    """Read the changes that follow-ups bill, by the draft that billed first, the oldest first."""
    rows = await session.scalars(
        select(EntryChange)
        .where(
            EntryChange.link_id == link_id, EntryChange.draft_id.in_(draft_ids),
            EntryChange.choice == "follow-up",
        )
        .order_by(EntryChange.change_id)
    )  # fmt: skip
    found: dict[UUID, list[EntryChange]] = {one: [] for one in draft_ids}
    for row in rows:
        found[row.draft_id].append(row)
    return found


def counted_hours(draft: Draft, changes: Sequence[EntryChange]) -> dict[str, Frozen]:
    """
    Give a draft's hours as they are billed by now; one that was taken back counts no more.

    Args:
        changes: Those that follow-ups bill, the oldest first.

    """
    hours: dict[str, Frozen] = dict(draft.body.get("entries", {}))
    for change in changes:
        if stays(change.after, draft.customer_time_id):
            hours[change.entry_id] = change.after
        else:
            hours.pop(change.entry_id, None)
    return hours


async def not_standing(
    session: AsyncSession, link_id: LinkId, draft_ids: Sequence[UUID], *, hold: bool = False
) -> list[UUID]:
    """
    Give which of these drafts, and of the living follow-ups upon them, do not stand in the books.

    A difference upon one that is refused yet, or released, would be billed twice or not at all.

    Args:
        hold: Keep all of them as they are until the transaction ends.

    """
    living = upon(link_id, draft_ids)
    rows = await session.scalars(living.with_for_update() if hold else living)
    return [draft.draft_id for draft in rows if not stands(draft)]


def upon(link_id: LinkId, draft_ids: Sequence[UUID]) -> Select[Draft]:
    """Choose these drafts and the living follow-ups upon them, always in one order."""
    follow_ups = select(CorrectionRow.draft_id).where(
        CorrectionRow.link_id == link_id, CorrectionRow.active, CorrectionRow.corrected_line > 0,
        CorrectionRow.corrected_id.in_(draft_ids),
    )  # fmt: skip
    chosen = Draft.draft_id.in_(follow_ups) | Draft.draft_id.in_(draft_ids)
    return (
        select(Draft)
        .where(Draft.link_id == link_id, chosen)
        .order_by(Draft.draft_id)
        .execution_options(populate_existing=True)
    )


async def is_as_previewed(session: AsyncSession, follow_up: Draft) -> bool:
    """
    Say whether a follow-up is still upon what it was previewed upon, and its hours are billed.

    Until the transaction ends nothing it is upon is released, refused or followed up by another.
    """
    link_id = LinkId(follow_up.link_id)
    found = {(UUID(one["draftId"]), one["entryId"]) for one in corrections_of(follow_up)}
    ids = sorted({draft_id for draft_id, _ in found})
    if await not_standing(session, link_id, ids, hold=True):
        return False
    rows = await session.execute(
        select(LedgerRow.draft_id, LedgerRow.entry_id).where(
            LedgerRow.link_id == link_id, LedgerRow.active, LedgerRow.draft_id.in_(ids)
        )
    )
    if not found <= {(draft_id, entry_id) for draft_id, entry_id in rows}:
        return False
    if all(map(is_extra, corrections_of(follow_up))):
        return True
    before = await followed(session, link_id, ids)
    return bool(upon_ids(before) == follow_up.body["about"].get(UPON))


def upon_ids(upon: Mapping[UUID, Sequence[EntryChange]]) -> list[str]:
    """Name what a follow-up is upon: the changes followed before it, in order."""
    return sorted(str(change.change_id) for changes in upon.values() for change in changes)

"""
Set free what a follow-up took back whole, once it is an invoice: the hour can be billed anew.

Until then the hour stays in its first draft: a follow-up that is deleted took nothing back.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.canonical import EntryId, LinkId
from app.database import CommitPoint
from app.invoicing.corrections import CorrectionRow
from app.invoicing.ledger import one_of
from app.invoicing.reserve import part_of, parts_of
from app.invoicing.store import Draft, DraftEvent, LedgerRow
from app.links.open_systems import open_time
from app.runtime import Runtime
from app.systems.ports import NotFound, ReleaseReason


async def give_back(runtime: Runtime, link_id: LinkId, follow_up: Draft) -> None:
    """
    Set free, in the time system and then in the ledger, what an invoiced follow-up took back.

    Safe to repeat and to die in: an hour is asked for again until the ledger has it free.

    Raises:
        SystemFault: The time system is away; the next look tries again.

    """
    async with runtime.database.reading(link_id) as session:
        taken = await _to_give(session, follow_up)
        drafts = {one: await session.get_one(Draft, (link_id, one)) for one in taken}
    for draft_id, entry_ids in taken.items():
        draft = drafts[draft_id]
        await free_in_time(runtime, link_id, draft, entry_ids, ReleaseReason.INVOICE_CREDITED)
        await _keep_given(runtime, link_id, follow_up, draft, entry_ids)


async def _to_give(session: AsyncSession, follow_up: Draft) -> dict[UUID, list[EntryId]]:
    rows = await session.execute(
        select(CorrectionRow.corrected_id, CorrectionRow.entry_id)
        .where(
            CorrectionRow.link_id == follow_up.link_id,
            CorrectionRow.draft_id == follow_up.draft_id, CorrectionRow.active,
            CorrectionRow.takes_back, CorrectionRow.given_back_at.is_(None),
        )
        .order_by(CorrectionRow.corrected_id, CorrectionRow.entry_id)
    )  # fmt: skip
    found: dict[UUID, list[EntryId]] = defaultdict(list)
    for draft_id, entry_id in rows:
        found[draft_id].append(EntryId(entry_id))
    return found


async def free_in_time(
    runtime: Runtime,
    link_id: LinkId,
    draft: Draft,
    entry_ids: Sequence[EntryId],
    reason: ReleaseReason,
) -> None:
    """
    Take the mark off some of a draft's hours in the time system; again changes nothing.

    Raises:
        SystemFault: The time system is away; some of them may be free there already.

    """
    tracker = await open_time(runtime, link_id)
    held = {part.part: part.reservation_id for part in await parts_of(runtime, link_id, draft)}
    by_part: dict[int, list[EntryId]] = defaultdict(list)
    for entry_id in entry_ids:
        by_part[part_of(draft, entry_id)].append(entry_id)
    for part, chosen in by_part.items():
        if not held.get(part):
            continue
        try:
            await tracker.release(held[part], reason=reason, entry_ids=tuple(chosen))
        except NotFound:
            continue


async def free_in_ledger(
    session: AsyncSession, draft: Draft, entry_ids: Sequence[EntryId], *, now: datetime
) -> None:
    """Set some of a draft's hours free in the ledger; what followed of them stays as it is."""
    await session.execute(
        update(LedgerRow)
        .where(
            LedgerRow.link_id == draft.link_id, LedgerRow.draft_id == draft.draft_id,
            LedgerRow.active, one_of(LedgerRow.entry_id, entry_ids),
        )
        .values(active=False, freed_at=now)
    )  # fmt: skip


async def _keep_given(
    runtime: Runtime,
    link_id: LinkId,
    follow_up: Draft,
    draft: Draft,
    entry_ids: Sequence[EntryId],
) -> None:
    now = runtime.clock()
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await free_in_ledger(session, draft, entry_ids, now=now)
        await session.execute(
            update(CorrectionRow)
            .where(
                CorrectionRow.link_id == link_id, CorrectionRow.draft_id == follow_up.draft_id,
                CorrectionRow.active, one_of(CorrectionRow.entry_id, entry_ids),
            )
            .values(given_back_at=now)
        )  # fmt: skip
        facts = {"entryIds": list(entry_ids), "followUp": str(follow_up.draft_id)}
        session.add(
            DraftEvent(
                link_id=link_id, event_id=uuid7(), draft_id=draft.draft_id,
                what="hours given back", facts=facts, at=now,
            )
        )  # fmt: skip

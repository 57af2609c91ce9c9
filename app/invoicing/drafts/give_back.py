"""
Set free what a follow-up took back whole, once it is an invoice: the hour can be billed anew.

Until then the hour stays in its first draft: a follow-up that is deleted took nothing back.
"""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from uuid_utils.compat import uuid7

from app.canonical import LinkId
from app.database import CommitPoint
from app.invoicing.drafts.set_free import free_single, lock_draft, tell_freed
from app.invoicing.ledger.corrections import CorrectionRow, corrections_of
from app.invoicing.store import Draft, DraftEvent, DraftState
from app.runtime import Runtime


async def give_back(
    runtime: Runtime, link_id: LinkId, follow_up: Draft, *, gone_lines: Collection[int]
) -> None:
    """
    Set free what an invoiced follow-up took back; safe to repeat and to die in.

    An hour stays held where a later follow-up put it on again, and where its draft's hours are not
    marked yet; the next look asks again. So does one that counted no more: an earlier follow-up
    took it off and gives it back itself, or a person left its bill to stand, beside which it must
    not be billed again.

    Args:
        gone_lines: Lines (from 1) that the invoice does not have: what they took off still counts.

    """
    if not corrections_of(follow_up):
        return
    stay = {
        UUID(one["changeId"])
        for one in corrections_of(follow_up)
        if set(one["lines"]) & set(gone_lines) or one["before"] is None
    }
    async with runtime.database.reading(link_id) as session:
        drafts = {
            one: await session.get_one(Draft, (link_id, one))
            for one in await _to_give(session, follow_up, stay)
        }
    for draft in drafts.values():
        await _give(runtime, link_id, follow_up, draft, stay)


async def _give(
    runtime: Runtime, link_id: LinkId, follow_up: Draft, draft: Draft, stay: Collection[UUID]
) -> None:
    now = runtime.clock()
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        locked = await lock_draft(session, link_id, draft)
        given = (await _to_give(session, follow_up, stay)).get(draft.draft_id, {})
        if locked.state != DraftState.COMPLETED or not given:
            return
        await free_single(session, locked, sorted(given.values()), now=now)
        await session.execute(
            update(CorrectionRow)
            .where(
                CorrectionRow.link_id == link_id, CorrectionRow.draft_id == follow_up.draft_id,
                CorrectionRow.active, CorrectionRow.change_id.in_(given),
            )
            .values(given_back_at=now)
        )  # fmt: skip
        facts = {"entryIds": sorted(given.values()), "followUp": str(follow_up.draft_id)}
        session.add(
            DraftEvent(
                link_id=link_id, event_id=uuid7(), draft_id=draft.draft_id,
                what="hours given back", facts=facts, at=now,
            )
        )  # fmt: skip
    async with runtime.database.reading(link_id) as session:
        fresh = await session.get_one(Draft, (link_id, draft.draft_id))
    await tell_freed(runtime, link_id, fresh)


async def _to_give(
    session: AsyncSession, follow_up: Draft, stay: Collection[UUID]
) -> dict[UUID, dict[UUID, str]]:
    """Read what is to be given back: entry ids by change, by the draft that billed first."""
    own, later = aliased(CorrectionRow), aliased(CorrectionRow)
    put_on_again = (
        select(later.change_id)
        .where(
            later.link_id == own.link_id,
            later.active,
            later.corrected_id == own.corrected_id,
            later.entry_id == own.entry_id,
            later.corrected_line > 0,
            ~later.takes_back,
            later.draft_id > own.draft_id,
        )
        .exists()
    )
    rows = await session.execute(
        select(own.corrected_id, own.change_id, own.entry_id).where(
            own.link_id == follow_up.link_id, own.draft_id == follow_up.draft_id, own.active,
            own.takes_back, own.given_back_at.is_(None), ~put_on_again,
        )
    )  # fmt: skip
    found: dict[UUID, dict[UUID, str]] = defaultdict(dict)
    for draft_id, change_id, entry_id in rows:
        if change_id not in stay:
            found[draft_id][change_id] = entry_id
    return found

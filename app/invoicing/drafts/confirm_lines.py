"""
Let a person say that an invoiced follow-up took hours off, where its lines cannot be known.

A line whose text and sum a person changed in the books is none that we know. Its hour stays held
until someone looked: it would be on two bills, or on none.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.canonical import LinkId
from app.database import CommitPoint
from app.invoicing.drafts.advance import read_draft
from app.invoicing.drafts.give_back import give_back
from app.invoicing.drafts.set_free import lock_draft
from app.invoicing.ledger.corrections import CorrectionRow, corrections_of, is_extra
from app.invoicing.ledger.fate import INVOICED
from app.invoicing.ledger.places import fate_of
from app.invoicing.store import Draft, DraftEvent
from app.problems import FieldError, Problem
from app.runtime import Runtime

UNCLEAR: Final = "follow-up-line-unclear"
_CONFIRMED: Final = "confirmedLines"
"""Names, among a follow-up's facts, the lines that a person found in the books."""


def missing_lines(draft: Draft, seen: dict[str, Any]) -> set[int]:
    """Give the lines that an invoice does not have for sure, those apart that a person found."""
    missing = {*seen.get("goneLines", ()), *seen.get("unclearLines", ())}
    return missing - set(draft.facts.get(_CONFIRMED, ()))


async def waits_for_person(session: AsyncSession, draft: Draft, seen: dict[str, Any]) -> bool:
    """Say whether an hour stays held because nobody can say whether the invoice took it off."""
    unclear = missing_lines(draft, seen) & set(seen.get("unclearLines", ()))
    changes = [one["changeId"] for one in corrections_of(draft) if unclear & set(one["lines"])]
    if not changes:
        return False
    held = await session.scalar(
        select(CorrectionRow.change_id)
        .where(
            CorrectionRow.link_id == draft.link_id, CorrectionRow.draft_id == draft.draft_id,
            CorrectionRow.change_id.in_(changes), CorrectionRow.active, CorrectionRow.takes_back,
            CorrectionRow.given_back_at.is_(None),
        )
        .limit(1)
    )  # fmt: skip
    return held is not None


async def confirm_lines(
    runtime: Runtime,
    link_id: LinkId,
    draft: Draft,
    lines: Sequence[int],
    *,
    told: dict[str, Any],
    looked: bool,
) -> None:
    """
    Set the hours of a follow-up's lines free that a person found in its invoice; repeatable.

    Args:
        told: Who says so, and why.
        looked: The person looked in the books.

    Raises:
        Problem: ``draft-state`` for a follow-up that is no invoice, ``invalid-request`` for a line
            that took no hour off, ``draft-may-be-invoiced`` where nobody looked.

    """
    fate = fate_of(draft)
    if fate not in INVOICED:
        raise Problem("draft-state", state=fate.value)
    if not set(lines) <= _taking_off(draft):
        wrong = FieldError("/lines", "unknown", "The draft has no such line that took an hour off.")
        raise Problem("invalid-request", errors=[wrong])
    if not looked:
        raise Problem("draft-may-be-invoiced", more={"candidates": []})
    await _keep(runtime, link_id, draft, lines, told)
    fresh = await read_draft(runtime, link_id, draft.draft_id)
    missing = missing_lines(fresh, dict(fresh.invoice or {}))
    await give_back(runtime, link_id, fresh, gone_lines=missing)


def _taking_off(draft: Draft) -> set[int]:
    return {
        number
        for one in corrections_of(draft)
        if one["now"] is None and not is_extra(one)
        for number in one["lines"]
    }


async def _keep(
    runtime: Runtime, link_id: LinkId, draft: Draft, lines: Sequence[int], told: dict[str, Any]
) -> None:
    now = runtime.clock()
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        locked = await lock_draft(session, link_id, draft)
        known = {*locked.facts.get(_CONFIRMED, ()), *lines}
        locked.facts = {**locked.facts, _CONFIRMED: sorted(known)}
        locked.version += 1
        if locked.problem == UNCLEAR and not missing_lines(locked, dict(locked.invoice or {})):
            locked.problem = None
        session.add(
            DraftEvent(
                link_id=link_id, event_id=uuid7(), draft_id=draft.draft_id,
                what="lines confirmed", facts={**told, "lines": sorted(set(lines))}, at=now,
            )
        )  # fmt: skip

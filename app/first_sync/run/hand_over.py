"""Hand what a run did not carry out over to the ordinary sync, so that none is forgotten."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, RecordId, RecordKind, Side
from app.changes.store import note
from app.first_sync.plan.deeds import partner_of
from app.first_sync.run.aside import MERGED_FROM
from app.first_sync.run.step import INTO, RECORD_GONE
from app.first_sync.store import OutcomeState, Plan, Proposal
from app.links.pairs import find_pair
from app.records.decisions import leave_out
from app.records.judge import paired_ids
from app.records.matching import CHOSEN
from app.records.questions import ask
from app.systems.ports import ChangeNotice

_UNFINISHED: Final = (OutcomeState.LATER, OutcomeState.REFUSED)
_NOT_ASKED: Final = (RECORD_GONE, "record-already-paired")


@dataclass(frozen=True, slots=True)
class _Handed:
    """
    Hold what becomes of a line: whom the sync looks at, and about whom a person is asked.

    Args:
        together: The halves are asked about as each other's partner.
        alone: The side whose half is asked about because the other one was deleted.

    """

    halves: Mapping[Side, RecordId]
    together: bool = False
    alone: Side | None = None


async def hand_over(session: AsyncSession, plan: Plan, now: datetime) -> None:
    """
    Let the ordinary sync look at every record that is not in step.

    One whose partner was deleted since the plan is a question: it is not made there once more. So
    are both halves of a link that a person chose and that was not made, since one of them changed,
    and one whose partner was merged, together with the record that this one lives on as. Projects
    that rest for want of the right to them are handed over too: no sweep takes them for new ones.
    """
    link_id = LinkId(plan.link_id)
    lines = await session.scalars(
        select(Proposal).where(
            Proposal.link_id == link_id,
            Proposal.plan_id == plan.plan_id,
            Proposal.dormant.is_(False),
            Proposal.outcome.in_(_UNFINISHED),
        )
    )
    await _hand_over(session, link_id, [*lines, *await _resting(session, plan)], now)


async def _resting(session: AsyncSession, plan: Plan) -> list[Proposal]:
    """Give the lines of projects that rest; what a person left out stays on its side by now."""
    if plan.capabilities.get("projects"):
        return []
    link_id, kind = LinkId(plan.link_id), RecordKind.PROJECT
    rows = await session.scalars(
        select(Proposal).where(
            Proposal.link_id == link_id,
            Proposal.plan_id == plan.plan_id,
            Proposal.kind == kind.value,
            Proposal.outcome.is_(None),
        )
    )
    pairs = await paired_ids(session, link_id, kind)
    paired = {Side.TIME.value: pairs.keys(), Side.BOOKS.value: set(pairs.values())}
    lines = [one for one in rows if one.anchor_id not in paired[one.anchor_side]]
    spoken = {partner_of(one) for one in lines} | {one.anchor_id for one in lines if one.answer}
    for line in lines:
        if line.answer == "leave_out":
            beside = {str(one["id"]) for one in line.candidates} - spoken
            own = Side(line.anchor_side)
            await leave_out(session, link_id, own, kind, [line.anchor_id])
            await leave_out(session, link_id, own.other, kind, beside)
    return [one for one in lines if one.answer != "leave_out"]


async def _hand_over(
    session: AsyncSession, link_id: LinkId, lines: Sequence[Proposal], now: datetime
) -> None:
    notices: dict[Side, list[ChangeNotice]] = {side: [] for side in Side}
    for line in lines:
        kind, handed = RecordKind(line.kind), await _handed(session, line)
        for side, record_id in handed.halves.items():
            notices[side].append(ChangeNotice(kind, record_id))
            named: dict[str, Any] = {
                "id": handed.halves.get(side.other), "rule": CHOSEN, "facts": [], "score": 0,
            }  # fmt: skip
            if handed.together or handed.alone is side:
                await ask(
                    session, link_id, side, kind, record_id,
                    candidates=[named] if handed.together else [], now=now,
                )  # fmt: skip
    for side, of_side in notices.items():
        await note(session, link_id, side, of_side, now=now)


async def _handed(session: AsyncSession, line: Proposal) -> _Handed:
    kind, own, partner = RecordKind(line.kind), Side(line.anchor_side), partner_of(line)
    link_id, facts = LinkId(line.link_id), line.outcome_facts
    halves = {own: RecordId(line.anchor_id)}
    if partner is not None:
        halves[own.other] = RecordId(partner)
    merged = facts.get(MERGED_FROM)
    if merged is not None and await find_pair(session, link_id, own, kind, merged) is not None:
        return _Handed({own: RecordId(merged)})  # the sync moves that pair to this record
    if line.outcome_code != RECORD_GONE:
        chosen = line.answer == "link" and line.outcome_code not in _NOT_ASKED
        return _Handed(halves, together=chosen)
    gone, into = Side(facts["side"]), facts.get(INTO)
    free = into is not None and await find_pair(session, link_id, gone, kind, into) is None
    if partner is not None and into is not None and free:
        return _Handed({**halves, gone: RecordId(into)}, together=True)
    return _Handed(halves, alone=gone.other)

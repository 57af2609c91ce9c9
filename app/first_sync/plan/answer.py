"""Take a person's answers to lines of the plan, one or many, under the plan's lock."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, RecordId, RecordKind, Side
from app.first_sync.plan.deeds import default_partner, keeps_out, partner_of
from app.first_sync.plan.dormant import settle_dormant
from app.first_sync.plan.lines import customers_of, find_line, links_of
from app.first_sync.plan.places import Places, places_of
from app.first_sync.plan.refusals import Answer, Meant, Taken, give_up, reason_against, together
from app.first_sync.plan.said_no import Given, remember_no
from app.first_sync.plan.words_stored import renew_words
from app.first_sync.store import Plan, PlanState, Proposal
from app.problems import Problem
from app.records.judge_due import judge_later
from app.records.store import recall

ANSWERED: Final = "answered"
"""The result of a line that took its answer; any other result is the reason it did not."""

_Touch = tuple[Side, RecordId]

Touched = frozenset[_Touch] | None
"""Customers whose projects must be judged again, and matched where the plan says they are stale;
``None`` for all of them."""


async def answer_line(
    session: AsyncSession, plan: Plan, line: Proposal, answer: Answer, *, now: datetime
) -> Touched:
    """
    Answer one line of a plan that the caller holds; give the customers it linked or parted.

    Raises:
        Problem: ``first-sync-not-open``, or ``answer-refused`` with the reason.

    """
    ((_, result),), touched = await answer_each(session, plan, [(line, answer)], now=now)
    if result != ANSWERED:
        raise Problem("answer-refused", reason=result)
    return touched


async def answer_many(
    session: AsyncSession, plan: Plan, ids: Sequence[UUID], answer: Answer, *, now: datetime
) -> tuple[list[tuple[UUID, str]], Touched]:
    """
    Answer lines alike; each is answered or refused with a reason, none in silence.

    Gives the results and the customers that were linked or parted.

    Raises:
        Problem: ``first-sync-not-open``.

    """
    rows = await session.scalars(
        select(Proposal).where(
            Proposal.link_id == plan.link_id,
            Proposal.plan_id == plan.plan_id,
            Proposal.proposal_id.in_(ids),
        )
    )
    by_id = {line.proposal_id: line for line in rows}
    found = [by_id[one] for one in ids if one in by_id]
    answered, touched = await answer_each(
        session, plan, [(line, answer) for line in found], now=now
    )
    results = dict(answered)
    return [(one, results.get(one, "not-found")) for one in ids], touched


async def answer_each(
    session: AsyncSession,
    plan: Plan,
    wanted: Sequence[tuple[Proposal, Answer]],
    *,
    now: datetime,
    all_or_none: bool = False,
) -> tuple[list[tuple[UUID, str]], Touched]:
    """
    Answer lines, each in its way, under the plan's lock, so that no record is linked twice.

    An answer on a line of the books side that names a partner is an answer to the partner's line.
    So it takes the place of none that stands there, nor does a link of one that the partner's own
    line keeps: whoever gave it would not be asked.
    What is said no to is remembered at once and proposed no more; an answer taken back takes that
    back too.

    Args:
        all_or_none: The caller keeps nothing where a line is refused. So what counts is how all of
            them would stand, not the order they are answered in: two may change their partners.

    Raises:
        Problem: ``first-sync-not-open``.

    """
    if plan.state != PlanState.OPEN:
        raise Problem("first-sync-not-open", state=plan.state)
    taken = await _taken(session, plan)
    places = await _places(session, plan) if _chooses_projects(wanted) else {}
    meant = [await _turned(session, plan, line, answer) for line, answer in wanted]
    results: dict[UUID, str] = {}
    written: dict[UUID, UUID] = {}
    touched: set[tuple[Side, RecordId]] = set()
    relinked = False
    for one in together(meant, taken) if all_or_none else meant:
        reason, held = reason_against(one, taken, places, written=written), one.held
        if held is not None and reason is None:
            written[held.proposal_id] = one.line.proposal_id
            before = partner_of(held)
            touched |= await _write(session, plan, held, one.answer, taken, now=now)
            relinked |= held.kind == RecordKind.CUSTOMER and before != partner_of(held)
        results[one.line.proposal_id] = reason or ANSWERED
    if ANSWERED in results.values():
        plan.version += 1
        plan.updated_at = now
        await session.flush()
        await settle_dormant(session, plan)
    # A matching that an earlier answer still waits for must be done wholly.
    everything = plan.projects_stale
    plan.projects_stale = everything or relinked
    if not relinked:
        await _judge_later(session, plan, touched)
    told = [(line.proposal_id, results[line.proposal_id]) for line, _ in wanted]
    return told, None if everything else frozenset(touched)


async def _judge_later(session: AsyncSession, plan: Plan, customers: Collection[_Touch]) -> None:
    """
    Let the projects of customers that were only left out be due, should the process die now.

    The plan is not marked for them, as it is where customers part: no confirmation has to wait.
    """
    for side in Side:
        ids = [one for at, one in customers if at is side]
        await judge_later(session, LinkId(plan.link_id), side, RecordKind.CUSTOMER, ids)


async def _taken(session: AsyncSession, plan: Plan) -> Taken:
    return {
        (kind.value, books_id): line
        for kind in RecordKind
        for line, _, books_id in await links_of(session, plan, kind)
    }


async def _turned(session: AsyncSession, plan: Plan, line: Proposal, answer: Answer) -> Meant:
    """Find the line that keeps the answer, and the partner's own."""
    if answer.choice != "link":
        by_default = default_partner(line) if answer.choice is None else None
        return Meant(line, line, answer, await _own_line(session, plan, line, by_default))
    partner_id = answer.partner_id
    if partner_id is None and len(line.candidates) == 1:
        partner_id = str(line.candidates[0]["id"])
    if partner_id is None:
        return Meant(line, None, answer, None)
    partner = await _own_line(session, plan, line, partner_id)
    if partner is None:
        return Meant(line, None, answer, None)
    if line.anchor_side == Side.TIME.value:
        return Meant(line, line, replace(answer, partner_id=partner_id), partner)
    return Meant(line, partner, replace(answer, partner_id=line.anchor_id), line)


async def _own_line(
    session: AsyncSession, plan: Plan, line: Proposal, partner_id: str | None
) -> Proposal | None:
    """Find the line that is about a partner itself."""
    if partner_id is None:
        return None
    other = Side(line.anchor_side).other.value
    return await find_line(session, plan, line.kind, other, partner_id)


def _chooses_projects(wanted: Sequence[tuple[Proposal, Answer]]) -> bool:
    return any(one.choice == "link" and line.kind == RecordKind.PROJECT for line, one in wanted)


async def _places(session: AsyncSession, plan: Plan) -> Places:
    """Say where each project belongs, so that none is linked into another customer."""
    link_id = LinkId(plan.link_id)
    # Also where a person left one out since: what was drawn inside them may be answered as drawn.
    customers = await customers_of(session, plan)
    linked = await links_of(session, plan, RecordKind.CUSTOMER)
    customers |= {time_id: books_id for _, time_id, books_id in linked}
    projects = {
        side: [row.record for row in await recall(session, link_id, side, RecordKind.PROJECT)]
        for side in Side
    }
    return places_of(projects, customers)


async def _write(
    session: AsyncSession,
    plan: Plan,
    line: Proposal,
    answer: Answer,
    taken: Taken,
    *,
    now: datetime,
) -> set[tuple[Side, RecordId]]:
    """Keep an answer; give the customers it links, parts, leaves out or takes in."""
    before, was_out = partner_of(line), keeps_out(line)
    given = Given(line.answered_by, line.answered_at)
    give_up(line, taken)
    line.answer, line.partner_id = answer.choice, answer.partner_id
    line.winners = dict(answer.winners) if answer.choice == "link" else {}
    line.answered_by = answer.by if answer.choice else None
    line.answered_at = now if answer.choice else None
    line.version += 1
    await remember_no(session, plan, line, given, now=now)
    after = partner_of(line)
    if before != after:
        await renew_words(session, line, {before, after})
    if after is not None:
        taken[line.kind, after] = line.proposal_id
    same = before == after and was_out == keeps_out(line)
    if line.kind != RecordKind.CUSTOMER or same:
        return set()
    partners = {(Side.BOOKS, RecordId(one)) for one in (before, after) if one}
    return {(Side(line.anchor_side), RecordId(line.anchor_id)), *partners}

"""Admit a record that was made after the first sync: link it, create it, ask, or let it wait."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from app.canonical import LinkId, Record, RecordId, RecordKind, Side
from app.database import CommitPoint
from app.links.open_systems import open_side
from app.records.agreement import content_print
from app.records.candidates import Surroundings, find_partner, look_around
from app.records.judge import Judged, finding_json, judge_one, keep_judged
from app.records.made import write_mark
from app.records.matching import CHOSEN, Indexes, Proposal
from app.records.pair_up import pair_up
from app.records.questions import ask
from app.records.shapes import tombstone
from app.records.store import remember
from app.runtime import Runtime
from app.systems.ports import Capabilities, RecordKeeper

_MOST_LOOKS: Final = 3
"""Looks at a partner that changes under our hands before the record waits for another drain."""


@dataclass(frozen=True, slots=True)
class Linked:
    """Say that the record is in a pair now."""

    pair_id: UUID


@dataclass(frozen=True, slots=True)
class Create:
    """Say that the record is new to the other side and lacks nothing there."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Say that a person must decide; ``facts`` name the stored question and its candidates."""

    question_id: UUID
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wait:
    """Say that the record cannot be taken up yet; ``code`` is a finding's or a problem's."""

    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)


Verdict = Linked | Create | Ask | Wait


@dataclass(frozen=True, slots=True)
class _Newcomer:
    """Hold the record that is to be admitted, and the other side's keeper."""

    runtime: Runtime
    link_id: LinkId
    side: Side
    kind: RecordKind
    record: Record
    keeper: RecordKeeper
    others: Capabilities
    indexes: Indexes


async def admit(
    runtime: Runtime,
    link_id: LinkId,
    side: Side,
    kind: RecordKind,
    record: Record,
    *,
    others: Capabilities | None = None,
    indexes: Indexes | None = None,
) -> Verdict:
    """
    Say what becomes of a record that is in no pair, by the same rules as in the first sync.

    Certain partner: the pair is made here, with the base its merge starts from. Doubtful: a
    question is stored, also where a person left the certain partner out. A person's answer to it
    counts from then on, and so does leaving the record out; while it is open nothing is created. No
    partner: the caller creates it, if it lacks nothing and is not archived.

    Args:
        record: As it was just read.
        others: What the other side can do, where the caller knows; asked for otherwise.
        indexes: Shared by the records that are admitted in one piece of work: 5,000 customers
            take 0.2 s to read for matching, and most of them are the same for the next record.

    Raises:
        SystemFault: The other side cannot be asked now.

    """
    keeper = await open_side(runtime, link_id, side.other)
    new = _Newcomer(
        runtime, link_id, side, kind, record, keeper,
        others or await keeper.capabilities(), indexes or Indexes(),
    )  # fmt: skip
    if kind is RecordKind.PROJECT and not new.others.projects:
        return Wait("projects-need-smart")
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await remember(session, link_id, side, kind, [record], now=runtime.clock())
    for _ in range(_MOST_LOOKS):
        async with runtime.database.reading(link_id) as session:
            around = await look_around(session, link_id, side, record)
        verdict = _decided(around) or await _match(new, around)
        if verdict is not None:
            return verdict
    return Wait("record-changed-meanwhile")


def _decided(around: Surroundings) -> Verdict | None:
    """Say what needs no matching: a pair, a person's decision, or something that comes first."""
    if around.pair_id is not None:
        return Linked(around.pair_id)
    if around.left_out:
        return Wait("left-out")
    if around.may_be_ours:
        return Wait("create-not-settled")
    if around.customer_missing:
        return Wait("project-customer-not-linked")
    return None


async def _match(new: _Newcomer, around: Surroundings) -> Verdict | None:
    """Find the partner; ``None`` when the ground moved and everything is to be looked at again."""
    question = around.question
    if question is not None and question.answer == "link" and question.partner_id:
        return await _link(new, around, RecordId(question.partner_id), origin="answered")
    if question is not None and question.answer == "create":
        return await _create_if_ready(new, around)
    found = await asyncio.to_thread(find_partner, new.record, new.side, around, new.indexes)
    open_still = _open_still(new, around)
    chosen = [one for one in open_still if one["rule"] == CHOSEN]
    certain, asked = found.certain, found.asked
    if certain is not None:
        partner = _other_id(certain, new.side)
        wanted = partner not in around.kept_out and all(one["id"] == partner for one in chosen)
        if wanted:
            return await _link(new, around, partner, origin="matched")
        asked = (certain,)  # a person wants it otherwise, so only a person takes it in
    if asked:
        found_now = [_told(one, new.side) for one in asked]
        named = {one["id"] for one in found_now}
        return await _ask(new, [*found_now, *(one for one in chosen if one["id"] not in named)])
    if open_still or (question is not None and not question.candidates and not question.answer):
        # Nobody answered yet, though the record is not like them any more; or its partner vanished,
        # and whoever removed it there may not want it back.
        return await _ask(new, open_still)
    return await _alone(new, around)


def _open_still(new: _Newcomer, around: Surroundings) -> list[Mapping[str, Any]]:
    """Give the candidates of an open question that may still be the partner."""
    question = around.question
    if question is None or question.answer is not None:
        return []
    own = new.record.id
    refused = {
        books_id if new.side is Side.TIME else time_id
        for time_id, books_id in around.refused
        if own == (time_id if new.side is Side.TIME else books_id)
    }
    free = {one.id for one in around.theirs} - around.taken - refused
    return [one for one in question.candidates if one["id"] in free]


async def _link(
    new: _Newcomer, around: Surroundings, partner_id: RecordId, *, origin: str
) -> Verdict | None:
    """Pair with a partner that says what the matching saw; a person's answer holds anyway."""
    seen = await new.keeper.read(new.kind, partner_id)
    partner = seen.record
    taken = partner_id in around.taken
    if partner is None or partner.gone or taken:
        await _remember_other(new, partner, partner_id)
        return await _ask(new, ()) if origin == "answered" else None
    if origin == "matched" and around.print_of(partner_id) != content_print(partner):
        await _remember_other(new, partner, partner_id)
        return None
    time, books = (new.record, partner) if new.side is Side.TIME else (partner, new.record)
    time_keeper = await open_side(new.runtime, new.link_id, Side.TIME)
    # Before the pair: a mark without a pair says nothing wrong, a pair whose mark was lost with
    # its process would stay without.
    await write_mark(time_keeper, new.kind, time.id, str(books.id))
    try:
        async with new.runtime.database.transaction(CommitPoint.PLAIN, new.link_id) as session:
            pair, _ = await pair_up(
                session, new.link_id, time=time, books=books, origin=origin, now=new.runtime.clock()
            )
    except IntegrityError:
        return None
    return Linked(pair.pair_id)


async def _remember_other(new: _Newcomer, partner: Record | None, partner_id: RecordId) -> None:
    record = partner or tombstone(new.kind, partner_id)
    async with new.runtime.database.transaction(CommitPoint.PLAIN, new.link_id) as session:
        await remember(
            session, new.link_id, new.side.other, new.kind, [record], now=new.runtime.clock()
        )


async def _ask(new: _Newcomer, candidates: Sequence[Mapping[str, Any]]) -> Ask:
    async with new.runtime.database.transaction(CommitPoint.PLAIN, new.link_id) as session:
        question = await ask(
            session, new.link_id, new.side, new.kind, new.record.id,
            candidates=candidates, now=new.runtime.clock(),
        )  # fmt: skip
    facts = {"questionId": str(question.question_id), "candidates": candidates}
    return Ask(question.question_id, facts)


async def _alone(new: _Newcomer, around: Surroundings) -> Verdict:
    """Leave what is archived on its own side until it is in use again; create the rest."""
    return await _create_if_ready(new, around) if new.record.active else Wait("left-out")


async def _create_if_ready(new: _Newcomer, around: Surroundings) -> Verdict:
    gaps = judge_one(new.record, others=new.others, number_twice=around.number_twice)
    judged = Judged(new.side, new.kind, new.record.id, gaps)
    async with new.runtime.database.transaction(CommitPoint.PLAIN, new.link_id) as session:
        await keep_judged(session, new.link_id, [judged])
    if judged.ready:
        return Create()
    return Wait(gaps[0].code, {"findings": [finding_json(gap) for gap in gaps]})


def _told(one: Proposal, side: Side) -> dict[str, Any]:
    other = _other_id(one, side)
    return {"id": other, "rule": one.rule, "facts": list(one.facts), "score": one.score}


def _other_id(proposal: Proposal, side: Side) -> RecordId:
    return proposal.books_id if side is Side.TIME else proposal.time_id

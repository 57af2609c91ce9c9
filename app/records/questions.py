"""Ask a person what a record made later is, and keep the answer for the next look at it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import case, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.canonical import LinkId, RecordId, RecordKind, Side
from app.changes.store import note
from app.links.pairs import Pair, find_pair
from app.queue import Job, defer
from app.records.asked import Question
from app.records.decisions import leave_out, refuse, refused_pairs, take_in
from app.systems.ports import ChangeNotice

SAME_RECORD: Final = "is-this-the-same-record"
"""The code of what waits for an answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold a person's answer: ``link`` with a partner, ``create`` or ``leave-out``."""

    choice: str
    partner_id: str | None
    by: str


async def find_question(
    session: AsyncSession, link_id: LinkId, side: Side, kind: RecordKind, record_id: RecordId
) -> Question | None:
    """Find the question about a record, answered or not."""
    return await session.scalar(
        select(Question).where(
            Question.link_id == link_id,
            Question.side == side.value,
            Question.kind == kind.value,
            Question.record_id == record_id,
        )
    )


async def is_asked_about(
    session: AsyncSession, link_id: LinkId, side: Side, kind: RecordKind, record_id: RecordId
) -> bool:
    """
    Say whether an open question may join a record to one of the other side.

    It may be asked about either of the two. One that a no or a pair answered since does not count.
    """
    own, theirs = Question.side == side.value, Question.side == side.other.value
    rows = await session.scalars(
        select(Question).where(
            Question.link_id == link_id,
            Question.kind == kind.value,
            Question.answer.is_(None),
            (own & (Question.record_id == record_id))
            | (theirs & Question.candidates.contains([{"id": record_id}])),
        )
    )
    others = {
        RecordId(other)
        for one in rows
        for other in (
            [str(each["id"]) for each in one.candidates] if one.side == side else [one.record_id]
        )
    }
    if not others:
        return False
    refused = await refused_pairs(session, link_id, kind)
    for other in others:
        couple = (record_id, other) if side is Side.TIME else (other, record_id)
        taken = await find_pair(session, link_id, side.other, kind, other)
        if couple not in refused and taken is None:
            return True
    return False


async def ask(
    session: AsyncSession,
    link_id: LinkId,
    side: Side,
    kind: RecordKind,
    record_id: RecordId,
    *,
    candidates: Sequence[Mapping[str, Any]],
    now: datetime,
) -> Question:
    """
    Ask about a record; a question that stands with the same candidates is left as it is.

    An answer that could not be carried out is dropped, and the question stands again.
    """
    made = {
        "link_id": link_id, "question_id": uuid7(), "side": side.value, "kind": kind.value,
        "record_id": record_id, "candidates": list(candidates), "asked_at": now, "version": 1,
    }  # fmt: skip
    open_again = {
        "candidates": list(candidates), "answer": None, "partner_id": None, "answered_by": None,
        "answered_at": None, "asked_at": now, "version": Question.version + 1,
    }  # fmt: skip
    statement = insert(Question).values(**made)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["link_id", "side", "kind", "record_id"],
            set_=open_again,
            where=(Question.answer.is_not(None))
            | (Question.candidates != statement.excluded.candidates),
        )
    )
    question = await find_question(session, link_id, side, kind, record_id)
    assert question is not None  # noqa: S101 - it was written above
    await session.refresh(question)
    return question


async def answer_question(
    session: AsyncSession, question: Question, answer: Answer, *, now: datetime
) -> None:
    """Keep an answer and let the record be looked at again; its drain carries the answer out."""
    link_id, side, kind = LinkId(question.link_id), Side(question.side), RecordKind(question.kind)
    record_id = RecordId(question.record_id)
    question.answer, question.partner_id = answer.choice, answer.partner_id
    question.answered_by, question.answered_at = answer.by, now
    question.version += 1
    if answer.choice == "leave-out":
        await leave_out(session, link_id, side, kind, [record_id])
    else:
        no = [str(c["id"]) for c in question.candidates if c["id"] != answer.partner_id]
        await refuse(session, link_id, side, kind, record_id, no, by=answer.by, now=now)
        await take_in(session, link_id, side, kind, [record_id])
        if answer.partner_id is not None:
            await take_in(session, link_id, side.other, kind, [answer.partner_id])
    await note(session, link_id, side, [ChangeNotice(kind, record_id)], now=now)
    await defer(session, Job.DRAIN_LINK, link_id)


async def list_questions(
    session: AsyncSession, link_id: LinkId, *, after: UUID | None, limit: int
) -> Sequence[Question]:
    """Read open questions, the oldest first; one about a record in a pair is settled."""
    own = case((Question.side == Side.TIME.value, Pair.time_id), else_=Pair.books_id)
    paired = exists().where(
        Pair.link_id == link_id, Pair.kind == Question.kind, own == Question.record_id
    )
    query = select(Question).where(Question.link_id == link_id, Question.answer.is_(None), ~paired)
    if after is not None:
        query = query.where(Question.question_id > after)
    return (await session.scalars(query.order_by(Question.question_id).limit(limit))).all()

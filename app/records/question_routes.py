"""Take in the answers to what is doubtful: is a record made later one of these, or new."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.caller import Scope
from app.canonical import LinkId, RecordKind, Side
from app.database import CommitPoint
from app.documents import (
    AnswerDocument,
    IfMatch,
    Listing,
    RequestDocument,
    etag,
    expect_version,
)
from app.links.reach import Reached, reach
from app.paging import Paging
from app.problems import Problem, preferred_language, responses
from app.records.asked import Question
from app.records.businesses import recall_families
from app.records.questions import Answer, answer_question, list_questions
from app.records.register_facts import facts_shown, numbers_in
from app.records.shown import reasons_shown, record_shown
from app.records.store import KnownRecord, recall
from app.runtime import Running

router = APIRouter(tags=["inbox"])
MayRead = Annotated[Reached, Depends(reach(Scope.LINKS_READ))]
MayDecide = Annotated[Reached, Depends(reach(Scope.SYNC_DECIDE))]
_COMMON: Final = ("not-signed-in", "scope-missing", "not-found", "invalid-request")

_QUESTION: Final[dict[str, Any]] = {
    "id": "0199f3a0-0000-7000-8000-000000000041",
    "side": "time",
    "kind": "customer",
    "record": {"id": "cus_51", "name": "Bakken Bygg", "kind": "company",
               "organizationNumber": None, "email": "post@bakken.example", "phone": None,
               "address": "Storgata 1, 0155 Oslo", "active": True},
    "candidates": [
        {"id": "10017", "score": 48, "rule": "not-enough", "facts": ["name-alike", "place-same"],
         "reasons": "navnet ligner; samme poststed",
         "record": {"id": "10017", "name": "Bakken Bygg og Anlegg AS", "kind": "company",
                    "organizationNumber": "860001381", "email": None, "phone": None,
                    "address": "Storgata 3, 0155 Oslo", "active": True},
         "registerFacts": []}
    ],
    "registerFacts": [],
    "answer": None,
    "partnerId": None,
    "askedAt": "2026-11-24T09:05:00Z",
    "version": 1,
}  # fmt: skip


class QuestionAnswer(AnswerDocument):
    """Hold a record that may be one of its candidates on the other side; the likeliest first."""

    model_config = {"json_schema_extra": {"examples": [_QUESTION]}}

    id: str
    side: Literal["time", "books"]
    kind: Literal["customer", "project"]
    record: Mapping[str, Any] | None
    candidates: Sequence[Mapping[str, Any]]
    register_facts: Sequence[Mapping[str, str]] = Field(
        description="What the business register answered so far of the record's number, as code "
        "and text; each candidate carries its own, with how its number is akin to the record's."
    )
    answer: str | None
    partner_id: str | None
    asked_at: datetime
    version: int


class Choice(RequestDocument):
    """Answer a question: link it to a partner, create it on the other side, or leave it out."""

    model_config = {"json_schema_extra": {"examples": [{"answer": "link", "partnerId": "10017"}]}}

    answer: Literal["link", "create", "leave-out"]
    partner_id: str | None = Field(
        default=None,
        max_length=64,
        pattern=r"^[^\x00]+$",
        description="With `link`: a record of the other side.",
    )


@router.get(
    "/v1/links/{link_id}/questions",
    operation_id="listQuestions",
    summary="List the records that may be one of some on the other side.",
    responses=responses(*_COMMON, "invalid-cursor"),
)
async def get_questions(
    reached: MayRead,
    runtime: Running,
    request: Request,
    paging: Paging,
) -> Listing[QuestionAnswer]:
    """
    Use this for the inbox: a record made after the first sync was too like another to be created.

    Each question shows the record, its candidates and the reasons in your language; the oldest
    first. The change in the inbox names it as `questionId`. Scope `links:read`.
    """
    page = paging.of(f"questions {reached.link_id}", key=runtime.cursor_key)
    language = preferred_language(request.headers.get("accept-language"))
    async with runtime.database.reading(reached.link_id) as session:
        rows = await list_questions(
            session, reached.link_id, after=page.after_id, limit=page.row_limit
        )
        shown, more = page.cut(rows, lambda row: [str(row.question_id)])
        items = [await _shown(session, row, language) for row in shown]
    return Listing[QuestionAnswer](items=items, next_cursor=more)


@router.put(
    "/v1/links/{link_id}/questions/{question_id}/answer",
    operation_id="answerQuestion",
    summary="Say what a record is: one of the candidates, new, or left out.",
    responses=responses(
        *_COMMON, "precondition-required", "precondition-failed", "answer-refused",
    ),
)  # fmt: skip
async def put_answer(
    question_id: UUID,
    body: Choice,
    reached: MayDecide,
    runtime: Running,
    request: Request,
    response: Response,
    if_match: IfMatch = None,
) -> QuestionAnswer:
    """
    Use this to decide; the record is looked at again at once and your answer carried out.

    `If-Match` is the question's version in quotes. `link` also takes a record that is no candidate.
    What you say no to is never asked again. If the partner was paired meanwhile, the question comes
    back. Scope `sync:decide`.
    """
    if (body.answer == "link") != (body.partner_id is not None):
        raise Problem("answer-refused", reason="partner-with-link-only")
    language = preferred_language(request.headers.get("accept-language"))
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        question = await session.get(Question, (reached.link_id, question_id), with_for_update=True)
        if question is None:
            raise Problem("not-found")
        present = await _shown(session, question, language)
        expect_version(
            if_match, question.version, present=present.model_dump(mode="json", by_alias=True)
        )
        answer = Answer(body.answer, body.partner_id, reached.caller.subject)
        await answer_question(session, question, answer, now=runtime.clock())
        await session.flush()
        shown = await _shown(session, question, language)
    response.headers["ETag"] = etag(shown.version)
    return shown


async def _shown(session: AsyncSession, question: Question, language: str) -> QuestionAnswer:
    link_id, side, kind = LinkId(question.link_id), Side(question.side), RecordKind(question.kind)
    own = await recall(session, link_id, side, kind, [question.record_id])
    ids = [str(one["id"]) for one in question.candidates]
    others: dict[str, KnownRecord] = {
        row.record_id: row for row in await recall(session, link_id, side.other, kind, ids)
    }
    record = own[0].data if own else None
    stored = {record_id: row.data for record_id, row in others.items()}
    businesses = await recall_families(session, numbers_in([record, *stored.values()]))
    return QuestionAnswer(
        id=str(question.question_id),
        side=side.value,
        kind=kind.value,
        record=record_shown(record),
        candidates=[
            {
                **reasons_shown(one, language),
                "record": record_shown(stored.get(one["id"])),
                "registerFacts": facts_shown(
                    stored.get(one["id"]), businesses, language, beside=record
                ),
            }
            for one in question.candidates
        ],
        register_facts=facts_shown(record, businesses, language),
        answer=question.answer,
        partner_id=question.partner_id,
        asked_at=question.asked_at,
        version=question.version,
    )

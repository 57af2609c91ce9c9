"""A record made after the first sync passes the same rules before it exists on the other side."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.canonical import Record, RecordKind, Side
from app.database import CommitPoint
from app.records.admit import Ask, Create, Linked, Wait, admit
from app.records.asked import Question
from app.records.create import Unsettled, create_on_other_side
from app.records.decisions import leave_out, refuse
from app.records.questions import Answer, answer_question
from app.records.store import recall
from tests.features.records.conftest import Hands


async def take(hands: Hands, record: Record, side: Side = Side.TIME) -> Any:
    return await admit(hands.runtime, hands.linked.link_id, side, RecordKind.CUSTOMER, record)


async def test_a_new_record_may_be_created(hands: Hands) -> None:
    """Nobody on the other side is like it and it lacks nothing."""
    await hands.in_books("Noen Helt Andre AS", emailAddress="a@b.no", phoneNo="99887766")

    assert await take(hands, await hands.in_time()) == Create()


@pytest.mark.parametrize("side", [Side.TIME, Side.BOOKS])
async def test_a_certain_partner_is_linked(hands: Hands, side: Side) -> None:
    """Equal name and contact on both sides: they are a pair, marked, and nothing is created."""
    time, books = await hands.in_time(), await hands.in_books()

    linked = await take(hands, time if side is Side.TIME else books, side)

    assert isinstance(linked, Linked)
    (pair,) = await hands.pairs()
    assert (pair.time_id, pair.books_id) == (time.id, books.id)
    assert (await hands.read(Side.TIME, time.id)).mark == books.id


async def test_a_partner_is_matched_as_it_is_now(hands: Hands) -> None:
    """What is remembered of a partner finds it; what it says now decides."""
    time, books = await hands.in_time(), await hands.in_books()
    path = f"/organizations/1001/customers/{books.id}"
    other = {"name": "Et Helt Annet Navn AS", "emailAddress": "x@y.no", "phoneNo": "99887766"}
    await hands.twins.control("conta", "PATCH", path, other)

    assert not isinstance(await take(hands, time), Linked)


async def test_a_doubtful_record_is_asked_about_once(hands: Hands) -> None:
    """The question is stored with its candidates; the next look asks the same one."""
    time = await hands.in_time("Bakken Bygg AS", organizationNumber="860001381")
    books = await hands.in_books("Bakken Bygg AS", orgNo="999263550")

    first, second = await take(hands, time), await take(hands, time)

    assert isinstance(first, Ask)
    assert first == second
    assert [one["id"] for one in first.facts["candidates"]] == [books.id]


async def test_a_record_that_lacks_something_waits(hands: Hands) -> None:
    """It waits with the code of its finding, and the finding is kept for the readiness page."""
    time = await hands.in_time(kind="unset")

    waits = await take(hands, time)

    assert isinstance(waits, Wait)
    assert waits.code == "kind-not-set"


async def test_a_record_that_is_left_out_waits(hands: Hands) -> None:
    """Whatever it changes, a record that a person left out stays on its own side."""
    time, link_id = await hands.in_time(), hands.linked.link_id
    async with hands.runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await leave_out(session, link_id, Side.TIME, RecordKind.CUSTOMER, [time.id])

    assert await take(hands, time) == Wait("left-out")


@pytest.mark.parametrize("side", [Side.TIME, Side.BOOKS])
async def test_a_certain_partner_that_is_left_out_is_asked_about(hands: Hands, side: Side) -> None:
    """It was to stay on its own side; a person who links the two takes it in again."""
    time, books = await hands.in_time(), await hands.in_books()
    mine, theirs = (time, books) if side is Side.TIME else (books, time)
    link_id = hands.linked.link_id
    async with hands.runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await leave_out(session, link_id, side.other, RecordKind.CUSTOMER, [theirs.id])

    asks = await take(hands, mine, side)

    assert isinstance(asks, Ask)
    assert [one["id"] for one in asks.facts["candidates"]] == [theirs.id]
    async with hands.runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        question = await session.get_one(Question, (link_id, asks.question_id))
        now = hands.runtime.clock()
        await answer_question(session, question, Answer("link", theirs.id, "kari"), now=now)
    assert isinstance(await take(hands, mine, side), Linked)
    async with hands.runtime.database.reading(link_id) as session:
        (row,) = await recall(session, link_id, side.other, RecordKind.CUSTOMER, [theirs.id])
    assert not row.left_out


async def test_a_refused_pair_is_not_proposed_again(hands: Hands) -> None:
    """After a person's no an equal record is new."""
    time, books = await hands.in_time(), await hands.in_books()
    link_id = hands.linked.link_id
    async with hands.runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await refuse(
            session, link_id, Side.TIME, RecordKind.CUSTOMER, time.id, [books.id],
            by="kari", now=hands.runtime.clock(),
        )  # fmt: skip

    assert await take(hands, time) == Create()


async def test_what_may_be_our_own_create_waits(hands: Hands) -> None:
    """A record that says what a POST of unknown outcome sent is not created back to its source."""
    time = await hands.in_time()
    await hands.fault("conta", kind="lost_answer", method="POST", path="/customers", times=1)
    await hands.fault("conta", kind="stale_list", path="/customers", seconds=60, times=1)
    unsettled = await create_on_other_side(
        hands.runtime, hands.linked.link_id,
        target=Side.BOOKS, kind=RecordKind.CUSTOMER, source=time,
    )  # fmt: skip
    (made,) = (await hands.twins.books())["customers"]

    came = await take(hands, await hands.read(Side.BOOKS, str(made["id"])), Side.BOOKS)

    assert isinstance(unsettled, Unsettled)
    assert came == Wait("create-not-settled")


async def asked(hands: Hands) -> tuple[Record, Record, Question]:
    time = await hands.in_time("Bakken Bygg AS", organizationNumber="860001381")
    books = await hands.in_books("Bakken Bygg AS", orgNo="999263550")
    await take(hands, time)
    async with hands.runtime.database.reading(hands.linked.link_id) as session:
        question = await session.scalar(select(Question))
    assert question is not None
    return time, books, question


@pytest.mark.parametrize(
    ("choice", "verdict"), [("link", Linked), ("create", Create), ("leave-out", Wait)]
)
async def test_an_answer_is_carried_out_by_the_next_look(
    hands: Hands, choice: str, verdict: type
) -> None:
    """Link pairs whatever differs, create makes it new, leave-out lets it be."""
    time, books, question = await asked(hands)
    link_id, now = hands.linked.link_id, hands.runtime.clock()
    async with hands.runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        held = await session.get_one(Question, (link_id, question.question_id))
        partner = books.id if choice == "link" else None
        await answer_question(session, held, Answer(choice, partner, "kari"), now=now)

    assert isinstance(await take(hands, time), verdict)


async def test_questions_are_answered_over_the_api(hands: Hands, client: httpx.AsyncClient) -> None:
    """The list shows the record and its candidates in words; the answer needs the version seen."""
    time, books, question = await asked(hands)
    headers, path = hands.linked.books, f"{hands.linked.path}/questions"
    listed = (await client.get(path, headers=headers)).json()["items"]
    url, body = f"{path}/{question.question_id}/answer", {"answer": "link", "partnerId": books.id}

    missing = await client.put(url, headers=headers, json=body)
    stale = await client.put(url, headers={**headers, "If-Match": '"9"'}, json=body)
    alone = await client.put(url, headers={**headers, "If-Match": '"1"'}, json={"answer": "link"})
    answered = await client.put(url, headers={**headers, "If-Match": '"1"'}, json=body)

    assert [(one["record"]["id"], one["candidates"][0]["id"]) for one in listed] == [
        (time.id, books.id)
    ]
    assert listed[0]["candidates"][0]["reasons"]
    codes = [one.status_code for one in (missing, stale, alone, answered)]
    assert codes == [428, 412, 422, 200]
    assert answered.json()["answer"] == "link"
    assert (await client.get(path, headers=headers)).json()["items"] == []

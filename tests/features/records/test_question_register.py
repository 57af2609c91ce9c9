"""A question about a record made later says what the business register knows of the numbers."""

import httpx

from app.canonical import RecordKind, Side
from app.database import CommitPoint
from app.records.admit import Ask, admit
from app.records.businesses import remember_businesses
from app.systems.register import Business
from tests.features.records.conftest import Hands

TIME, BOOKS = "860001381", "860001403"


async def test_a_question_says_what_the_register_knows_of_both_numbers(
    hands: Hands, client: httpx.AsyncClient
) -> None:
    """As a line of the review does: of the record, and of each candidate beside it."""
    link_id, runtime = hands.linked.link_id, hands.runtime
    time = await hands.in_time(organizationNumber=TIME)
    await hands.in_books(orgNo=BOOKS)
    found = {TIME: Business(TIME, bankrupt=True), BOOKS: Business(BOOKS, main_unit=TIME)}
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await remember_businesses(session, found, now=runtime.clock())

    asked = await admit(runtime, link_id, Side.TIME, RecordKind.CUSTOMER, time)
    answer = await client.get(f"{hands.linked.path}/questions", headers=hands.linked.books)

    (question,) = answer.json()["items"]
    (candidate,) = question["candidates"]
    assert isinstance(asked, Ask)
    assert [fact["code"] for fact in question["registerFacts"]] == ["customer-bankrupt"]
    assert [fact["code"] for fact in candidate["registerFacts"]] == [
        "sub-unit-of-record",
        "main-unit-bankrupt",
    ]

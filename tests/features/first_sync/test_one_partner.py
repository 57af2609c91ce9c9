"""Whatever is answered and read again: no two lines ever come to link one record."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.database import CommitPoint
from app.runtime import Runtime
from tests.features.conftest import Linked, Twins
from tests.features.first_sync.conftest import Review, Work


async def same_line(review: Review, line: dict[str, Any]) -> dict[str, Any]:
    (found,) = [one for one in await review.lines() if one["id"] == line["id"]]
    return found


async def test_an_answer_is_not_taken_back_onto_a_partner_that_is_taken(review: Review) -> None:
    """Kari freed a partner and Ola linked it elsewhere: her line cannot have it by default."""
    first, second = (await review.lines(category="certain", kind="customer"))[:2]
    partner = second["candidates"][0]["id"]
    freed = await review.answer(second, "create")
    await review.answer(first, "link", partnerId=partner)

    refused = await review.patch(freed, {"answer": None})

    assert refused.json()["facts"]["reason"] == "partner-taken"
    assert (await same_line(review, second))["answer"] == "create"


async def test_a_kept_link_makes_what_else_is_certain_of_its_partner_a_question(
    review: Review, work: Work, twins: Twins
) -> None:
    """Read again: a customer made meanwhile is like the partner that a person gave to another."""
    line = await review.line(category="only_time", kind="customer", deed="create-in-books")
    books = await review.line(category="only_books", kind="customer", deed="create-in-time")
    await review.answer(line, "link", partnerId=books["record"]["id"])
    body = {
        "name": books["record"]["name"], "kind": "company",
        "organizationNumber": books["record"]["organizationNumber"],
        "email": books["record"]["email"],
    }  # fmt: skip
    made = await twins.control("timerabbit", "POST", "/companies/cmp_1/customers", body)

    await review.start()
    await work()

    (new,) = [one for one in await review.lines() if one["record"]["id"] == made["id"]]
    assert [one["id"] for one in new["candidates"]] == [books["record"]["id"]]
    assert (new["category"], new["deed"]) == ("ambiguous", "ask")
    assert (await same_line(review, line))["partnerId"] == books["record"]["id"]


async def test_a_plan_that_links_a_record_twice_is_not_confirmed(
    review: Review, runtime: Runtime, reviewing: Linked
) -> None:
    """However it came to be: the preview and the confirmation name it, and nothing is written."""
    await review.answer_all()
    first, second = (await review.lines(category="certain", kind="customer"))[:2]
    async with runtime.database.transaction(CommitPoint.PLAIN, reviewing.link_id) as session:
        await session.execute(
            text("UPDATE proposals SET answer = 'link', partner_id = :one WHERE proposal_id = :id"),
            {"one": second["candidates"][0]["id"], "id": first["id"]},
        )

    refused = await review.confirm()

    assert (refused.status_code, refused.json()["code"]) == (409, "partner-linked-twice")


async def test_an_answer_from_the_partners_line_takes_the_place_of_none(review: Review) -> None:
    """It is kept in a line whose version its giver did not send: what stands there stays."""
    time = await review.line(category="only_time", kind="customer")
    one, other = (await review.lines(category="only_books", kind="customer"))[:2]
    await review.answer(time, "link", partnerId=one["record"]["id"])

    refused = await review.patch(other, {"answer": "link", "partnerId": time["record"]["id"]})

    assert refused.json()["facts"]["reason"] == "answered-before"
    assert (await same_line(review, time))["partnerId"] == one["record"]["id"]


async def test_a_link_buries_no_answer_of_its_partner(review: Review) -> None:
    """Who left the partner out would not be asked; taken back, it may be linked."""
    time = await review.line(category="only_time", kind="customer")
    books = await review.line(category="only_books", kind="customer")
    left_out = await review.answer(books, "leave_out")
    link = {"answer": "link", "partnerId": books["record"]["id"]}

    refused = await review.patch(time, link)
    await review.answer(left_out, None)
    accepted = await review.patch(time, link)

    assert refused.json()["facts"]["reason"] == "answered-before"
    assert accepted.status_code == 200


async def test_an_answer_taken_back_buries_none_of_the_partner(review: Review) -> None:
    """The certain link would stand again, over what somebody said of the partner meanwhile."""
    line = await review.line(category="certain", kind="customer")
    apart = await review.answer(line, "create")
    (books,) = [
        one for one in await review.lines(kind="customer")
        if one["side"] == "books" and one["record"]["id"] == line["candidates"][0]["id"]
    ]  # fmt: skip
    kept = await review.answer(books, "leave_out")

    refused = await review.patch(apart, {"answer": None})
    await review.answer(kept, None)
    accepted = await review.patch(apart, {"answer": None})

    assert refused.json()["facts"]["reason"] == "answered-before"
    assert accepted.status_code == 200


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("own", ["time", "books"])
async def test_rows_of_one_sheet_that_speak_against_each_other_are_refused(
    review: Review, client: httpx.AsyncClient, reviewing: Linked, own: str, *, turned: bool
) -> None:
    """A row links a record that another row leaves out: in either order nothing is taken."""
    lines = {
        "time": await review.line(category="only_time", kind="customer"),
        "books": await review.line(category="only_books", kind="customer"),
    }
    linking, partner = ("books", "time") if own == "time" else ("time", "books")
    rows = [
        {"line": lines[linking], "answer": "koble", "partner": lines[partner]["record"]["id"]},
        {"line": lines[own], "answer": "utelat", "partner": ""},
    ]
    told = [
        f"{row['line']['id']};{row['line']['version']};{row['answer']};{row['partner']}"
        for row in (reversed(rows) if turned else rows)
    ]
    body = "\n".join(["Linje;Versjon;Svar;Motpart", *told]).encode()

    got = await client.post(
        f"{reviewing.path}/first-sync/sheet", headers=reviewing.books, content=body
    )

    assert (got.status_code, got.json()["code"]) == (422, "sheet-refused")
    assert [one["code"] for one in got.json()["errors"]] == ["answered-before"]
    assert (await same_line(review, lines["time"]))["answer"] is None

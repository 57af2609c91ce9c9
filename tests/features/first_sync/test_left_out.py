"""A record that a person left out stays on its own side until a person takes it in again."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from app.database import CommitPoint
from app.records.store import KnownRecord
from tests.features.conftest import Linked, Twins
from tests.features.first_sync.conftest import Review, Work
from tests.features.first_sync.test_run import Judge, judge

__all__ = ["judge"]


async def leave_out(client: httpx.AsyncClient, link: Linked, side: str, record_id: str) -> None:
    answer = await client.post(
        f"{link.path}/readiness/fixes", headers=link.books,
        json={"fix": "leave-out", "side": side, "recordIds": [record_id]},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text


async def same_line(review: Review, line: dict[str, Any]) -> dict[str, Any]:
    (found,) = [one for one in await review.lines() if one["id"] == line["id"]]
    return found


async def is_left_out(judge: Judge, *record_ids: str) -> list[bool]:
    async with judge.runtime.database.reading(judge.linked.link_id) as session:
        rows = await session.execute(
            select(KnownRecord.left_out).where(KnownRecord.record_id.in_(record_ids))
        )
        return [bool(one) for one in rows.scalars()]


async def test_a_partner_that_was_left_out_is_not_linked_by_itself(
    judge: Judge, work: Work, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """However certain the match: both stay where they are, and nothing is made beside them."""
    line = await judge.review.line(deed="link", kind="customer", category="certain")
    partner, name = line["candidates"][0]["id"], line["record"]["name"]
    before = await judge.names()
    await leave_out(client, reviewing, "books", partner)

    shown = await same_line(judge.review, line)
    await judge.review.answer_all()
    await judge.review.confirm()
    await work()

    after, names = await same_line(judge.review, line), await judge.names()
    assert (shown["deed"], shown["category"], after["outcome"]) == (
        "leave-out", "left_out", "left-out",
    )  # fmt: skip
    assert line["record"]["id"] not in {pair.time_id for pair in await judge.pairs()}
    for side in ("books", "time"):
        assert names[side, "customer"][name] == before[side, "customer"][name]


async def test_a_person_takes_in_what_was_left_out(
    judge: Judge, work: Work, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """Linked or created by an answer, a record is not left out any more."""
    link = await judge.review.line(deed="link", kind="customer", category="certain")
    make = await judge.review.line(deed="create-in-books", kind="customer", category="only_time")
    partner = link["candidates"][0]["id"]
    await leave_out(client, reviewing, "books", partner)
    await leave_out(client, reviewing, "time", make["record"]["id"])
    await judge.review.answer(await same_line(judge.review, link), "link", partnerId=partner)
    await judge.review.answer(await same_line(judge.review, make), "create")
    await judge.review.answer_all()
    await judge.review.confirm()

    await work()

    pairs = {pair.time_id: pair.books_id for pair in await judge.pairs()}
    ids = (link["record"]["id"], partner, make["record"]["id"])
    assert pairs[link["record"]["id"]] == partner
    assert make["record"]["id"] in pairs
    assert await is_left_out(judge, *ids) == [False] * 3


@pytest.mark.parametrize("doubled", [True, False])
async def test_what_a_left_out_line_might_have_been_is_asked_about(
    judge: Judge, work: Work, twins: Twins, *, doubled: bool
) -> None:
    """Two may be two: one is left out, the other linked, and what is left over gets its line."""
    address = {"line1": "Storgata 1", "postalCode": "0155", "city": "Oslo", "country": "NO"}
    theirs = {
        "customerType": "ORGANIZATION", "customerAddressLine1": "Storgata 1",
        "customerAddressPostcode": "0155", "customerAddressCity": "Oslo",
    }  # fmt: skip
    ours, books = [], []
    for place in ("Nord", "Sør"):
        name = f"Tvillingene Bygg {place} AS"
        body = {"name": name, "kind": "company", "address": address}
        made = await twins.control("timerabbit", "POST", "/companies/cmp_1/customers", body)
        ours.append(made["id"])
        body = {"name": "Tvillingene Bygg AS", **theirs}
        made = await twins.control("conta", "POST", "/organizations/1001/customers", body)
        books.append(str(made["id"]))
    review = judge.review
    await review.start()
    await work()
    lines = {one["record"]["id"]: one for one in await review.lines(q="tvillingene")}
    assert {one["id"] for one in lines[ours[0]]["candidates"]} == set(books)
    if not doubled:
        link_id = judge.linked.link_id
        async with judge.runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
            await session.execute(
                text("UPDATE proposals SET category = 'only_books' WHERE anchor_id = :one"),
                {"one": books[1]},
            )

    await review.answer(lines[ours[0]], "leave_out")
    await review.answer(lines[ours[1]], "link", partnerId=books[0])

    after = {one["record"]["id"]: one for one in await review.lines(q="tvillingene")}
    category = "duplicate" if doubled else "ambiguous"
    assert (after[books[1]]["category"], after[books[1]]["deed"]) == (category, "ask")
    assert books[0] not in after
    await review.answer(after[books[1]], "create")
    await review.answer_all()
    await review.confirm()
    await work()
    assert await is_left_out(judge, ours[0]) == [True]
    assert await is_left_out(judge, books[1]) == [False]
    assert books[1] in {pair.books_id for pair in await judge.pairs()}

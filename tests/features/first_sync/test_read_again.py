"""A plan is read again before it is confirmed: no answer that is lost turns into a write."""

from typing import Any

import httpx
import pytest

from tests.conftest import SetClock
from tests.features.conftest import Linked
from tests.features.first_sync.conftest import Work
from tests.features.first_sync.test_run import Judge, judge
from tests.features.first_sync.test_since_the_plan import by_hand

__all__ = ["judge"]

ALONE = {"deed": "create-in-books", "kind": "customer", "category": "only_time"}
THEIRS = {"deed": "create-in-time", "kind": "customer", "category": "only_books"}


async def edit(judge: Judge, record_id: str) -> None:
    """Somebody writes another phone number into a customer of Timerabbit."""
    own = f"/companies/cmp_1/customers/{record_id}"
    await judge.twins.control("timerabbit", "PATCH", own, {"phone": "40404040"})


async def read_again(judge: Judge, work: Work) -> dict[str, dict[str, Any]]:
    """Read both sides anew; give the lines by their records' ids."""
    await judge.review.start()
    await work()
    return {one["record"]["id"]: one for one in await judge.review.lines()}


async def carry_out(judge: Judge, work: Work) -> None:
    await judge.review.answer_all()
    assert (await judge.review.confirm()).status_code == 202
    await work()


@pytest.mark.parametrize("category", ["only_time", "certain"])
async def test_what_is_left_out_stays_whatever_it_says_by_now(
    judge: Judge, work: Work, category: str
) -> None:
    """Edited in its own system and read again, it is neither created nor linked."""
    line = await judge.review.line(kind="customer", category=category)
    await judge.review.answer(line, "leave_out")
    before = await judge.names()
    await edit(judge, line["record"]["id"])

    again = (await read_again(judge, work))[line["record"]["id"]]
    await carry_out(judge, work)

    assert (again["answer"], again["deed"]) == ("leave_out", "leave-out")
    assert again["version"] > line["version"]
    name = line["record"]["name"]
    assert (await judge.names())["books", "customer"][name] == before["books", "customer"][name]
    assert line["record"]["id"] not in {pair.time_id for pair in await judge.pairs()}


async def test_a_fix_of_ours_loses_no_answer(
    judge: Judge, work: Work, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """An address that a person asked us to write changes nothing about leaving out."""
    line = await judge.review.line(**ALONE)
    await judge.review.answer(line, "leave_out")
    fixed = await client.post(
        f"{reviewing.path}/readiness/fixes", headers=reviewing.books,
        json={
            "fix": "set-address", "side": "time", "recordIds": [line["record"]["id"]],
            "address": {"line1": "Nyveien 1", "postalCode": "0155", "city": "Oslo"},
        },
    )  # fmt: skip

    again = (await read_again(judge, work))[line["record"]["id"]]

    assert fixed.status_code == 200
    assert (again["answer"], again["deed"]) == ("leave_out", "leave-out")


@pytest.mark.parametrize("edited", ["time", "books"])
async def test_a_chosen_link_is_asked_again_when_either_half_changed(
    judge: Judge, work: Work, edited: str
) -> None:
    """It names whom the person chose, at one half; nothing is created beside the two."""
    time, books = await judge.review.line(**ALONE), await judge.review.line(**THEIRS)
    await judge.review.answer(time, "link", partnerId=books["record"]["id"])
    if edited == "time":
        await edit(judge, time["record"]["id"])
    else:
        theirs = f"/organizations/1001/customers/{books['record']['id']}"
        await judge.twins.control("conta", "PATCH", theirs, {"emailAddress": "ny@x.example"})

    lines = await read_again(judge, work)
    twice = await read_again(judge, work)
    refused = await judge.review.confirm()
    await carry_out(judge, work)

    again = lines[time["record"]["id"]]
    assert (again["answer"], again["category"], again["deed"]) == (None, "asked_again", "ask")
    assert [(one["id"], one["rule"]) for one in again["candidates"]] == [
        (books["record"]["id"], "chosen-by-person")
    ]
    assert again["candidates"][0]["record"]["name"] == books["record"]["name"]
    assert again == twice[time["record"]["id"]]
    assert books["record"]["id"] not in lines
    assert refused.json()["code"] == "answers-missing"
    pairs = {pair.time_id: pair.books_id for pair in await judge.pairs()}
    assert pairs[time["record"]["id"]] == books["record"]["id"]


async def test_both_halves_of_a_lost_link_are_asked(judge: Judge, work: Work) -> None:
    """The one is to be created after all: the other does not follow by itself."""
    time, books = await judge.review.line(**ALONE), await judge.review.line(**THEIRS)
    await judge.review.answer(time, "link", partnerId=books["record"]["id"])
    await edit(judge, time["record"]["id"])
    again = (await read_again(judge, work))[time["record"]["id"]]

    await judge.review.answer(again, "create")

    (freed,) = [one for one in await judge.review.lines(deed="ask") if one["id"] == books["id"]]
    assert (freed["category"], freed["answer"]) == ("asked_again", None)


async def test_a_create_does_not_cover_whom_nobody_was_shown(judge: Judge, work: Work) -> None:
    """Somebody made it by hand meanwhile: the line names that one and asks."""
    line = await judge.review.line(**ALONE)
    await judge.review.answer(line, "create")
    made = await judge.twins.control(
        "conta", "POST", "/organizations/1001/customers", by_hand(line)
    )

    lines = await read_again(judge, work)
    await carry_out(judge, work)

    again = lines[line["record"]["id"]]
    assert (again["answer"], again["deed"]) == (None, "ask")
    assert [one["id"] for one in again["candidates"]] == [str(made["id"])]
    assert str(made["id"]) not in lines
    names = await judge.names()
    for side in ("books", "time"):
        assert names[side, "customer"][line["record"]["name"]] == 1


async def test_who_was_left_out_alone_is_not_linked_by_a_newcomer(judge: Judge, work: Work) -> None:
    """Left out on Conta's side, and then made in Timerabbit by hand: a person says which."""
    books = await judge.review.line(**THEIRS)
    await judge.review.answer(books, "leave_out")
    named = ("name", "kind", "organizationNumber", "email", "phone")
    body = {name: books["record"][name] for name in named}
    made = await judge.twins.control("timerabbit", "POST", "/companies/cmp_1/customers", body)

    again = (await read_again(judge, work))[made["id"]]

    assert books["record"]["id"] in [one["id"] for one in again["candidates"]]
    assert (again["category"], again["deed"]) == ("asked_again", "ask")


async def test_a_create_of_projects_is_asked_again_once_their_customers_are_linked(
    judge: Judge, work: Work
) -> None:
    """Parted customers have nothing alike inside; linked again, their projects may be the same."""
    review = judge.review
    project = await review.line(kind="project", deed="link")
    owner = project["record"]["customerId"]
    customers = await review.lines(kind="customer", deed="link")
    (customer,) = [one for one in customers if one["record"]["id"] == owner]
    parted = await review.answer(customer, "create")
    (alone,) = [one for one in await review.lines(kind="project") if one["id"] == project["id"]]
    await review.answer(alone, "create")

    await review.answer(parted, None)

    (again,) = [one for one in await review.lines(kind="project") if one["id"] == project["id"]]
    assert (again["answer"], again["category"], again["deed"]) == (None, "asked_again", "ask")
    partner = project["candidates"][0]["id"]
    assert [one["id"] for one in again["candidates"]] == [partner]
    assert partner not in {one["record"]["id"] for one in await review.lines(kind="project")}


@pytest.mark.parametrize("answered", [True, False])
async def test_who_lost_its_partner_is_asked_about(
    judge: Judge, work: Work, clock: SetClock, *, answered: bool
) -> None:
    """Deleted in Conta and read again: whoever deleted it may not want it back."""
    line = await judge.review.line(kind="customer", category="certain")
    partner = line["candidates"][0]["id"]
    if answered:
        await judge.review.answer(line, "link", partnerId=partner)
    await judge.twins.control("conta", "POST", f"/organizations/1001/customers/{partner}/delete")
    clock.advance(minutes=1)

    await read_again(judge, work)
    again = (await read_again(judge, work))[line["record"]["id"]]
    refused = await judge.review.confirm()

    assert (again["category"], again["deed"]) == ("asked_again", "ask")
    assert partner not in [one["id"] for one in again["candidates"]]
    assert refused.json()["code"] == "answers-missing"


async def test_who_lost_its_partner_in_timerabbit_is_asked_about(judge: Judge, work: Work) -> None:
    """The half in Conta gets its line, which waits for an answer too."""
    line = await judge.review.line(kind="customer", category="certain")
    partner = line["candidates"][0]["id"]
    own = f"/companies/cmp_1/customers/{line['record']['id']}"
    await judge.twins.control("timerabbit", "POST", f"{own}/delete")

    await read_again(judge, work)
    freed = (await read_again(judge, work))[partner]

    assert (freed["category"], freed["deed"]) == ("asked_again", "ask")

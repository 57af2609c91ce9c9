"""A record whose list names it but which cannot be read: nobody is made beside it."""

from typing import Any

import httpx
import pytest

from app.first_sync.run.carry_out import run_first_sync
from app.records.judge_due import judge_due
from app.runtime import Runtime
from tests.features.conftest import Linked, Twins
from tests.features.first_sync.conftest import Review, Work


async def twice(twins: Twins) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give a customer that stands on both sides with one name and one organization number."""
    time, books = (await twins.time())["customers"], (await twins.books())["customers"]
    theirs = {one["orgNo"]: one for one in books if one.get("orgNo")}
    return next(
        (one, theirs[one["organizationNumber"]])
        for one in time
        if one["organizationNumber"] in theirs
        and one["name"] == theirs[one["organizationNumber"]]["name"]
    )


@pytest.fixture
async def unread(
    client: httpx.AsyncClient, reviewing: Linked, twins: Twins, work: Work
) -> tuple[Review, dict[str, Any], dict[str, Any]]:
    """A plan for which Conta did not give one customer, though its list names it."""
    ours, theirs = await twice(twins)
    fault = {
        "kind": "status_before", "status": 500, "method": "GET",
        "path": f"/customers/{theirs['id']}",
    }  # fmt: skip
    await twins.control("conta", "POST", "/faults", fault)
    review = Review(client, reviewing)
    await review.start()
    await work()
    return review, ours, theirs


Unread = tuple[Review, dict[str, Any], dict[str, Any]]


async def line_of(review: Review, record_id: str) -> dict[str, Any]:
    return next(one for one in await review.lines() if one["record"]["id"] == record_id)


async def test_what_could_not_be_read_is_asked_about(unread: Unread) -> None:
    """Its list says the same name and number: that is a question, neither a link nor a create."""
    review, ours, theirs = unread

    line = await line_of(review, ours["id"])

    assert (line["deed"], [one["id"] for one in line["candidates"]]) == ("ask", [str(theirs["id"])])


async def test_what_nobody_is_like_waits_until_it_can_be_read(
    unread: Unread,
) -> None:
    """Answered that the two are not the same, the one that was not read is not made anywhere."""
    review, ours, theirs = unread
    await review.answer(await line_of(review, ours["id"]), "create")

    line = await line_of(review, str(theirs["id"]))

    assert (line["deed"], [one["code"] for one in line["findings"]]) == (
        "wait", ["record-unreadable"],
    )  # fmt: skip


@pytest.mark.parametrize("healed", [True, False])
async def test_what_was_not_read_for_the_plan_is_read_before_the_run_creates(
    unread: Unread, twins: Twins, work: Work, *, healed: bool
) -> None:
    """Somebody gave another customer its number meanwhile: that one is not made beside it."""
    review, ours, theirs = unread
    await review.answer(await line_of(review, ours["id"]), "leave_out")
    other = await review.line(kind="customer", deed="create-in-books")
    if healed:
        await twins.control("conta", "DELETE", "/faults")
    path = f"/organizations/1001/customers/{theirs['id']}"
    told = {"name": other["record"]["name"], "orgNo": other["record"]["organizationNumber"]}
    await twins.control("conta", "PATCH", path, told)
    await review.answer_all()
    await review.confirm()

    await work()

    books = (await twins.books())["customers"]
    after = await line_of(review, other["record"]["id"])
    assert after["outcomeCode"] == "partner-made-since"
    assert [one["name"] for one in books].count(other["record"]["name"]) == 1


async def test_what_can_be_read_by_now_is_not_made_beside_its_partner(
    unread: Unread,
    twins: Twins,
    work: Work,
    runtime: Runtime,
    reviewing: Linked,
    client: httpx.AsyncClient,
) -> None:
    """Another got its number by a fix: it is asked about, as far as the list tells, and linked."""
    review, ours, theirs = unread
    await review.answer(await line_of(review, ours["id"]), "create")
    other = await review.line(kind="customer", deed="create-in-books", category="only_time")
    body = {
        "fix": "set-organization-number", "side": "time", "recordIds": [other["record"]["id"]],
        "organizationNumber": theirs["orgNo"],
    }  # fmt: skip
    path = f"{reviewing.path}/readiness/fixes"
    assert (await client.post(path, headers=reviewing.books, json=body)).status_code == 200
    await twins.control("conta", "DELETE", "/faults")
    await review.answer_all()
    assert (await review.confirm()).status_code == 202
    await run_first_sync(runtime, reviewing.link_id)
    await judge_due(runtime, reviewing.link_id)

    await work()

    after = await line_of(review, other["record"]["id"])
    time = (await twins.time())["customers"]
    assert (after["partnerId"], after["outcome"]) == (str(theirs["id"]), "done")
    assert [one["name"] for one in time].count(theirs["name"]) == 1


async def test_what_stays_unread_stops_neither_the_run_nor_the_next_reading(
    unread: Unread, twins: Twins, work: Work, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """A person links it all the same: that waits for the sync, and all others are carried out."""
    review, ours, theirs = unread
    line = await line_of(review, ours["id"])
    await review.answer(line, "link", partnerId=str(theirs["id"]))
    await review.start()
    await work()
    again = (await review.plan())["state"]
    await review.answer_all()
    run_id = (await review.confirm()).json()["id"]

    await work()

    after = await line_of(review, ours["id"])
    asked = (await client.get(f"{reviewing.path}/questions", headers=reviewing.books)).json()
    books = (await twins.books())["customers"]
    assert (again, (await review.run(run_id))["state"]) == ("open", "done")
    assert (after["outcome"], after["outcomeCode"]) == ("later", "record-unreadable")
    assert ours["id"] in {one["record"]["id"] for one in asked["items"]}
    assert [one["name"] for one in books].count(ours["name"]) == 1


@pytest.mark.parametrize("change", [{"customerType": "CLUB"}, {"name": ""}])
async def test_what_we_do_not_understand_has_a_line_and_no_double(
    client: httpx.AsyncClient,
    reviewing: Linked,
    twins: Twins,
    work: Work,
    change: dict[str, str],
) -> None:
    """Conta gives it, of a kind that we do not know or without a name: a person is asked."""
    ours, theirs = await twice(twins)
    await twins.control("conta", "PATCH", f"/organizations/1001/customers/{theirs['id']}", change)
    review = Review(client, reviewing)
    await review.start()
    await work()

    line = await line_of(review, ours["id"])

    assert (line["deed"], [one["id"] for one in line["candidates"]]) == ("ask", [str(theirs["id"])])

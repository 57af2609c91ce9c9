"""A project's fate follows its customer's as the plan decides it, and the run does just that."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.database import CommitPoint
from app.records.asked import Question
from tests.features.conftest import Linked
from tests.features.first_sync.conftest import Review, Work, dying_at
from tests.features.first_sync.test_fixed_meanwhile import SECOND, fix, told_of
from tests.features.first_sync.test_run import Judge, judge

__all__ = ["judge"]

NAME = "Prosjekt uten make"


@pytest.fixture
async def customer(judge: Judge, work: Work) -> dict[str, Any]:
    """A customer that the plan links but that could not be created, with a project of its own."""
    line = next(
        one
        for one in await judge.review.lines(deed="link", kind="customer", category="certain")
        if one["candidates"][0]["rule"] == "number-and-name"
    )
    own = f"/companies/cmp_1/customers/{line['record']['id']}"
    await judge.twins.control("timerabbit", "PATCH", own, {"kind": "unset"})
    body = {"name": NAME, "customerId": line["record"]["id"]}
    await judge.twins.control("timerabbit", "POST", "/companies/cmp_1/projects", body)
    await judge.review.start()
    await work()
    return await same_line(judge.review, line)


async def same_line(review: Review, line: dict[str, Any]) -> dict[str, Any]:
    (found,) = [one for one in await review.lines() if one["id"] == line["id"]]
    return found


async def project(review: Review) -> dict[str, Any]:
    (found,) = [one for one in await review.lines(kind="project") if one["record"]["name"] == NAME]
    return found


async def test_the_project_of_a_customer_that_is_linked_is_created(
    judge: Judge, customer: dict[str, Any], work: Work
) -> None:
    """Its customer lacks something, but stands on both sides already: shown so, and done so."""
    shown = (await project(judge.review))["deed"]
    await judge.review.answer_all()
    await judge.review.confirm()

    await work()

    names = await judge.names()
    assert (customer["deed"], customer["ready"]) == ("link", False)
    assert shown == "create-in-books"
    assert (await project(judge.review))["outcome"] == "done"
    assert names["books", "project"][NAME] == 1


@pytest.mark.parametrize(("answer", "deed"), [("leave_out", "wait"), ("create", "wait")])
async def test_the_project_waits_when_a_person_decides_otherwise(
    judge: Judge, customer: dict[str, Any], answer: str, deed: str
) -> None:
    """Its customer stays, or cannot be created; the answer taken back, it is created again."""
    answered = await judge.review.answer(customer, answer)
    waits = (await project(judge.review))["deed"]
    await judge.review.answer(answered, None)

    assert (waits, (await project(judge.review))["deed"]) == (deed, "create-in-books")


async def test_the_project_of_a_customer_that_is_left_out_is_not_counted_as_created(
    judge: Judge, work: Work
) -> None:
    """Left out by an answer, a customer that is ready takes its projects along."""
    line = await judge.review.line(deed="create-in-books", kind="customer", category="only_time")
    body = {"name": NAME, "customerId": line["record"]["id"]}
    await judge.twins.control("timerabbit", "POST", "/companies/cmp_1/projects", body)
    await judge.review.start()
    await work()
    before = (await project(judge.review))["deed"]

    await judge.review.answer(await same_line(judge.review, line), "leave_out")

    assert (before, (await project(judge.review))["deed"]) == ("create-in-books", "wait")


async def test_an_answered_link_of_projects_does_not_outlive_their_customers(judge: Judge) -> None:
    """The customers are parted: what a person said of the projects inside is asked anew."""
    review = judge.review
    line = await review.line(kind="project", deed="link")
    await review.answer(line, "link", partnerId=line["candidates"][0]["id"])
    customer = next(
        one
        for one in await review.lines(kind="customer", deed="link")
        if one["record"]["id"] == line["record"]["customerId"]
    )

    await review.answer(customer, "create")

    after = await same_line(review, line)
    assert (after["answer"], after["deed"], after["candidates"]) == (None, "ask", [])


async def test_a_death_after_an_answer_leaves_no_project_as_it_was(
    judge: Judge, work: Work
) -> None:
    """The customer is left out and the process dies: the next look at the plan tells the truth."""
    line = await judge.review.line(deed="create-in-books", kind="customer", category="only_time")
    body = {"name": NAME, "customerId": line["record"]["id"]}
    await judge.twins.control("timerabbit", "POST", "/companies/cmp_1/projects", body)
    await judge.review.start()
    await work()
    judge.runtime.database._hook = dying_at(CommitPoint.PLAN_STORED, "before", 1)
    line = await same_line(judge.review, line)
    assert (await judge.review.patch(line, {"answer": "leave_out"})).status_code == 500
    judge.runtime.database._hook = lambda *_: None

    plan = await judge.review.plan()

    assert plan["state"] == "open"
    assert (await project(judge.review))["deed"] == "wait"


async def test_a_plan_whose_projects_wait_says_so_and_is_finished_by_a_look(
    judge: Judge, customer: dict[str, Any]
) -> None:
    """A process died between an answer that parts customers and the matching of their projects."""
    judge.runtime.database._hook = dying_at(CommitPoint.PLAN_STORED, "before", 1)
    assert (await judge.review.patch(customer, {"answer": "create"})).status_code == 500
    judge.runtime.database._hook = lambda *_: None
    shown = (await project(judge.review))["deed"]

    plan = await judge.review.plan()

    assert (shown, plan["state"]) == ("create-in-books", "open")
    assert (await project(judge.review))["deed"] == "wait"


async def let_conta_have(judge: Judge, *features: str) -> None:
    await judge.twins.control(
        "conta", "POST", "/organizations/1001/plan", {"features": list(features)}
    )


async def test_answers_to_projects_outlive_a_reading_without_the_right_to_them(
    judge: Judge, review: Review, work: Work, clock: Any
) -> None:
    """Conta's plan has no projects for a while: they rest, with all that was answered."""
    customer, *_ = await review.lines(kind="customer", category="certain")
    alone = {"name": "Står bare i Conta", "customerId": int(customer["candidates"][0]["id"])}
    await judge.twins.control("conta", "POST", "/organizations/1001/projects", alone)
    await review.start()
    await work()
    await review.answer_all()
    (made,) = await review.lines(kind="project", deed="create-in-time")
    await review.answer(made, "create")
    linked, left = (await review.lines(kind="project", category="certain"))[:2]
    await review.answer(linked, "link", partnerId=linked["candidates"][0]["id"])
    await review.answer(left, "leave_out")
    before = await review.lines(kind="project")
    features = (await judge.twins.books())["features"]

    await let_conta_have(judge)
    clock.advance(minutes=1)
    await review.start()
    await work()
    without = await review.plan(), await review.lines(kind="project")
    (customer, *_) = await review.lines(kind="customer", deed="link")
    await review.answer(customer, "link", partnerId=customer["candidates"][0]["id"])
    unseen = await review.lines(kind="project")
    await let_conta_have(judge, *features)
    clock.advance(minutes=1)
    await review.start()
    await work()

    after = await review.lines(kind="project")
    assert (without[0]["projects"], "project" in without[0]["deeds"]) == (False, False)
    assert (without[1], unseen) == ([], [])
    answers = {one["id"]: one["answer"] for one in after}
    assert [answers[one["id"]] for one in (linked, left, made)] == ["link", "leave_out", "create"]
    assert [{**one, "version": 0} for one in after] == [{**one, "version": 0} for one in before]


async def test_projects_that_rest_when_a_plan_is_confirmed_follow_with_their_answers(
    judge: Judge, review: Review, work: Work, clock: Any
) -> None:
    """No list tells of them anew: the run hands them over, and they wait for the right to them."""
    await review.answer_all()
    left, linked, *_ = await review.lines(kind="project", category="certain")
    await review.answer(left, "leave_out")
    likely = await review.line(kind="project", category="likely")
    features = (await judge.twins.books())["features"]
    await let_conta_have(judge)
    clock.advance(minutes=1)
    await review.start()
    await work()
    assert (await review.confirm()).status_code == 202
    await work()
    before = await judge.names()

    await let_conta_have(judge, *features)
    clock.advance(hours=25)
    await work()

    pairs = {one.time_id: one.books_id for one in await judge.pairs() if one.kind == "project"}
    assert pairs[linked["record"]["id"]] == linked["candidates"][0]["id"]
    assert not {left["record"]["id"], likely["record"]["id"]} & pairs.keys()
    assert left["candidates"][0]["id"] not in pairs.values()
    async with judge.runtime.database.reading(judge.linked.link_id) as session:
        asked = await session.scalars(select(Question.record_id))
        assert likely["record"]["id"] in set(asked)
    assert await judge.names() == before


async def test_a_project_follows_what_a_fix_makes_of_its_customer(
    judge: Judge, customer: dict[str, Any], client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """Asked about and not ready, it cannot be created: neither can its project."""
    before = (await project(judge.review))["deed"]
    number = {"fix": "set-organization-number", "organizationNumber": SECOND}

    await fix(client, reviewing, {**told_of(customer), **number})

    assert (before, (await project(judge.review))["deed"]) == ("create-in-books", "wait")


async def test_a_project_keeps_its_answer_where_it_was_fixed_and_its_customer_answered(
    judge: Judge, customer: dict[str, Any], client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """In this order, with nobody looking between: who fixed it knows what it says."""
    line = await project(judge.review)
    await judge.review.answer(line, "create")
    named = {"fix": "set-name", "recordKind": "project", "name": NAME + " 2"}
    await fix(client, reviewing, {**told_of(line), **named})

    await judge.review.answer(customer, "create")

    assert (await same_line(judge.review, line))["answer"] == "create"

"""What is archived and like nobody stays on its own side, unless a person takes it in."""

from typing import Any

import httpx
import pytest

from tests.features.conftest import Linked
from tests.features.first_sync.conftest import Work
from tests.features.first_sync.test_run import Judge, judge

__all__ = ["judge"]

PROJECT = "Prosjekt i arkivet"


@pytest.fixture(params=["time", "books"])
async def archived(request: pytest.FixtureRequest, judge: Judge, work: Work) -> dict[str, Any]:
    """A customer of one side, like nobody, with a project; archived before a new reading."""
    other = "books" if request.param == "time" else "time"
    line = await judge.review.line(
        kind="customer", category=f"only_{request.param}", deed=f"create-in-{other}"
    )
    record_id = line["record"]["id"]
    twin, home, owner, off = (
        ("timerabbit", "/companies/cmp_1", record_id, {"active": False})
        if request.param == "time"
        else ("conta", "/organizations/1001", int(record_id), {"isActive": False})
    )
    body = {"name": PROJECT, "customerId": owner}
    await judge.twins.control(twin, "POST", f"{home}/projects", body)
    await judge.twins.control(twin, "PATCH", f"{home}/customers/{record_id}", off)
    await judge.review.start()
    await work()
    (found,) = [one for one in await judge.review.lines() if one["id"] == line["id"]]
    return found


async def the_project(judge: Judge) -> dict[str, Any]:
    (found,) = [one for one in await judge.review.lines() if one["record"]["name"] == PROJECT]
    return found


async def test_who_is_archived_and_like_nobody_is_not_made_on_the_other_side(
    judge: Judge,
    archived: dict[str, Any],
    work: Work,
    client: httpx.AsyncClient,
    reviewing: Linked,
) -> None:
    """It is shown as what it is, found by that, and its projects stay with it."""
    other = "books" if archived["side"] == "time" else "time"
    name, before = archived["record"]["name"], await judge.names()
    listed = await judge.review.lines(category="archived", deed="leave-out", kind="customer")
    project = await the_project(judge)
    await judge.review.answer_all()
    preview = await client.get(f"{reviewing.path}/first-sync/confirm", headers=reviewing.books)
    await judge.review.confirm()

    await work()

    left = [(one["reason"], one["lines"]) for one in preview.json()["leftAsTheyAre"]]
    assert ("archived", 1) in left
    assert (archived["category"], archived["deed"]) == ("archived", "leave-out")
    assert (archived["answer"], [one["id"] for one in listed]) == (None, [archived["id"]])
    assert project["deed"] == "wait"
    names = await judge.names()
    assert names[other, "customer"][name] == before[other, "customer"][name]
    assert names[other, "project"][PROJECT] == 0
    (after,) = [one for one in await judge.review.lines() if one["id"] == archived["id"]]
    assert (after["outcome"], after["outcomeCode"]) == ("left-out", None)


async def test_a_person_takes_in_who_is_archived(
    judge: Judge, archived: dict[str, Any], work: Work
) -> None:
    """Answered «create», it is made as it is, and so are its projects."""
    other = "books" if archived["side"] == "time" else "time"
    await judge.review.answer(archived, "create")
    project = await the_project(judge)
    await judge.review.answer_all()
    await judge.review.confirm()

    await work()

    assert project["deed"] == f"create-in-{other}"
    names = await judge.names()
    assert names[other, "customer"][archived["record"]["name"]] == 1
    assert names[other, "project"][PROJECT] == 1

"""Our own readiness fix makes a record like another, or unlike: the review and the run see it."""

import asyncio
from typing import Any

import httpx
import pytest

from app.database import CommitPoint
from app.first_sync.run.carry_out import run_first_sync
from tests.features.conftest import Linked
from tests.features.first_sync.conftest import Died, Review, When, Work, dying_at
from tests.features.first_sync.test_run import Judge, judge, restart

__all__ = ["judge"]


async def fix(client: httpx.AsyncClient, linked: Linked, body: dict[str, object]) -> None:
    got = await client.post(f"{linked.path}/readiness/fixes", headers=linked.books, json=body)
    assert got.status_code == 200, got.text
    assert {one["result"] for one in got.json()["items"]} == {"fixed"}


@pytest.mark.parametrize("named", [True, False])
async def test_what_a_fix_makes_like_another_is_not_made_beside_it(
    judge: Judge,
    review: Review,
    work: Work,
    client: httpx.AsyncClient,
    reviewing: Linked,
    *,
    named: bool,
) -> None:
    """It gets the number (and name) of a customer in Conta: the plan links the two, or asks."""
    time = await review.line(category="only_time", kind="customer", deed="create-in-books")
    books = next(
        one
        for one in await review.lines(category="only_books", kind="customer", deed="create-in-time")
        if one["record"]["organizationNumber"]
    )
    theirs = books["record"]
    told = {"side": "time", "recordIds": [time["record"]["id"]]}
    number = {"fix": "set-organization-number", "organizationNumber": theirs["organizationNumber"]}
    await fix(client, reviewing, {**told, **number})
    if named:
        await fix(client, reviewing, {**told, "fix": "set-name", "name": theirs["name"]})
    (line,) = [one for one in await review.lines() if one["id"] == time["id"]]
    await review.answer_all()
    await review.confirm()

    await work()

    names = await judge.names()
    assert (line["category"], line["candidates"][0]["id"]) == (
        "certain" if named else "likely", theirs["id"],
    )  # fmt: skip
    assert line["version"] > time["version"]
    assert names["books", "customer"][theirs["name"]] == 1
    assert names["time", "customer"][theirs["name"]] <= 1
    if named:
        assert names["time", "customer"][theirs["name"]] == 1


SECOND = "860001403"


async def certain_line(review: Review) -> dict[str, Any]:
    """Give a line that links by itself, for one number on both sides."""
    return next(
        one
        for one in await review.lines(category="certain", kind="customer")
        if one["record"]["organizationNumber"]
        == one["candidates"][0]["record"]["organizationNumber"]
    )


def told_of(line: dict[str, Any]) -> dict[str, object]:
    return {"side": "time", "recordIds": [line["record"]["id"]]}


async def test_what_a_fix_makes_unlike_is_asked(
    review: Review, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """Another valid number: nobody is linked by it, and what was shown before is not confirmed."""
    line = await certain_line(review)
    before = await client.get(f"{reviewing.path}/first-sync/confirm", headers=reviewing.books)
    number = {"fix": "set-organization-number", "organizationNumber": SECOND}

    await fix(client, reviewing, {**told_of(line), **number})

    after = await client.get(f"{reviewing.path}/first-sync/confirm", headers=reviewing.books)
    (shown,) = [one for one in await review.lines() if one["id"] == line["id"]]
    assert (shown["category"], shown["version"] > line["version"]) == ("likely", True)
    assert shown["record"]["organizationNumber"] == SECOND
    assert before.headers["etag"] != after.headers["etag"]


async def test_a_name_that_a_fix_gave_is_found(
    review: Review, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """In the review's search; an answer that was given before lives on."""
    line = await review.line(category="only_time", kind="customer", deed="create-in-books")
    await review.answer(line, answer="create")

    await fix(client, reviewing, {**told_of(line), "fix": "set-name", "name": "Rettet Navn AS"})

    found = await review.lines(q="rettet navn")
    assert [one["id"] for one in found] == [line["id"]]
    assert found[0]["answer"] == "create"


def drawings_of(judge: Judge) -> list[CommitPoint]:
    """Give a list that grows by one with each time that lines are drawn and stored from now on."""
    stored: list[CommitPoint] = []
    judge.runtime.database._hook = lambda point, when: (
        stored.append(point) if (point, when) == (CommitPoint.PLAN_STORED, "after") else None
    )
    return stored


async def test_a_worker_draws_what_was_fixed_before_anybody_looks(
    judge: Judge, review: Review, work: Work, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """Once for fixes that follow each other; the look that comes then draws nothing."""
    line = await review.line(category="only_time", kind="customer", deed="create-in-books")
    for name in ("Rettet En Gang AS", "Rettet Navn AS"):
        await fix(client, reviewing, {**told_of(line), "fix": "set-name", "name": name})
    stored = drawings_of(judge)

    await work()

    by_worker = len(stored)
    found = await review.lines(q="rettet navn")
    assert [one["id"] for one in found] == [line["id"]]
    assert (by_worker, len(stored)) == (1, 1)


async def test_looks_at_the_same_time_draw_the_lines_once(
    judge: Judge, review: Review, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """A page asks for its lines, their counts and the plan at once; each sees what was fixed."""
    line = await review.line(category="only_time", kind="customer", deed="create-in-books")
    await fix(client, reviewing, {**told_of(line), "fix": "set-name", "name": "Rettet Navn AS"})
    stored = drawings_of(judge)

    async def counted() -> int:
        path = f"{reviewing.path}/first-sync/facets?q=rettet+navn"
        total: int = (await client.get(path, headers=reviewing.books)).json()["total"]
        return total

    found, total, plan = await asyncio.gather(
        review.lines(q="rettet navn"), counted(), review.plan()
    )

    assert ([one["id"] for one in found], total) == ([line["id"]], 1)
    assert plan["state"] == "open"
    assert len(stored) == 1


async def test_what_others_changed_before_a_fix_is_shown_before_it_is_linked(
    review: Review, client: httpx.AsyncClient, reviewing: Linked, twins: Any
) -> None:
    """The fix read what no person saw; the line shows it, and asks where it fits no more."""
    line = await certain_line(review)
    path = f"/companies/cmp_1/customers/{line['record']['id']}"
    changed = {"name": "Helt Annet Firma AS", "organizationNumber": SECOND}
    await twins.control("timerabbit", "PATCH", path, changed)

    await fix(client, reviewing, {**told_of(line), "fix": "set-kind", "kind": "company"})

    (shown,) = [one for one in await review.lines() if one["id"] == line["id"]]
    assert shown["record"]["name"] == "Helt Annet Firma AS"
    assert shown["category"] != "certain"


async def test_what_a_fix_makes_unlike_while_the_run_goes_on_is_not_linked(
    judge: Judge, review: Review, work: Work, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """The line was certain when it was confirmed: the sync asks about it afterwards."""
    await review.answer_all()
    line = await certain_line(review)
    await review.confirm()
    number = {"fix": "set-organization-number", "organizationNumber": SECOND}
    await fix(client, reviewing, {**told_of(line), **number})

    await work()

    (after,) = [one for one in await review.lines() if one["id"] == line["id"]]
    assert (after["outcome"], after["outcomeCode"]) == ("later", "changed-since-plan")


DEATHS = [None, *((when, nth) for when in ("before", "after") for nth in (1, 2))]


@pytest.mark.parametrize("death", DEATHS)
@pytest.mark.parametrize("fixed", ["time", "books"])
async def test_what_a_fix_makes_like_another_while_the_run_goes_on_is_made_nowhere(
    judge: Judge,
    review: Review,
    work: Work,
    client: httpx.AsyncClient,
    reviewing: Linked,
    clock: Any,
    *,
    fixed: str,
    death: tuple[When, int] | None,
) -> None:
    """After the look, before either was made: the run looks once more, and leaves both."""
    await review.answer_all()
    time = await review.line(category="only_time", kind="customer", deed="create-in-books")
    books = next(
        one
        for one in await review.lines(category="only_books", kind="customer", deed="create-in-time")
        if one["record"]["organizationNumber"]
    )
    one, other = (time, books) if fixed == "time" else (books, time)
    await review.confirm()
    await run_first_sync(judge.runtime, reviewing.link_id)
    clock.advance(seconds=10)
    told = {"side": fixed, "recordIds": [one["record"]["id"]]}
    number = {"organizationNumber": other["record"]["organizationNumber"]}
    name = other["record"]["name"]
    await fix(client, reviewing, {**told, **number, "fix": "set-organization-number"})
    await fix(client, reviewing, {**told, "fix": "set-name", "name": name})
    if death is not None:
        judge.runtime.database._hook = dying_at(CommitPoint.RUN_STEP, *death)
        with pytest.raises(Died):
            await work()
        await restart(judge)

    await work()

    names, after = await judge.names(), {line["id"]: line for line in await review.lines()}
    codes = {after[line["id"]]["outcomeCode"] for line in (time, books)}
    assert codes == {"partner-made-since"}
    assert (names["books", "customer"][name], names["time", "customer"][name]) == (1, 1)


async def test_a_fix_that_makes_nobody_alike_holds_nothing_up(
    judge: Judge,
    confirmed: str,
    work: Work,
    client: httpx.AsyncClient,
    reviewing: Linked,
) -> None:
    """One more look, and what was fixed is created as it is now."""
    line = await judge.review.line(category="only_time", kind="customer", deed="create-in-books")
    await run_first_sync(judge.runtime, reviewing.link_id)
    told = {"side": "time", "recordIds": [line["record"]["id"]], "fix": "set-name"}
    await fix(client, reviewing, {**told, "name": "Rettet Underveis AS"})

    await work()

    (after,) = [one for one in await judge.review.lines() if one["id"] == line["id"]]
    assert (await judge.review.run(confirmed))["state"] == "done"
    assert after["outcome"] == "done"
    assert (await judge.names())["books", "customer"]["Rettet Underveis AS"] == 1

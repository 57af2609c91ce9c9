"""A plan confirmed on a link that works already, while the ordinary sync sees news of its own."""

from typing import Any

import httpx
import pytest

from app.canonical import RecordId, RecordKind, Side
from app.database import CommitPoint
from app.first_sync.plan.plan import read_plan
from app.first_sync.run.carry_out import run_first_sync
from app.queue import Job, defer
from app.records.decisions import refuse
from app.records.questions import ask
from tests.features.conftest import bearer
from tests.features.first_sync.conftest import Died, Review, When, Work, dying_at
from tests.features.first_sync.test_run import Judge, judge, let_time_pass, restart
from tests.features.first_sync.test_second_reading import NEW
from tests.features.first_sync.test_since_the_plan import by_hand
from tests.features.first_sync.test_undo import Undoing

__all__ = ["judge"]


async def sweep(judge: Judge, work: Work) -> None:
    """Let the ordinary sync read both lists now."""
    link_id = judge.linked.link_id
    async with judge.runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await defer(session, Job.SWEEP_LINK, link_id)
    await work()


@pytest.fixture
async def wanted(judge: Judge, review: Review, work: Work, clock: Any) -> dict[str, Any]:
    """A customer of Timerabbit that the first plan left out and the second one is to create."""
    first = await review.line(deed="create-in-books", kind="customer", category="only_time")
    await review.answer_all()
    await review.answer(first, "leave_out")
    await review.confirm()
    await work()
    clock.advance(minutes=1)
    await review.start()
    await work()
    (line,) = await review.lines(q=first["record"]["name"], kind="customer")
    return await review.answer(line, "create")


@pytest.mark.parametrize("swept", [False, True])
async def test_what_the_sync_saw_first_is_not_made_again(
    judge: Judge, review: Review, work: Work, wanted: dict[str, Any], *, swept: bool
) -> None:
    """A person typed it into Conta since the plan; whoever saw that first, it stands there once."""
    await judge.twins.control("conta", "POST", "/organizations/1001/customers", by_hand(wanted))
    if swept:
        await sweep(judge, work)
    for line in await review.lines(deed="ask"):
        await review.answer(line, "leave_out")

    await review.confirm("confirm-2")
    await work()

    names, name = await judge.names(), wanted["record"]["name"]
    (after,) = [one for one in await review.lines() if one["id"] == wanted["id"]]
    assert after["outcomeCode"] == "partner-made-since"
    assert (names["books", "customer"][name], names["time", "customer"][name]) == (1, 1)
    assert wanted["record"]["id"] in {pair.time_id for pair in await judge.pairs()}


@pytest.mark.parametrize("refused", [False, True])
async def test_what_the_inbox_asks_about_is_not_made_meanwhile(
    judge: Judge, review: Review, wanted: dict[str, Any], *, refused: bool
) -> None:
    """The sync asks whether the two are one: until a person says no, the run makes nothing."""
    link_id, record_id = judge.linked.link_id, wanted["record"]["id"]
    for line in await review.lines(deed="ask"):
        await review.answer(line, "leave_out")
    await review.confirm("confirm-2")
    candidate = {"id": record_id, "rule": "same-name", "facts": [], "score": 50}
    now, kind = judge.runtime.clock(), RecordKind.CUSTOMER
    async with judge.runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        them = RecordId("987654")
        await ask(session, link_id, Side.BOOKS, kind, them, candidates=[candidate], now=now)
        if refused:
            await refuse(session, link_id, Side.BOOKS, kind, them, [record_id], by="me", now=now)

    for _ in range(2):  # it looks, and then carries out what there is
        await run_first_sync(judge.runtime, link_id)

    (after,) = [one for one in await review.lines() if one["id"] == wanted["id"]]
    told = (after["outcome"], after["outcomeCode"])
    assert told == (("done", None) if refused else ("later", "is-this-the-same-record"))
    assert (await judge.names())["books", "customer"][wanted["record"]["name"]] == int(refused)


async def test_undoing_leaves_what_the_ordinary_sync_made(
    judge: Judge,
    carried_out: str,
    review: Review,
    work: Work,
    client: httpx.AsyncClient,
    clock: Any,
) -> None:
    """The sync made it between plan and confirmation: neither preview nor undoing claims it."""
    clock.advance(minutes=1)
    made = await judge.twins.control("timerabbit", "POST", "/companies/cmp_1/customers", NEW)
    await review.start()
    await read_plan(judge.runtime, judge.linked.link_id)
    (line,) = await review.lines(q=NEW["name"], kind="customer")
    await work()  # the reading noted it, so the sync takes it up
    for one in await review.lines(deed="ask"):
        await review.answer(one, "leave_out")
    url = f"{judge.linked.path}/first-sync/confirm"
    shown = (await client.get(url, headers=judge.linked.books)).json()
    run_id = (await review.confirm("confirm-2")).json()["id"]
    await work()
    undoing = Undoing(client, judge.linked, run_id)
    told = await undoing.show()

    await undoing.ask()
    await work()

    run = await review.run(run_id)
    kept = [c for c in (await judge.twins.books())["customers"] if c["name"] == NEW["name"]]
    assert line["deed"] == "create-in-books"
    assert [one for one in shown["writes"] if one["deed"] == "create-in-books"] == []
    assert (run["state"], run["done"]) == ("done", run["total"])
    assert (told["parts"], told["archives"]) == ({}, {})
    assert [one["isActive"] for one in kept] == [True]
    assert made["id"] in {pair.time_id for pair in await judge.pairs()}


@pytest.mark.parametrize("when", ["before", "after"])
async def test_undoing_archives_what_a_run_of_a_working_link_made(
    judge: Judge,
    review: Review,
    work: Work,
    client: httpx.AsyncClient,
    wanted: dict[str, Any],
    when: When,
) -> None:
    """It died right beside keeping what it made, and still knows that it was its own."""
    for one in await review.lines(deed="ask"):
        await review.answer(one, "leave_out")
    run_id = (await review.confirm("confirm-2")).json()["id"]
    judge.runtime.database._hook = dying_at(CommitPoint.CREATE_DONE, when, 1)
    with pytest.raises(Died):
        await work()
    await restart(judge)
    await let_time_pass(judge, work)
    judge.linked.books.update(await bearer(judge.twins, "conta", "1001"))
    undoing = Undoing(client, judge.linked, run_id)

    await undoing.ask()
    await work()

    name = wanted["record"]["name"]
    kept = [c for c in (await judge.twins.books())["customers"] if c["name"] == name]
    assert [one["isActive"] for one in kept] == [False]

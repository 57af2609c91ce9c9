"""A plan confirmed on a link that works already, while the ordinary sync sees news of its own."""

from typing import Any

import pytest

from app.canonical import RecordId, RecordKind, Side
from app.database import CommitPoint
from app.first_sync.run.carry_out import run_first_sync
from app.queue import Job, defer
from app.records.decisions import refuse
from app.records.questions import ask
from tests.features.first_sync.conftest import Review, Work
from tests.features.first_sync.test_run import Judge, judge
from tests.features.first_sync.test_since_the_plan import by_hand

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

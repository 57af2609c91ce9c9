"""A customer is merged into another since the plan: its partner is not made a second time."""

import hashlib
from itertools import count
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update

from app.database import CommitPoint
from app.first_sync.run.carry_out import run_first_sync
from app.first_sync.run.newcomers import LONGEST_UNSEEN
from app.first_sync.store import Proposal
from tests.features.conftest import Linked, bearer
from tests.features.first_sync.conftest import Died, Review, When, Work, dying_at
from tests.features.first_sync.test_run import Judge, judge, restart

__all__ = ["judge"]


async def merge(judge: Judge, gone: dict[str, Any], into: dict[str, Any]) -> None:
    """Merge the record of one line into that of another, as a person does in Timerabbit."""
    path = f"/companies/cmp_1/customers/{gone['record']['id']}/merge"
    await judge.twins.control("timerabbit", "POST", path, {"into": into["record"]["id"]})


async def without_projects(judge: Judge, review: Review) -> dict[str, Any]:
    """Give a certain line of a customer that has no project."""
    owners = {one["customerId"] for one in (await judge.twins.time())["projects"]}
    lines = await review.lines(deed="link", kind="customer", category="certain")
    return next(one for one in lines if one["record"]["id"] not in owners)


async def carried_out_first(judge: Judge, line: dict[str, Any]) -> str:
    """Give a line an id that a run takes before all others: they go by the hash of theirs."""
    ids = (UUID(int=number) for number in count(1))
    early = next(one for one in ids if hashlib.md5(str(one).encode()).hexdigest() < "0001")  # noqa: S324 - an order, no secret
    statement = update(Proposal).where(Proposal.proposal_id == UUID(line["id"]))
    async with judge.runtime.database.transaction(
        CommitPoint.PLAIN, judge.linked.link_id
    ) as session:
        await session.execute(statement.values(proposal_id=early))
    return str(early)


DEATHS = [None, ("before", 1), ("after", 1), ("before", 2), ("after", 2)]


@pytest.mark.parametrize("death", DEATHS)
async def test_who_a_linked_customer_was_merged_into_is_asked_about(
    judge: Judge,
    confirmed: str,
    review: Review,
    work: Work,
    client: httpx.AsyncClient,
    reviewing: Linked,
    death: tuple[When, int] | None,
) -> None:
    """The plan links the one and creates the other: neither is made, and each names the other."""
    link = await without_projects(judge, review)
    into = await review.line(deed="create-in-books", kind="customer", category="only_time")
    partner, name = link["candidates"][0]["id"], into["record"]["name"]
    await merge(judge, link, into)
    if death is not None:
        judge.runtime.database._hook = dying_at(CommitPoint.RUN_STEP, *death)
        with pytest.raises(Died):
            await work()
        await restart(judge)

    await work()

    after = {one["id"]: one["outcomeCode"] for one in await review.lines()}
    asked = (await client.get(f"{reviewing.path}/questions", headers=reviewing.books)).json()
    named = {
        one["record"]["id"]: [each["id"] for each in one["candidates"]] for one in asked["items"]
    }
    assert (after[link["id"]], after[into["id"]]) == ("record-gone", "partner-made-since")
    assert (await judge.names())["books", "customer"][name] == 0
    assert (named[partner], named[into["record"]["id"]]) == ([into["record"]["id"]], [partner])


async def test_a_pair_of_this_run_follows_a_merge_before_its_other_is_created(
    judge: Judge, confirmed: str, review: Review, work: Work, clock: Any
) -> None:
    """Linked already, then merged: the pair moves, as it does after the first sync."""
    judge.runtime.settings.drain_bite = 1
    first = await carried_out_first(judge, await without_projects(judge, review))
    done: list[dict[str, Any]] = []
    while not done:
        await run_first_sync(judge.runtime, judge.linked.link_id)
        done = [one for one in await review.lines() if one["outcome"] == "done"]
    (link,) = done
    into = await review.line(deed="create-in-books", kind="customer", category="only_time")
    assert link["id"] == first
    await merge(judge, link, into)
    clock.advance(seconds=LONGEST_UNSEEN.total_seconds() + 1)
    judge.linked.books.update(await bearer(judge.twins, "conta", "1001"))

    await work()

    (after,) = [one for one in await review.lines() if one["id"] == into["id"]]
    pairs = {pair.time_id: pair.books_id for pair in await judge.pairs()}
    assert after["outcomeCode"] == "partner-made-since"
    assert pairs[into["record"]["id"]] == link["candidates"][0]["id"]
    assert (await judge.names())["books", "customer"][into["record"]["name"]] == 1

"""A review begun anew on a link that works: what its reading finds is synced all the same."""

from typing import Any

import pytest

from app.database import CommitPoint
from app.first_sync.plan.plan import read_plan
from tests.features.conftest import Twins
from tests.features.first_sync.conftest import Died, Review, When, Work, dying_at
from tests.features.first_sync.test_run import Judge, judge, restart

__all__ = ["judge"]

TIME = "/companies/cmp_1/customers"
BOOKS = "/organizations/1001/customers"
NEW: dict[str, Any] = {
    "name": "Nyskapt Rør AS", "kind": "company", "organizationNumber": None,
    "email": "ny@nyskapt.example", "phone": "91919191",
    "address": {"line1": "Storgata 5", "postalCode": "0155", "city": "Oslo", "country": "NO"},
}  # fmt: skip
NEW_IN_BOOKS = {
    "name": "Contanyskapt AS", "customerType": "ORGANIZATION", "orgNo": "",
    "customerAddressLine1": "Torget 1", "customerAddressPostcode": "0150",
    "customerAddressCity": "Oslo", "isActive": True, "emailAddress": "x@contanyskapt.no",
}  # fmt: skip


async def make_news(judge: Judge) -> list[tuple[str, str]]:
    """Edit, delete and make customers on both sides; give the pairs: edited, then deleted."""
    control = judge.twins.control
    customers = [one for one in await judge.pairs() if one.kind == "customer"]
    pairs = sorted(customers, key=lambda one: one.time_id)[:5]
    edited, renamed, moved, deleted, vanished = pairs
    await control("timerabbit", "PATCH", f"{TIME}/{edited.time_id}", {"phone": "40404040"})
    await control("conta", "PATCH", f"{BOOKS}/{renamed.books_id}", {"name": "Omdøpt AS"})
    # Conta's list says no address: it shows only where the record is read whole.
    await control("conta", "PATCH", f"{BOOKS}/{moved.books_id}", {"customerAddressLine1": "Vei 9"})
    await control("timerabbit", "POST", f"{TIME}/{deleted.time_id}/delete")
    await control("conta", "POST", f"{BOOKS}/{vanished.books_id}/delete")
    await control("timerabbit", "POST", TIME, NEW)
    await control("conta", "POST", BOOKS, NEW_IN_BOOKS)
    return [(one.time_id, one.books_id) for one in pairs]


async def said(judge: Judge, pairs: list[tuple[str, str]]) -> tuple[Any, ...]:
    """Give what became of the news on the other side of each."""
    books = {str(one["id"]): one for one in (await judge.twins.books())["customers"]}
    time = {one["id"]: one for one in (await judge.twins.time())["customers"]}
    problems = {one.time_id: one.problem for one in await judge.pairs()}
    edited, renamed, moved, deleted, vanished = pairs
    names = await judge.names()
    return (
        books[edited[1]]["phoneNo"],
        time[renamed[0]]["name"],
        time[moved[0]]["address"]["line1"],
        problems[deleted[0]],
        problems[vanished[0]],
        names["books", "customer"][NEW["name"]],
        names["time", "customer"]["Contanyskapt AS"],
    )


TOLD = ("40404040", "Omdøpt AS", "Vei 9", "record-gone", "record-gone", 1, 1)


async def test_what_a_second_reading_finds_is_synced_without_a_confirmation(
    judge: Judge, carried_out: str, review: Review, work: Work, clock: Any
) -> None:
    """The plan is never confirmed: edits, deletions and newcomers go the ordinary way at once."""
    clock.advance(minutes=3)
    pairs = await make_news(judge)
    clock.advance(minutes=1)

    await review.start()
    await work()

    assert (await review.plan())["state"] == "open"
    assert await said(judge, pairs) == TOLD


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", [1, 2, 3])
async def test_a_death_in_a_second_reading_swallows_nothing(
    judge: Judge,
    carried_out: str,
    review: Review,
    work: Work,
    clock: Any,
    *,
    when: When,
    nth: int,
) -> None:
    """What a page told is noted in the commit that remembers it."""
    clock.advance(minutes=3)
    pairs = await make_news(judge)
    clock.advance(minutes=1)
    await review.start()
    judge.runtime.database._hook = dying_at(CommitPoint.PLAN_READ, when, nth)
    with pytest.raises(Died):
        await work()
    await restart(judge)

    await work()

    assert await said(judge, pairs) == TOLD


async def test_a_second_reading_that_finds_too_much_stops_the_link(
    judge: Judge, carried_out: str, review: Review, work: Work, twins: Twins, clock: Any
) -> None:
    """The brake counts what a reading notes as it counts a sweep's, and a person lets it go on."""
    clock.advance(minutes=3)
    pairs = [one for one in await judge.pairs() if one.kind == "customer"]
    for pair in pairs:
        await twins.control("timerabbit", "PATCH", f"{TIME}/{pair.time_id}", {"phone": "40404040"})
    clock.advance(minutes=1)
    await review.start()
    await read_plan(judge.runtime, judge.linked.link_id)
    stopped = await judge.state()
    kept = await phones(judge)
    plan = (await review.plan())["state"]

    answer = await review._client.post(f"{judge.linked.path}/resume", headers=judge.linked.books)
    await work()

    assert answer.status_code == 200, answer.text
    assert (stopped, plan, "40404040" in kept) == ("paused", "open", False)
    assert await judge.state() == "active"
    assert (await phones(judge)).count("40404040") == len(pairs)


async def phones(judge: Judge) -> list[str | None]:
    return [one["phoneNo"] for one in (await judge.twins.books())["customers"]]


async def test_what_the_sync_paired_since_is_in_the_list_no_more(
    judge: Judge, carried_out: str, review: Review, work: Work, clock: Any
) -> None:
    """The plan counts it no more, so no list, file or answer for many may hit it either."""
    await judge.twins.control("timerabbit", "POST", TIME, NEW)
    clock.advance(minutes=1)
    await review.start()
    await work()

    plan, lines = await review.plan(), await review.lines()
    answered = await review.bulk({"filter": {"q": "Nyskapt"}, "answer": "leave_out"})

    names = await judge.names()
    assert (plan["state"], names["books", "customer"][NEW["name"]]) == ("open", 1)
    assert NEW["name"] not in {one["record"]["name"] for one in lines}
    assert len(lines) == sum(sum(deeds.values()) for deeds in plan["deeds"].values())
    assert answered["matched"] == 0

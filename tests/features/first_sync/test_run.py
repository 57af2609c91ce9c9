"""The run: what was confirmed is carried out once, whatever dies or fails on the way."""

import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select, text

from app.database import CommitPoint
from app.links.pairs import Pair
from app.queue import Job, defer
from app.runtime import Runtime
from app.systems.breaker import Breakers
from tests.features.conftest import Linked, Twins
from tests.features.first_sync.conftest import Died, Review, When, Work, dying_at

WRITES = {"POST", "PUT", "PATCH"}


@dataclass
class Judge:
    """Compare the twins' own stores with what was confirmed."""

    twins: Twins
    runtime: Runtime
    linked: Linked
    review: Review

    async def names(self) -> dict[tuple[str, str], Counter[str]]:
        state = {"books": await self.twins.books(), "time": await self.twins.time()}
        return {
            (side, kind): Counter(record["name"] for record in state[side][f"{kind}s"])
            for side in ("books", "time")
            for kind in ("customer", "project")
        }

    async def pairs(self) -> list[Pair]:
        async with self.runtime.database.reading(self.linked.link_id) as session:
            return list((await session.scalars(select(Pair))).all())

    async def state(self) -> str:
        async with self.runtime.database.reading() as session:
            found = await session.scalar(text("SELECT state FROM link_directory"))
        return str(found)

    async def writes(self) -> list[str]:
        """Give the writes to records that both systems were asked for."""
        found = []
        for system in ("conta", "timerabbit"):
            seen = await self.twins.control(system, "GET", "/requests")
            found += [
                f"{one['method']} {one['path']}"
                for one in seen["requests"]
                if one["method"] in WRITES
                and ("/customers" in one["path"] or "/projects" in one["path"])
            ]
        return found

    async def forget_requests(self) -> None:
        for system in ("conta", "timerabbit"):
            await self.twins.control(system, "DELETE", "/requests")


@pytest.fixture
async def judge(twins: Twins, runtime: Runtime, reviewing: Linked, review: Review) -> Judge:
    return Judge(twins, runtime, reviewing, review)


async def assert_carried_out(
    judge: Judge,
    before: dict[tuple[str, str], Counter[str]],
    lines: list[dict[str, Any]],
) -> None:
    """What was to be created stands on the other side once; every link and create is a pair."""
    after = await judge.names()
    pairs = {(pair.kind, pair.time_id, pair.books_id) for pair in await judge.pairs()}
    for side in ("books", "time"):
        for kind in ("customer", "project"):
            made = Counter(
                line["record"]["name"]
                for line in lines
                if line["deed"] == f"create-in-{side}" and line["kind"] == kind
            )
            assert after[side, kind] - before[side, kind] == made
            assert before[side, kind] - after[side, kind] == Counter()
    links = {
        (line["kind"], line["record"]["id"], line["partnerId"] or line["candidates"][0]["id"])
        for line in lines
        if line["deed"] == "link"
    }
    created = [line for line in lines if line["deed"].startswith("create")]
    assert links <= pairs
    assert len(pairs) == len(links) + len(created)
    time = await judge.twins.time()
    marks = {
        (kind, record["id"]): (record.get("externalRefs") or {}).get("conta")
        for kind in ("customer", "project")
        for record in time[f"{kind}s"]
    }
    assert {(kind, time_id): marks[kind, time_id] for kind, time_id, _ in pairs} == {
        (kind, time_id): books_id for kind, time_id, books_id in pairs
    }


async def test_a_confirmed_plan_is_carried_out_and_the_link_works(
    judge: Judge, confirmed: str, work: Work
) -> None:
    """Links are pairs, creates stand on the other side, marks are written, the link is active."""
    before, lines = await judge.names(), await judge.review.lines()

    await work()

    run = await judge.review.run(confirmed)
    assert (run["state"], run["phase"], run["done"]) == ("done", "ended", run["total"])
    assert await judge.state() == "active"
    await assert_carried_out(judge, before, lines)


async def test_what_does_not_fit_keeps_its_reason(judge: Judge, confirmed: str, work: Work) -> None:
    """A record that is not ready waits with its finding; the run goes on without it."""
    waiting = {one["record"]["id"] for one in await judge.review.lines(deed="wait")}

    await work()

    lines = [
        one for one in await judge.review.lines(outcome="later") if one["record"]["id"] in waiting
    ]
    run = await judge.review.run(confirmed)
    assert len(lines) == len(waiting) == sum(one["count"] for one in run["problems"])
    assert {one["outcomeCode"] for one in lines} == {
        "address-missing", "kind-not-set", "organization-number-invalid",
        "project-without-customer",
    }  # fmt: skip


async def test_the_next_looks_write_nothing(judge: Judge, confirmed: str, work: Work) -> None:
    """Once differences are filled in, sweeps and drains of the new link write to neither side."""
    await work()
    await judge.forget_requests()
    async with judge.runtime.database.transaction(
        CommitPoint.PLAIN, judge.linked.link_id
    ) as session:
        await session.execute(
            text("UPDATE link_directory SET next_sweep = next_sweep - '1 d'::interval")
        )

    await work()

    assert await judge.writes() == []


DEATHS = [
    (point, when, nth)
    for point in (CommitPoint.CREATE_INTENT, CommitPoint.CREATE_DONE, CommitPoint.RUN_STEP)
    for when in ("before", "after")
    for nth in (1, 4)
]


@pytest.mark.parametrize(("point", "when", "nth"), DEATHS)
async def test_a_death_creates_nothing_twice_and_forgets_nothing(
    judge: Judge, confirmed: str, work: Work, *, point: CommitPoint, when: When, nth: int
) -> None:
    """Whoever dies around a commit and comes back leaves both systems as if nothing happened."""
    before, lines = await judge.names(), await judge.review.lines()
    judge.runtime.database._hook = dying_at(point, when, nth)
    with pytest.raises(Died):
        await work()

    await restart(judge)
    await let_time_pass(judge, work)

    await assert_carried_out(judge, before, lines)
    assert await judge.state() == "active"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("point", [CommitPoint.PLAN_READ, CommitPoint.PLAN_STORED])
async def test_a_death_while_reading_costs_one_page(
    judge: Judge, work: Work, *, point: CommitPoint, when: When
) -> None:
    """A plan whose reader died is read on by the next one and says the same."""
    lines = await judge.review.lines()
    await judge.review.start()
    judge.runtime.database._hook = dying_at(point, when, 1)
    with pytest.raises(Died):
        await work()

    await restart(judge)
    await work()

    assert (await judge.review.plan())["state"] == "open"
    assert await judge.review.lines() == lines


async def restart(judge: Judge) -> None:
    """Do what the rescue of stalled jobs does: give the dead worker's job to a living one."""
    judge.runtime.database._hook = lambda *_: None
    async with judge.runtime.database.transaction(
        CommitPoint.PLAIN, judge.linked.link_id
    ) as session:
        for job in (Job.READ_PLAN, Job.RUN_FIRST_SYNC, Job.DRAIN_LINK):
            await defer(session, job, judge.linked.link_id)


@pytest.mark.parametrize("system", ["conta", "timerabbit"])
async def test_a_lost_answer_makes_no_second_record(
    judge: Judge, confirmed: str, work: Work, *, system: str
) -> None:
    """The effect came, the answer did not: the record is found, or asked for by the same key."""
    before, lines = await judge.names(), await judge.review.lines()
    path = "/customers"
    await judge.twins.control(
        system, "POST", "/faults",
        {"kind": "lost_answer", "method": "POST", "path": path, "times": 2},
    )  # fmt: skip

    await let_time_pass(judge, work)

    faults = await judge.twins.control(system, "GET", "/faults")
    assert faults["counters"]["lost_answer"] == 2
    await assert_carried_out(judge, before, lines)


async def test_a_list_that_lags_makes_no_second_record(
    judge: Judge, confirmed: str, work: Work
) -> None:
    """A made record that a stale list hides is found by a later look, not made again."""
    before, lines = await judge.names(), await judge.review.lines()
    await judge.twins.control(
        "conta", "POST", "/faults",
        {"kind": "lost_answer", "method": "POST", "path": "/customers", "times": 1},
    )  # fmt: skip
    await judge.twins.control(
        "conta", "POST", "/faults",
        {"kind": "stale_list", "path": "/customers", "seconds": 60, "times": 2},
    )  # fmt: skip

    await let_time_pass(judge, work)

    await assert_carried_out(judge, before, lines)


async def test_a_post_that_never_came_is_sent_once_more(
    judge: Judge, confirmed: str, work: Work
) -> None:
    """Looked for three times and not found: one new POST, and the record is there once."""
    before, lines = await judge.names(), await judge.review.lines()
    await judge.twins.control(
        "conta", "POST", "/faults",
        {"kind": "reset_before", "method": "POST", "path": "/customers", "times": 1},
    )  # fmt: skip

    await let_time_pass(judge, work)

    await assert_carried_out(judge, before, lines)


async def test_a_system_that_is_away_makes_the_run_wait(
    judge: Judge, confirmed: str, work: Work, clock: Any
) -> None:
    """While Conta answers 503 the run says so; when it is back the run goes on by itself."""
    before, lines = await judge.names(), await judge.review.lines()
    fault = {"kind": "status_before", "status": 503, "path": "/customers"}
    await judge.twins.control("conta", "POST", "/faults", fault)
    await work()
    waiting = await judge.review.run(confirmed)

    await judge.twins.control("conta", "DELETE", "/faults")
    close_breaker(judge.runtime)
    await let_time_pass(judge, work)

    assert (waiting["state"], waiting["problem"]["code"]) == ("running", "other-system-away")
    assert await judge.state() == "active"
    await assert_carried_out(judge, before, lines)


async def test_a_record_that_changed_is_not_written_blindly(
    judge: Judge, confirmed: str, work: Work
) -> None:
    """What changed after the review is left to the ordinary sync, which looks at it anew."""
    line = await judge.review.line(deed="create-in-books", category="only_time", kind="customer")
    path = f"/companies/cmp_1/customers/{line['record']['id']}"
    await judge.twins.control("timerabbit", "PATCH", path, {"name": "Ny Etter Planen AS"})

    await work()

    (after,) = [one for one in await judge.review.lines() if one["id"] == line["id"]]
    names = await judge.names()
    assert (after["outcome"], after["outcomeCode"]) == ("later", "changed-since-plan")
    assert names["books", "customer"][line["record"]["name"]] == 0


async def test_a_run_rests_and_goes_on(judge: Judge, confirmed: str, work: Work) -> None:
    """A paused run carries out nothing more until it is resumed."""
    before, lines = await judge.names(), await judge.review.lines()
    paused = await judge.review.let(confirmed, "pause")
    await work()
    unchanged = await judge.names()

    await judge.review.let(confirmed, "resume")
    await work()

    assert (paused["state"], paused["pauseCode"], unchanged) == ("paused", "person-asked", before)
    await assert_carried_out(judge, before, lines)


async def test_left_out_records_stay_left_out(judge: Judge, confirmed: str, work: Work) -> None:
    """What a person left out is not created later either, when it changes."""
    (line,) = [one for one in await judge.review.lines() if one["answer"] == "leave_out"]
    await work()
    path = f"/companies/cmp_1/customers/{line['record']['id']}"
    await judge.twins.control("timerabbit", "PATCH", path, {"phone": "22 33 44 55"})
    before = await judge.names()

    async with judge.runtime.database.transaction(
        CommitPoint.PLAIN, judge.linked.link_id
    ) as session:
        await session.execute(
            text("UPDATE link_directory SET next_sweep = next_sweep - '1 d'::interval")
        )
    await work()

    assert await judge.names() == before


async def test_a_chosen_side_wins(judge: Judge, work: Work) -> None:
    """Where the person said whose value counts, both sides say it afterwards."""
    before = await judge.twins.books()
    moved = next(
        c["name"] for c in before["customers"] if c["customerAddressLine1"] == "Flytteveien 1"
    )
    line = next(
        one
        for one in await judge.review.lines(category="certain", kind="customer")
        if one["record"]["name"] == moved
    )
    await judge.review.answer(
        line, "link", partnerId=line["candidates"][0]["id"],
        winners={"email": "time", "address": "books"},
    )  # fmt: skip
    await judge.review.answer_all()
    await judge.review.confirm()

    await work()

    books, time = await judge.twins.books(), await judge.twins.time()
    (ours,) = [c for c in time["customers"] if c["id"] == line["record"]["id"]]
    (theirs,) = [c for c in books["customers"] if str(c["id"]) == line["candidates"][0]["id"]]
    assert theirs["emailAddress"] == ours["email"] == line["record"]["email"]
    assert theirs["customerAddressLine1"] == ours["address"]["line1"] == "Flytteveien 1"


def close_breaker(runtime: Runtime) -> None:
    """Let both sides be called at once: a breaker tells the machine's time, not the test's."""
    for side in (runtime.systems.books, runtime.systems.time):
        transport: Any = side
        transport._transport._breakers = Breakers(time.monotonic)


async def let_time_pass(judge: Judge, work: Work) -> None:
    """Work, and move the clock past every wait of a create, until nothing is left to do."""
    clock: Any = judge.runtime.clock
    for _ in range(4):
        await work()
        clock.advance(minutes=6)
    await work()

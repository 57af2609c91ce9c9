"""Sides that answer badly while a plan is carried out or undone, judged by their own stores."""

from typing import Any

import httpx
import pytest

from app.database import CommitPoint
from app.queue import Job, defer
from app.runtime import Runtime
from tests.features.conftest import bearer, forget_patience
from tests.features.first_sync.conftest import Died, Review, When, Work
from tests.features.first_sync.test_run import Judge, assert_carried_out, close_breaker, judge
from tests.features.first_sync.test_undo import Undoing, active

__all__ = ["judge"]


SYSTEMS = ("conta", "timerabbit")


async def break_side(judge: Judge, system: str, fault: dict[str, Any]) -> None:
    await judge.twins.control(system, "POST", "/faults", {"path": "/customers", **fault})


async def heal(judge: Judge) -> None:
    """Take all faults away, and what the transport remembers of them."""
    for system in SYSTEMS:
        await judge.twins.control(system, "DELETE", "/faults")
    forget_patience(judge.runtime)
    close_breaker(judge.runtime)


async def come_to_rest(judge: Judge, work: Work) -> None:
    clock: Any = judge.runtime.clock
    for _ in range(5):
        await work()
        clock.advance(minutes=6)
        await heal(judge)
    await work()
    judge.linked.books.update(await bearer(judge.twins, "conta", "1001"))


FAULTS = [
    {"kind": "status_before", "status": 429, "retry_after": 60},
    {"kind": "status_before", "status": 429, "retry_after": 60, "skip": 9},
    {"kind": "status_after", "status": 503, "method": "POST", "times": 2},
    {"kind": "lost_answer", "method": "GET", "times": 4},
    {"kind": "lost_answer", "times": 5, "skip": 4},
    {"kind": "broken_body", "method": "POST", "times": 2},
    {"kind": "repeat_page", "times": 2},
    {"kind": "omit_hits", "times": 1},
]


def name_of(fault: Any) -> str:
    return "-".join(str(value) for value in fault.values()) if isinstance(fault, dict) else fault


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("fault", FAULTS, ids=name_of)
async def test_a_run_against_a_faulty_side_does_what_was_confirmed(
    judge: Judge, confirmed: str, work: Work, *, system: str, fault: dict[str, Any]
) -> None:
    """Nothing is made twice, forgotten or linked to two; while a side is busy the run says so."""
    before, lines = await judge.names(), await judge.review.lines()
    await break_side(judge, system, fault)

    await work()
    waiting = await judge.review.run(confirmed)
    await come_to_rest(judge, work)

    problem = (waiting["problem"] or {}).get("code")
    assert problem in {None, "other-system-busy", "other-system-away"}
    assert fault.get("status") != 429 or (waiting["state"], problem) == (
        "running",
        "other-system-busy",
    )
    assert (await judge.review.run(confirmed))["state"] == "done"
    assert await judge.state() == "active"
    await assert_carried_out(judge, before, lines)


async def test_a_side_that_is_busy_for_a_minute_is_left_in_peace(
    judge: Judge, confirmed: str, work: Work, runtime: Runtime
) -> None:
    """After a 429 with Retry-After the run does not ask before that time, and then goes on."""
    clock: Any = runtime.clock
    await break_side(judge, "conta", {"kind": "status_before", "status": 429, "retry_after": 60})
    await work()
    await heal(judge)
    await judge.forget_requests()

    clock.advance(seconds=50)
    await work()
    asked = await judge.twins.control("conta", "GET", "/requests")
    clock.advance(seconds=11)
    await work()

    assert asked["requests"] == []
    assert (await judge.review.run(confirmed))["state"] == "done"


@pytest.fixture
async def undoing(client: httpx.AsyncClient, judge: Judge, carried_out: str) -> Undoing:
    """A run that has ended and may be undone."""
    return Undoing(client, judge.linked, carried_out)


UNDO_FAULTS = [
    {"kind": "status_before", "status": 429, "retry_after": 60, "skip": 5},
    {"kind": "lost_answer", "times": 6, "skip": 3},
    {"kind": "status_after", "status": 503, "times": 4, "skip": 2},
]


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("fault", UNDO_FAULTS, ids=name_of)
async def test_an_undoing_against_a_faulty_side_archives_only_what_the_run_made(
    undoing: Undoing, judge: Judge, work: Work, *, system: str, fault: dict[str, Any]
) -> None:
    """Whatever is lost on the way: in the end each pair is parted and each made record archived."""
    shown, first, whole = await undoing.show(), await active(judge), await judge.names()
    await undoing.ask()
    await break_side(judge, system, fault)

    await come_to_rest(judge, work)

    after = await active(judge)
    archived = sum(sum(kinds.values()) for kinds in shown["archives"].values())
    told = await undoing.show()
    assert (told["state"], told["hindered"], await judge.pairs()) == ("done", {}, [])
    assert sum((names - after[place]).total() for place, names in first.items()) == archived
    assert await judge.names() == whole


class Mortal:
    """
    Be a process that dies at a commit, and can do nothing once dead; each life is one longer.

    So the work comes to its end, and deaths meet ever other places.
    """

    def __init__(self, first: int, when: When) -> None:
        self.deaths = 0
        self.dead = False
        self._lived, self._first, self._when = 0, first, when

    def __call__(self, point: CommitPoint, when: When) -> None:
        if self.dead and when == "before":
            raise Died
        if self.dead or when != self._when or point is CommitPoint.PLAIN:
            return
        self._lived += 1
        if self._lived >= self._first + self.deaths:
            self._lived, self.dead = 0, True
            self.deaths += 1
            raise Died


async def live_on(judge: Judge, work: Work, mortal: Mortal, *jobs: Job) -> None:
    """Work until nothing is left, dying and starting again, as the rescue of stalled jobs does."""
    clock: Any = judge.runtime.clock
    for _ in range(120):
        judge.runtime.database._hook = mortal
        try:
            await work()
        except Died:
            mortal.dead = False
            judge.runtime.database._hook = lambda *_: None
            async with judge.runtime.database.transaction(
                CommitPoint.PLAIN, judge.linked.link_id
            ) as session:
                for job in jobs:
                    await defer(session, job, judge.linked.link_id)
        else:
            judge.runtime.database._hook = lambda *_: None
            clock.advance(minutes=6)
            if not await work():
                judge.linked.books.update(await bearer(judge.twins, "conta", "1001"))
                return
    raise AssertionError("it does not come to rest")


LIVES: list[tuple[When, int]] = [("before", 1), ("after", 4)]


@pytest.mark.parametrize(("when", "first"), LIVES)
async def test_a_whole_first_sync_outlives_death_upon_death(
    judge: Judge, review: Review, work: Work, client: httpx.AsyncClient, *, first: int, when: When
) -> None:
    """
    Reading, planning, carrying out and undoing, each by processes that all die but the last.

    No record is made twice or linked to two. A create that two deaths left unknown is refused in
    its line, for a person to look, and was made at most by that person.
    """
    before, plan = await judge.names(), await review.lines()
    await review.start()
    reading = Mortal(first, when)
    await live_on(judge, work, reading, Job.READ_PLAN)
    assert await review.lines() == plan
    await review.answer_all()
    planned = await review.lines()
    run_id = (await review.confirm()).json()["id"]

    running = Mortal(first, when)
    await live_on(judge, work, running, Job.RUN_FIRST_SYNC, Job.DRAIN_LINK)

    unknown = {
        one["id"] for one in await review.lines(outcome="refused")
        if one["outcomeCode"] == "create-outcome-unknown"
    }  # fmt: skip
    assert (await review.run(run_id))["state"] == "done"
    await assert_carried_out(judge, before, [one for one in planned if one["id"] not in unknown])

    undone = Undoing(client, judge.linked, run_id)
    in_use, shown = await active(judge), await undone.show()
    await undone.ask()
    undoing = Mortal(first, when)
    await live_on(judge, work, undoing, Job.UNDO_FIRST_SYNC, Job.DRAIN_LINK)

    after = await active(judge)
    archived = sum(sum(kinds.values()) for kinds in shown["archives"].values())
    assert min(reading.deaths, running.deaths, undoing.deaths) > 1
    assert ((await undone.show())["state"], await judge.pairs()) == ("done", [])
    assert sum((names - after[place]).total() for place, names in in_use.items()) == archived

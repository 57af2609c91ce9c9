"""What somebody began to use while an undoing waited is left as it is, whoever told us of it."""

from typing import Any

import httpx
import pytest

from tests.features.conftest import Linked, Switch, Vanishing
from tests.features.first_sync.conftest import Review, Work
from tests.features.first_sync.test_faulty_run import heal
from tests.features.first_sync.test_run import Judge, judge
from tests.features.first_sync.test_undo import Undoing, active, made, undoing

__all__ = ["judge", "undoing"]


async def line_of(undoing: Undoing, line: dict[str, Any]) -> dict[str, Any]:
    (found,) = [one for one in await undoing.lines() if one["id"] == line["id"]]
    return found


async def wait_before_archiving(undoing: Undoing, judge: Judge, work: Work, side: str) -> None:
    """Let each pair be parted, and the archiving of what was made wait for its system."""
    system = {"books": "conta", "time": "timerabbit"}[side]
    method = {"books": "PUT", "time": "PATCH"}[side]
    line = await made(undoing, side)
    fault = {
        "kind": "status_before", "status": 503, "method": method,
        "path": f"/customers/{line['recordId']}", "skip": int(side == "time"),
    }  # fmt: skip
    await judge.twins.control(system, "POST", "/faults", fault)
    await undoing.ask()
    await work()
    assert (await line_of(undoing, line))["state"] == "waiting"


async def go_on(judge: Judge, work: Work, clock: Any) -> None:
    await heal(judge)
    clock.advance(minutes=6)
    await work()


async def is_active(judge: Judge, record_id: str) -> bool:
    books, time = await judge.twins.books(), await judge.twins.time()
    found = [one["isActive"] for one in books["customers"] if str(one["id"]) == record_id]
    found += [one["active"] for one in time["customers"] if one["id"] == record_id]
    (only,) = found
    return bool(only)


async def test_what_got_hours_while_the_archiving_waited_is_left(
    undoing: Undoing, judge: Judge, work: Work, clock: Any
) -> None:
    """Timerabbit was away after the pair was parted; somebody wrote hours meanwhile."""
    line = await made(undoing, "time")
    await wait_before_archiving(undoing, judge, work, "time")
    employee = (await judge.twins.time())["employees"][0]["id"]
    entry = {"customerId": line["recordId"], "employeeId": employee, "minutes": 60}
    await judge.twins.control("timerabbit", "POST", "/companies/cmp_1/entries", entry)

    await go_on(judge, work, clock)

    after = await line_of(undoing, line)
    assert (after["state"], after["code"]) == ("refused", "used-in-hours")
    assert after["facts"] == {"entries": "1"}
    assert await is_active(judge, line["recordId"])


async def test_what_was_edited_while_the_archiving_waited_is_left_until_that_is_taken_back(
    undoing: Undoing, judge: Judge, work: Work, clock: Any
) -> None:
    """Somebody in Conta took it over; when they gave it up, asking again archives it."""
    line = await made(undoing, "books")
    (own,) = [
        one for one in (await judge.twins.books())["customers"]
        if str(one["id"]) == line["recordId"]
    ]  # fmt: skip
    await wait_before_archiving(undoing, judge, work, "books")
    path = f"/organizations/1001/customers/{line['recordId']}"
    await judge.twins.control("conta", "PATCH", path, {"phoneNo": "99887766"})
    await go_on(judge, work, clock)
    left, stays = await line_of(undoing, line), await is_active(judge, line["recordId"])
    await judge.twins.control("conta", "PATCH", path, {"phoneNo": own.get("phoneNo")})

    await undoing.ask()
    await work()

    after = await line_of(undoing, line)
    assert (left["state"], left["code"], left["facts"], stays) == (
        "refused", "edited-since", {"recordId": line["recordId"]}, True,
    )  # fmt: skip
    assert (after["state"], after["code"]) == ("done", None)
    assert not await is_active(judge, line["recordId"])


@pytest.mark.parametrize("side", ["books", "time"])
async def test_a_project_made_by_hand_is_a_use_of_its_customer(
    undoing: Undoing, judge: Judge, work: Work, side: str
) -> None:
    """Nobody paired it, but it stands under the customer that the run made: both stay."""
    line = await made(undoing, side)
    body = {"name": "Gjort for hånd", "customerId": line["recordId"]}
    path = "/organizations/1001/projects"
    if side == "books":
        body["customerId"] = int(line["recordId"])
    else:
        path = "/companies/cmp_1/projects"
    system = {"books": "conta", "time": "timerabbit"}[side]
    await judge.twins.control(system, "POST", path, body)

    await undoing.ask()
    await work()

    after = await line_of(undoing, line)
    assert (after["state"], after["code"]) == ("refused", "used-by-projects")
    assert after["facts"] == {"count": "1"}
    assert await is_active(judge, line["recordId"])


async def test_what_vanishes_while_it_is_archived_needs_no_archiving(
    undoing: Undoing, judge: Judge, work: Work, network: Switch
) -> None:
    """Somebody deletes it at that very moment: its line is done, and no system is away."""
    line = await made(undoing, "books")
    vanishing: Any = Vanishing(judge.twins, network, line["recordId"])
    network._conta = vanishing

    await undoing.ask()
    await work()

    assert (await line_of(undoing, line))["state"] == "done"
    assert (await undoing.show())["state"] == "done"


async def test_an_older_run_tells_of_its_undoing_at_its_own_plan(
    undoing: Undoing, judge: Judge, work: Work, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """A new review is open while the run before is undone: only that run waits for Conta."""
    run_id = undoing._url.split("/")[-2]
    review = Review(client, reviewing)
    await review.start()
    await work()
    fault = {"kind": "status_before", "status": 503, "path": "/customers"}
    await judge.twins.control("conta", "POST", "/faults", fault)

    await undoing.ask()
    await work()

    assert (await review.plan())["problem"] is None
    assert (await review.run(run_id))["problem"]["code"] == "other-system-away"


async def test_what_was_there_first_is_never_archived(
    undoing: Undoing, judge: Judge, work: Work, clock: Any
) -> None:
    """However often an undoing waits, only what the run made is archived, and all of it."""
    before, lines = await active(judge), await undoing.lines()
    await wait_before_archiving(undoing, judge, work, "books")

    await go_on(judge, work, clock)

    after = await active(judge)
    gone = sum((names - after[place]).total() for place, names in before.items())
    assert gone == sum(one["archivedIn"] is not None for one in lines)

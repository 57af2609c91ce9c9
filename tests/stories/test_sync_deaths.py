"""Live sync dies by kill -9 at each of its points, one after another, and no change is lost."""

import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from app.database import CommitPoint
from app.demo.people import COMPANY, wait_for
from tests.stories.conftest import LAUNCH
from tests.stories.test_draft_deaths import SCENARIOS
from tests.stories.test_first_sync_deaths import PLANNING, RUNNING, UNDOING

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("stories")]

DEATHS = (
    (CommitPoint.WEBHOOK_ACCEPTED, "service", "before"),
    (CommitPoint.WEBHOOK_ACCEPTED, "service", "after"),
    (CommitPoint.CHANGE_SETTLED, "worker", "before"),
    (CommitPoint.CHANGE_SETTLED, "worker", "after"),
    (CommitPoint.SWEEP_NOTED, "worker", "before"),
    (CommitPoint.SWEEP_NOTED, "worker", "after"),
)


def test_every_point_has_a_death() -> None:
    """A new commit point without a scenario fails here; plain ones are wholly done or not."""
    played = {point for point, _, _ in DEATHS} | set(SCENARIOS)
    played |= {CommitPoint(name) for name, _, _ in (*PLANNING, *RUNNING, *UNDOING)}

    assert played == set(CommitPoint) - {CommitPoint.PLAIN}


def test_no_change_is_lost_to_a_death(theatre: Any) -> None:
    """
    One customer a death: changed in Timerabbit (told by webhook) or in Conta (found by a sweep).

    In the end every change stands on the other side, nothing is doubled, it is no conflict.
    """
    people = theatre.people
    theatre.stage.environment |= {"TC_STALLED_SECONDS": "2", "TC_HEARTBEAT_SECONDS": "0.5"}
    theatre.start_service()
    theatre.start_worker()
    theatre.first_sync()
    pairs = [
        pair for pair in people.all_pages("/pairs?limit=200")
        if (pair["kind"], pair["state"]) == ("customer", "in-step")
    ]  # fmt: skip
    before = {"books": names(people.books()), "time": names(people.hours())}

    for number, (death, pair) in enumerate(zip(DEATHS, pairs, strict=False)):
        _die(theatre, death, pair, f"2233440{number}")
    for number, ((point, _, _), pair) in enumerate(zip(DEATHS, pairs, strict=False)):
        read = _in_time if point is CommitPoint.SWEEP_NOTED else _in_books
        stands = partial(_stands, people, read, pair, f"2233440{number}")
        wait_for(f"change {number} stands on the other side", stands, every=0.2)

    assert {"books": names(people.books()), "time": names(people.hours())} == before
    assert "phone" not in {one["field"] for one in people.all_pages("/conflicts")}
    assert len(list(people.all_pages("/pairs?limit=200"))) >= len(pairs)


def _die(theatre: Any, death: tuple[CommitPoint, str, str], pair: Any, phone: str) -> None:
    point, who, when = death
    theatre.wait_until_told()
    theatre.stage.end(who)
    if who == "service":
        theatre.start_service(point.value, when, "1")
    else:
        command = [sys.executable, str(LAUNCH), "worker", point.value, when, "1"]
        theatre.stage.start("worker", command, PYTHONPATH=str(LAUNCH.parents[2]))
    if point is CommitPoint.SWEEP_NOTED:
        path = f"/organizations/1001/customers/{pair['booksId']}"
        theatre.people.conta("PATCH", path, {"phoneNo": phone})
        theatre.people.ask("POST", "/sweep")
    else:
        path = f"/companies/{COMPANY}/customers/{pair['timeId']}"
        theatre.people.timerabbit("PATCH", path, {"phone": phone})
    assert theatre.wait_for_death(who) == -9
    if who == "service":
        theatre.start_service()
    else:
        theatre.start_worker()


def _stands(people: Any, read: Callable[[Any, Any], Any], pair: Any, wanted: str) -> bool:
    return bool(read(people, pair) == wanted)


def _in_books(people: Any, pair: Any) -> Any:
    return people.customer_in_books(pair["booksId"]).get("phoneNo")


def _in_time(people: Any, pair: Any) -> Any:
    (found,) = [c for c in people.hours()["customers"] if c["id"] == pair["timeId"]]
    return found["phone"]


def names(state: dict[str, Any]) -> Counter[str]:
    return Counter(one["name"] for one in state["customers"])

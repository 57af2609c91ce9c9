"""A first sync whose workers are killed with -9 again and again, judged by the twins' stores."""

import sys
from collections import Counter
from typing import Any

import pytest

from app.demo.linking import tell_connecting
from app.demo.people import fresh_key, wait_for
from app.demo.screen import Screen
from tests.stories.conftest import LAUNCH

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("stories")]

PLANNING = (("plan-read", "after", 3), ("plan-stored", "before", 1), ("plan-stored", "after", 1))
RUNNING = (
    ("create-intent", "after", 2), ("create-done", "before", 2), ("run-step", "before", 4),
    ("run-step", "after", 9),
)  # fmt: skip
UNDOING = (("undo-step", "before", 2), ("undo-step", "after", 5))


def mortal(theatre: Any, *death: object) -> None:
    """Start a worker that kills itself there, and wait until it has."""
    command = [sys.executable, str(LAUNCH), "worker", *map(str, death)]
    theatre.stage.start("worker", command, PYTHONPATH=str(LAUNCH.parents[2]))
    assert theatre.wait_for_death("worker") == -9


def names(state: dict[str, Any]) -> Counter[str]:
    return Counter(one["name"] for one in state["customers"])


def test_a_first_sync_outlives_all_its_workers(theatre: Any) -> None:
    """Killed while reading, planning, confirming and undoing: nothing twice, nothing forgotten."""
    people = theatre.people
    theatre.stage.environment |= {"TC_STALLED_SECONDS": "2", "TC_HEARTBEAT_SECONDS": "0.5"}
    theatre.start_service()
    people.sign_in()
    theatre.start_worker()
    tell_connecting(people, Screen())
    theatre.stage.kill("worker")
    before = {"books": names(people.books()), "time": names(people.hours())}

    people.ask("POST", "/first-sync")
    for death in PLANNING[:2]:
        mortal(theatre, *death)
    mortal(theatre, *PLANNING[2])
    people.ask("POST", "/first-sync/answers", {"filter": {"deed": "ask"}, "answer": "leave_out"})
    shown = people.ask("GET", "/first-sync/confirm")
    run = people.ask("POST", "/first-sync/confirm", key=fresh_key())
    path = f"/first-sync/runs/{run['id']}"
    for death in RUNNING:
        mortal(theatre, *death)
    theatre.start_worker()
    wait_for("the run", lambda: people.ask("GET", path)["state"] == "done", every=0.3)

    after = {"books": names(people.books()), "time": names(people.hours())}
    made = {
        side: sum(
            one["lines"] for one in shown["writes"]
            if (one["writtenIn"], one["kind"]) == (side, "customer")
        )
        for side in ("books", "time")
    }  # fmt: skip
    assert {side: (after[side] - before[side]).total() for side in made} == made
    pairs = list(people.all_pages("/pairs?limit=200"))
    for half in ("timeId", "booksId"):
        halves = Counter((one["kind"], one[half]) for one in pairs)
        assert set(halves.values()) == {1}

    theatre.stage.kill("worker")
    people.ask("POST", f"{path}/undo")
    for death in UNDOING:
        mortal(theatre, *death)
    theatre.start_worker()
    wait_for("the undo", lambda: people.ask("GET", f"{path}/undo")["state"] == "done", every=0.3)

    hindered = sum(people.ask("GET", f"{path}/undo")["hindered"].values())
    assert len(list(people.all_pages("/pairs?limit=200"))) == hindered
    assert names(people.books()) == after["books"]

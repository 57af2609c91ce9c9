"""Whole stories over HTTP with real processes that die by kill -9 and are started again."""

import time
from typing import Any

import pytest

from app.demo.people import COMPANY, wait_for
from app.demo.processes import Stage

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("stories")]


def test_the_work_of_a_killed_worker_is_taken_over(theatre: Any) -> None:
    """A worker killed with -9 in the middle of a drain: another one does its work within 30 s."""
    theatre.start_service()
    theatre.start_worker("first")
    theatre.first_sync()
    pair = next(
        p
        for p in theatre.people.all_pages("/pairs?limit=200")
        if p["kind"] == "customer" and p["state"] == "in-step"
    )
    slow = {"kind": "latency", "seconds": 20, "path": f"/customers/{pair['booksId']}", "times": 1}
    theatre.people.conta("POST", "/faults", slow)
    path = f"/companies/{COMPANY}/customers/{pair['timeId']}"
    theatre.people.timerabbit("PATCH", path, {"phone": "22334455"})
    wait_for(
        "the first worker is in the middle of it",
        lambda: theatre.people.conta("GET", "/faults")["counters"],
    )
    theatre.start_worker("second")
    time.sleep(1)

    theatre.stage.kill("first")
    killed = time.monotonic()

    wait_for(
        "the change stands in Conta",
        lambda: theatre.people.customer_in_books(pair["booksId"]).get("phoneNo") == "22334455",
    )
    assert time.monotonic() - killed <= 30


def test_a_worker_told_to_stop_ends_cleanly(theatre: Any) -> None:
    """SIGTERM ends service and worker within ten seconds, with exit code 0."""
    theatre.start_service()
    theatre.start_worker()
    theatre.first_sync()
    started = time.monotonic()

    codes = [theatre.stage.end(name) for name in ("worker", "service")]

    assert time.monotonic() - started <= 10
    assert codes[0] == 0
    assert codes[1] in (0, -15)


def test_a_role_that_owns_tables_is_refused(empty_stage: Stage) -> None:
    """The service does not start as the owner: row-level security would protect nobody."""
    url = empty_stage.environment["TC_DATABASE_URL"].replace("tc_service", "tc_owner")
    started = empty_stage.start_product("wrong", "serve", TC_DATABASE_URL=url)

    assert started.wait(30) == 2
    assert "owns tables" in empty_stage.log_end("wrong")

"""Whole stories over HTTP with real processes that die by kill -9 and are started again."""

import time
from typing import Any

import pytest

from app.demo.people import COMPANY, wait_for
from app.demo.processes import Stage

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("stories")]
PHONE = "22334455"


def in_the_middle(theatre: Any) -> str:
    """Start a service and a first worker, and stop time while it drains; a second one waits.

    Gives the customer's id in Conta; its new phone is on its way there.
    """
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
    theatre.people.timerabbit("PATCH", path, {"phone": PHONE})
    wait_for(
        "the first worker is in the middle of it",
        lambda: theatre.people.conta("GET", "/faults")["counters"],
    )
    theatre.start_worker("second")
    time.sleep(1)
    return str(pair["booksId"])


def wait_for_the_change(theatre: Any, books_id: str) -> None:
    wait_for(
        "the change stands in Conta",
        lambda: theatre.people.customer_in_books(books_id).get("phoneNo") == PHONE,
    )


def test_the_work_of_a_killed_worker_is_taken_over(theatre: Any) -> None:
    """A worker killed with -9 in the middle of a drain: another one does its work within 30 s."""
    books_id = in_the_middle(theatre)

    theatre.stage.kill("first")
    killed = time.monotonic()

    wait_for_the_change(theatre, books_id)
    assert time.monotonic() - killed <= 30


def test_a_worker_told_to_stop_in_the_middle_hands_its_work_over(theatre: Any) -> None:
    """SIGTERM in a drain that would take 20 s more: gone with exit 0 within ten, and it is done."""
    books_id = in_the_middle(theatre)
    told = time.monotonic()

    code = theatre.stage.end("first")
    took = time.monotonic() - told

    wait_for_the_change(theatre, books_id)
    assert (code, took <= 10) == (0, True)
    # Handed back, not left to be missed: the other one need not wait for signs of life to fail.
    assert time.monotonic() - told <= 15


def test_service_and_worker_told_to_stop_end_cleanly(theatre: Any) -> None:
    """SIGTERM ends both within ten seconds, with exit code 0."""
    theatre.start_service()
    theatre.start_worker()
    theatre.first_sync()
    started = time.monotonic()

    codes = {name: theatre.stage.end(name) for name in ("worker", "service")}

    assert time.monotonic() - started <= 10
    assert codes == {"worker": 0, "service": 0}


def test_a_role_that_owns_tables_is_refused(empty_stage: Stage) -> None:
    """The service does not start as the owner: row-level security would protect nobody."""
    url = empty_stage.environment["TC_DATABASE_URL"].replace("tc_service", "tc_owner")
    started = empty_stage.start_product("wrong", "serve", TC_DATABASE_URL=url)

    assert started.wait(30) == 2
    assert "owns tables" in empty_stage.log_end("wrong")

"""A draft dies by kill -9 at every named point, one after another, and comes to rest each time."""

import contextlib
from typing import Any

import httpx
import pytest

from app.database import CommitPoint
from app.demo.people import fresh_key, wait_for

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("stories")]

LOST = {"kind": "lost_answer", "method": "POST", "path": "invoice-drafts", "times": 1}
SCENARIOS: dict[CommitPoint, tuple[str, str, int]] = {
    # First: Conta refuses the VAT code for a moment, in which no other draft may come.
    CommitPoint.DRAFT_REFUSED: ("service", "before", 0),
    CommitPoint.DRAFT_INTENT: ("service", "after", 1),
    CommitPoint.DRAFT_RESERVED: ("service", "before", 1),
    CommitPoint.DRAFT_ATTEMPT: ("service", "after", 0),
    CommitPoint.DRAFT_BEFORE_POST: ("service", "before", 0),
    CommitPoint.DRAFT_AFTER_POST: ("service", "before", 1),
    CommitPoint.DRAFT_CREATED: ("service", "before", 1),
    CommitPoint.DRAFT_UNKNOWN: ("service", "before", 1),
    CommitPoint.DRAFT_ADOPTED: ("worker", "before", 1),
    CommitPoint.DRAFT_COMPLETED: ("service", "before", 1),
}
"""Who dies, before or after the point, and how many drafts Conta has in the end."""


def test_every_point_of_a_draft_has_a_death() -> None:
    """A new point without a scenario fails here."""
    assert set(SCENARIOS) == {point for point in CommitPoint if point.name.startswith("DRAFT_")}


def test_a_draft_survives_a_death_at_every_point(theatre: Any) -> None:
    """
    One draft at most for each mark, each hour in one state, judged by the twins' own stores.

    Where nothing was made a person is asked, or the hours are free; nothing is ever sent twice.
    """
    theatre.start_service()
    theatre.start_worker()
    theatre.first_sync()
    people = theatre.people
    entries = [e for e in people.ask("GET", "/billable-entries")["items"] if e["billable"]]
    previews = {}
    for point, entry in zip(SCENARIOS, entries, strict=False):
        body = {"customerId": entry["customerId"], "entryIds": [entry["id"]]}
        previews[point] = people.ask("POST", "/invoice-drafts/preview", body)

    for point, (who, when, _) in SCENARIOS.items():
        _die(theatre, point, previews[point]["previewId"], who, when)
    _serve(theatre)

    def at_rest() -> Any:
        drafts = {one["mark"]: one for one in people.all_pages("/invoice-drafts")}
        ends = {"completed", "needs-person", "refused"}
        return drafts if all(one["state"] in ends for one in drafts.values()) else None

    drafts = wait_for("all drafts are at rest", at_rest, every=0.1)
    own = {e["id"]: e["invoiceStatus"] for e in people.hours()["entries"]}
    found = {}
    for point, preview in previews.items():
        hour = preview["lines"][0]["entryIds"][0]
        made = len(_stored(people, preview["mark"]))
        found[point] = (made, drafts[preview["mark"]]["state"], own[hour])
    expected = {
        point: (1, "completed", "invoiced") if made else (0, "needs-person", "to_invoice")
        for point, (_, _, made) in SCENARIOS.items()
    }
    assert found == expected
    for point, preview in previews.items():
        if not expected[point][0]:
            again = people.ask("POST", f"/invoice-drafts/{drafts[preview['mark']]['id']}/resend")
            assert again["state"] == "completed", point
            assert len(_stored(people, preview["mark"])) == 1


def _stored(people: Any, mark: str) -> list[Any]:
    return [
        draft for draft in people.books()["drafts"]
        if any(mark in line["description"] for line in draft["invoiceDraftLines"])
    ]  # fmt: skip


def _die(theatre: Any, point: CommitPoint, preview_id: str, who: str, when: str) -> None:
    """Let a process die there. The dead service is followed by the one that shall die next."""
    people = theatre.people
    if who in theatre.stage.running:
        theatre.stage.end(who)
    if who == "service":
        theatre.start_service(point.value, when, "1")
    else:
        _serve(theatre)
        theatre.start_worker(who, point.value, when, "1")
    if point in {CommitPoint.DRAFT_UNKNOWN, CommitPoint.DRAFT_ADOPTED}:
        people.conta("POST", "/faults", LOST)
    if point is CommitPoint.DRAFT_REFUSED:
        people.conta("POST", "/organizations/1001/vat-codes", {"codes": ["exempted"]})
    with contextlib.suppress(httpx.HTTPError):
        people.call("POST", "/invoice-drafts", {"previewId": preview_id}, key=fresh_key())
    assert theatre.wait_for_death(who) == -9
    if point is CommitPoint.DRAFT_REFUSED:
        people.conta("POST", "/organizations/1001/vat-codes", {"codes": ["high", "exempted"]})
    if who == "worker":
        theatre.start_worker()


def _serve(theatre: Any) -> None:
    if "service" not in theatre.stage.running:
        theatre.start_service()

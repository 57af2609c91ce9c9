"""While both sides are read, a person is told how long it still takes."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.first_sync.reading.estimate import seconds_to_read
from app.first_sync.store import Plan, PlanState
from app.settings import Settings

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def plan(progress: dict[str, Any], state: PlanState = PlanState.READING, **more: Any) -> Plan:
    return Plan(
        link_id=UUID(int=1), plan_id=UUID(int=2), state=state.value, started_at=NOW,
        progress=progress, capabilities={}, projects_stale=False, drawn_from=None, version=1,
        created_at=NOW, updated_at=NOW, **{"problem": None, **more},
    )  # fmt: skip


@pytest.fixture
def settings() -> Settings:
    return Settings.model_construct(conta_calls_per_second=10.0, timerabbit_calls_per_second=20.0)


def customers(listed: int, total: int | None, read: int) -> dict[str, Any]:
    return {"customer": {"listed": listed, "total": total, "read": read}}


WHOLE = customers(400, 5000, 400)
THIN = customers(5000, 5000, 2000)


@pytest.mark.parametrize(
    ("progress", "seconds"),
    [
        ({}, None),
        ({"books": customers(200, None, 0)}, None),
        ({"time": WHOLE}, 3),
        ({"books": THIN}, 400),
        ({"time": WHOLE, "books": THIN}, 400),
        ({"books": {**THIN, "project": {"listed": 0, "read": 0}}}, 400),
        ({"books": customers(5000, 5000, 5000)}, 0),
    ],
)
def test_the_slower_side_decides(
    settings: Settings, progress: dict[str, Any], seconds: int | None
) -> None:
    """One call for each record that its list says thinly, at a worker's share of the pace."""
    assert seconds_to_read(plan(progress), settings, now=NOW) == seconds


def test_a_wait_counts(settings: Settings) -> None:
    """A system that is away is asked again later; that time is part of it."""
    problem = {"until": (NOW + timedelta(seconds=60)).isoformat()}

    waiting = plan({"books": THIN}, problem=problem)

    assert seconds_to_read(waiting, settings, now=NOW) == 460
    assert seconds_to_read(waiting, settings, now=NOW + timedelta(hours=1)) == 400


def test_what_is_not_being_read_has_no_estimate(settings: Settings) -> None:
    """A plan that is open is there."""
    assert seconds_to_read(plan({"books": THIN}, PlanState.OPEN), settings, now=NOW) is None


def test_projects_count_before_they_begin(settings: Settings) -> None:
    """A page at the least, where both accounts have projects."""
    slow = settings.model_copy(update={"conta_calls_per_second": 0.1 / 0.75})
    begun = plan({"books": customers(5, 5, 5)})
    begun.capabilities = {"projects": True}

    assert seconds_to_read(begun, slow, now=NOW) == 10

"""Shape what the API says of the plan and its run."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple

from pydantic import Field

from app.canonical import RecordKind
from app.documents import AnswerDocument
from app.first_sync.reading.estimate import seconds_to_read
from app.first_sync.run.confirm import Tally
from app.first_sync.store import OutcomeState, Plan, PlanState, Run, RunState
from app.settings import Settings

EXAMPLE_PLAN: Final[dict[str, Any]] = {
    "state": "open",
    "progress": {"time": {"customer": {"listed": 40, "total": 40, "read": 40}}},
    "categories": {"certain": 28, "likely": 2, "only_time": 5, "only_books": 8},
    "deeds": {"customer": {"link": 28, "ask": 2, "create-in-books": 4, "create-in-time": 8}},
    "missingAnswers": 2,
    "projects": True,
    "problem": None,
    "estimatedSeconds": None,
    "version": 7,
    "updatedAt": "2026-11-24T09:05:00Z",
}
EXAMPLE_RUN: Final[dict[str, Any]] = {
    "id": "0199f3a0-0000-7000-8000-000000000031",
    "state": "running",
    "phase": "customers",
    "done": 12,
    "total": 47,
    "outcomes": {"done": 11, "later": 1},
    "problems": [{"code": "address-missing", "count": 1}],
    "estimatedEnd": "2026-11-24T09:07:10Z",
    "pauseCode": None,
    "problem": None,
    "confirmedBy": "kari@1001",
    "startedAt": "2026-11-24T09:06:00Z",
    "endedAt": None,
}


_OPEN: Final = "open"


class Counted(NamedTuple):
    """Count lines of a kind by what became of them; ``outcome`` is ``None`` before."""

    kind: str
    outcome: str | None
    code: str | None
    lines: int


class PlanAnswer(AnswerDocument):
    """Hold how far a plan has come and what its lines come to."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE_PLAN]}}

    state: str
    progress: Mapping[str, Any] = Field(
        description="By side and kind: how many were listed and read whole, of how many in total; "
        "the total is null until the list says it."
    )
    categories: Mapping[str, int]
    deeds: Mapping[str, Mapping[str, int]]
    missing_answers: int
    projects: bool | None = Field(
        description="False: projects wait until the Conta plan has them (Smart); null: not read."
    )
    problem: Mapping[str, Any] | None
    estimated_seconds: int | None = Field(
        description="While reading: how long it still takes at most, at the pace allowed to us; "
        "null before a side has told how much there is, and otherwise."
    )
    version: int
    updated_at: datetime


class RunAnswer(AnswerDocument):
    """Hold how far the carrying out has come."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE_RUN]}}

    id: str
    state: str
    phase: Literal["customers", "projects", "ended"]
    done: int
    total: int
    outcomes: Mapping[str, int]
    problems: list[Mapping[str, Any]] = Field(
        description="What hinders lines, by code and count; list them with `outcome`."
    )
    estimated_end: datetime | None
    pause_code: str | None
    problem: Mapping[str, Any] | None
    confirmed_by: str
    started_at: datetime
    ended_at: datetime | None


def plan_answer(plan: Plan, tally: Tally, settings: Settings, *, now: datetime) -> PlanAnswer:
    """Show a plan."""
    return PlanAnswer(
        state=_state(plan),
        progress=plan.progress,
        categories=tally.by_category,
        deeds=tally.by_kind,
        missing_answers=tally.missing,
        projects=plan.capabilities.get("projects"),
        problem=plan.problem,
        estimated_seconds=seconds_to_read(plan, settings, now=now),
        version=plan.version,
        updated_at=plan.updated_at,
    )


def _state(plan: Plan) -> str:
    """Say what a confirmation would: projects that wait to be matched anew hold it back."""
    waits = plan.state == PlanState.OPEN and plan.projects_stale
    return PlanState.MATCHING.value if waits else plan.state


def run_answer(run: Run, plan: Plan, counts: Sequence[Counted], *, now: datetime) -> RunAnswer:
    """Show a run with an estimate from what it took so far."""
    outcomes: Counter[str] = Counter()
    problems: Counter[str] = Counter()
    for one in counts:
        outcomes[one.outcome or _OPEN] += one.lines
        if one.code is not None:
            problems[one.code] += one.lines
    done = sum(n for state, n in outcomes.items() if state not in (_OPEN, OutcomeState.WAITING))
    return RunAnswer(
        id=str(run.run_id), state=run.state, phase=_phase(counts), done=done, total=run.total,
        outcomes={state: count for state, count in outcomes.items() if state != _OPEN},
        problems=[{"code": code, "count": count} for code, count in problems.most_common()],
        estimated_end=_estimate(run, done, now), pause_code=run.pause_code,
        problem=plan.problem, confirmed_by=run.confirmed_by, started_at=run.started_at,
        ended_at=run.ended_at,
    )  # fmt: skip


def _phase(counts: Sequence[Counted]) -> Literal["customers", "projects", "ended"]:
    open_kinds = {
        one.kind for one in counts if one.outcome in (None, OutcomeState.WAITING) and one.lines
    }
    if RecordKind.CUSTOMER in open_kinds:
        return "customers"
    return "projects" if open_kinds else "ended"


def _estimate(run: Run, done: int, now: datetime) -> datetime | None:
    if run.state != RunState.RUNNING or done == 0:
        return None
    worked = timedelta(milliseconds=run.working) + (now - run.resumed_at)
    return now + worked * (run.total - done) / done

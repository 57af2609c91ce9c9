"""Shape what the API says of pairs, conflicts and how a link stands."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field

from app.canonical import RecordKind
from app.changes.answers import EXAMPLE_CHANGE, ChangeAnswer
from app.changes.store import Change
from app.changes.why import Why, explain
from app.documents import (
    AnswerDocument,
    FieldOut,
    RequestDocument,
    ValueIn,
    ValueOut,
    shown_field,
    shown_fields,
)
from app.links.pairs import Pair
from app.records.agreement import SHOWN
from app.sync.examples import EXAMPLE_CONFLICT, EXAMPLE_EVENT, EXAMPLE_PAIR
from app.sync.store import ConflictRow, HistoryEntry

PairState = Literal["in-step", "waiting", "conflict", "asks"]
_WAITING: Final = frozenset({"other-system-busy", "other-system-away"})


class PairAnswer(AnswerDocument):
    """Hold one pair: which record is which, and whether the two are equal."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE_PAIR]}}

    id: str
    kind: Literal["customer", "project"]
    time_id: str
    books_id: str
    name: str = Field(description="The name both sides last agreed on, else one side's.")
    state: PairState
    problem: str | None = Field(description="The code of what keeps it from being in step.")
    origin: str
    synced_at: datetime | None
    updated_at: datetime
    version: int


class EventAnswer(AnswerDocument):
    """
    Hold one thing that happened to a pair.

    `written`: fields written on `side`. `lost`: `value` of `field` gave way to `winner`. `moved`:
    the pair follows a merged record.
    """

    model_config = {"json_schema_extra": {"examples": [EXAMPLE_EVENT]}}

    at: datetime
    event: str
    side: Literal["time", "books"] | None
    field: FieldOut | None
    value: ValueOut
    winner: ValueOut
    by: str


class ConflictAnswer(AnswerDocument):
    """Hold a field both sides changed differently."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE_CONFLICT]}}

    id: str
    pair_id: str
    kind: Literal["customer", "project"]
    field: FieldOut
    base: ValueOut = Field(description="What both last agreed on; null where nothing was agreed.")
    time: ValueOut
    books: ValueOut
    state: Literal["open", "decided", "closed"]
    decided_value: ValueOut
    decided_by: str | None
    decided_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int


class PairWhy(AnswerDocument):
    """Say how a pair stands and why: agreed values, open questions, what waits, last events."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "pair": EXAMPLE_PAIR,
                    "base": {"name": "Fjord & Fjell AS", "phone": "22 00 00 00"},
                    "why": None,
                    "conflicts": [EXAMPLE_CONFLICT],
                    "waiting": [EXAMPLE_CHANGE],
                    "events": [EXAMPLE_EVENT],
                }
            ]
        }
    }

    pair: PairAnswer
    base: Annotated[Mapping[str, Any], BeforeValidator(shown_fields)]
    why: Why | None
    conflicts: Sequence[ConflictAnswer]
    waiting: Sequence[ChangeAnswer]
    events: Sequence[EventAnswer]


class DecisionBody(RequestDocument):
    """Decide a conflict: by the side whose value wins, or by a value of your own."""

    model_config = {
        "json_schema_extra": {"examples": [{"side": "books"}, {"value": "22 00 00 03"}]}
    }

    side: Literal["time", "books"] | None = None
    value: ValueIn = None


class SweepAnswer(AnswerDocument):
    """Say that a sweep is asked for; read `status` to see when it has been."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {"status": "asked", "href": "/v1/links/0199f3a0-0000-7000-8000-000000000001/status"}
            ]
        }
    }

    status: Literal["asked"]
    href: str


def pair_answer(pair: Pair, name: str) -> PairAnswer:
    """Show a pair by its name."""
    return PairAnswer.model_validate(
        {
            "id": str(pair.pair_id),
            "kind": RecordKind(pair.kind).value,
            "time_id": pair.time_id,
            "books_id": pair.books_id,
            "name": name,
            "state": _state(pair.problem),
            "problem": pair.problem,
            "origin": pair.origin,
            "synced_at": pair.synced_at,
            "updated_at": pair.updated_at,
            "version": pair.version,
        }
    )


def _state(problem: str | None) -> PairState:
    if problem is None:
        return "in-step"
    if problem == "conflict":
        return "conflict"
    return "waiting" if problem in _WAITING else "asks"


def agreed_fields(pair: Pair) -> Mapping[str, Any]:
    """Give what both sides last agreed on, without what is only ours."""
    return {name: value for name, value in pair.base.items() if name != SHOWN}


def pair_why(pair: Pair, name: str, waiting: Sequence[Change], *, language: str) -> Why | None:
    """Say in words what keeps a pair from being in step, with the facts of what waits for it."""
    if pair.problem is None:
        return None
    either = {"name": name, "recordId": f"{pair.time_id}/{pair.books_id}"}
    told = (change.facts for change in waiting if change.code == pair.problem)
    return explain(pair.problem, next(told, either), language=language)


def conflict_answer(row: ConflictRow) -> ConflictAnswer:
    """Show a conflict."""
    return ConflictAnswer.model_validate(
        {
            "id": str(row.conflict_id),
            "pair_id": str(row.pair_id),
            "kind": row.kind,
            "field": row.field,
            "base": row.base,
            "time": row.time_value,
            "books": row.books_value,
            "state": row.state,
            "decided_value": row.decided_value,
            "decided_by": row.decided_by,
            "decided_at": row.decided_at,
            "created_at": row.created_at,
            "updated_at": row.updated_at,
            "version": row.version,
        }
    )


def event_answer(row: HistoryEntry) -> EventAnswer:
    """Show one event of a pair; what was written is a list of fields."""
    shown = EventAnswer.model_validate(row, from_attributes=True)
    if row.event == "written":
        shown.value = [shown_field(name) for name in row.value]
    return shown

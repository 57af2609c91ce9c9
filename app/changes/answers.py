"""Shape what the API says of waiting changes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import Field

from app.changes.store import Change
from app.changes.why import Why, explain
from app.documents import AnswerDocument, RequestDocument

EXAMPLE_CHANGE: Final[dict[str, Any]] = {
    "id": "0199f3a0-0000-7000-8000-000000000011",
    "side": "time",
    "kind": "customer",
    "recordId": "cus_17",
    "state": "parked",
    "attempts": 1,
    "dueAt": None,
    "firstSeenAt": "2026-11-24T09:00:00Z",
    "lastSeenAt": "2026-11-24T09:02:00Z",
    "why": {
        "code": "record-gone",
        "title": "A linked record is gone",
        "detail": "The record cus_17 of “Fjord & Fjell AS” is no longer there.",
        "remedy": "Restore it, archive the other half, or ignore this.",
        "fixableBy": "administrator",
        "facts": {"side": "time", "recordId": "cus_17", "name": "Fjord & Fjell AS"},
    },
}


class ChangeAnswer(AnswerDocument):
    """Hold one record that waits, for us or for a person."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE_CHANGE]}}

    id: str
    side: Literal["time", "books"]
    kind: Literal["customer", "project"]
    record_id: str
    state: Literal["pending", "parked", "ignored"]
    attempts: int
    due_at: datetime | None = Field(description="When it is looked at (again); null when parked.")
    first_seen_at: datetime
    last_seen_at: datetime
    why: Why | None = Field(description="What hinders it; null while nothing is known to.")


class RetryFilter(RequestDocument):
    """Choose changes; what is left out does not narrow."""

    state: Literal["pending", "parked", "ignored"] | None = "parked"
    kind: Literal["customer", "project"] | None = None
    side: Literal["time", "books"] | None = None
    code: str | None = Field(default=None, max_length=64)


class Retry(RequestDocument):
    """Ask for another look, by ids or by a filter, exactly one of them."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {"ids": ["0199f3a0-0000-7000-8000-000000000011"]},
                {"filter": {"state": "parked", "code": "other-system-refused"}, "dryRun": True},
            ]
        }
    }

    ids: list[str] | None = Field(default=None, min_length=1, max_length=200)
    filter: RetryFilter | None = None
    dry_run: bool = False


class RetryItem(AnswerDocument):
    """Say what became of one asked-for change."""

    id: str
    result: Literal["retried", "would-retry", "not-found"]


class RetryAnswer(AnswerDocument):
    """Say how many are looked at again; `items` names those asked for by id, else samples."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "matched": 1,
                    "dryRun": False,
                    "items": [{"id": "0199f3a0-0000-7000-8000-000000000011", "result": "retried"}],
                }
            ]
        }
    }

    matched: int
    dry_run: bool
    items: Sequence[RetryItem]


def change_answer(change: Change, *, language: str) -> ChangeAnswer:
    """Show a change, its reason in the caller's language."""
    facts: Mapping[str, Any] = change.facts
    return ChangeAnswer.model_validate(
        {
            "id": str(change.change_id),
            "side": change.side,
            "kind": change.kind,
            "record_id": change.record_id,
            "state": change.state,
            "attempts": change.attempts,
            "due_at": change.not_before if change.state == "pending" else None,
            "first_seen_at": change.first_seen,
            "last_seen_at": change.last_seen,
            "why": explain(change.code, facts, language=language) if change.code else None,
        }
    )

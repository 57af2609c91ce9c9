"""Shape what the API says of how a link stands."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field

from app.changes.why import Why
from app.documents import AnswerDocument


class Need(AnswerDocument):
    """Say one thing that needs a person or hinders work, how often, and where to see it."""

    count: int
    href: str
    why: Why


class StatusAnswer(AnswerDocument):
    """Hold what the banner of both front ends says of a link."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "state": "active",
                    "inStep": False,
                    "text": "One thing needs you.",
                    "pending": 0,
                    "parked": 0,
                    "openConflicts": 1,
                    "pairs": 120,
                    "lastSweepAt": "2026-11-24T09:00:00Z",
                    "nextSweepAt": "2026-11-24T09:15:00Z",
                    "pause": None,
                    "waiting": [],
                    "needs": [
                        {
                            "count": 1,
                            "href": "/v1/links/0199f3a0-0000-7000-8000-000000000001/conflicts",
                            "why": {
                                "code": "conflict",
                                "title": "Different on the two sides",
                                "detail": "The same field has a value of its own on each side.",
                                "remedy": "Choose which value is right.",
                                "fixableBy": "administrator",
                                "facts": {},
                            },
                        }
                    ],
                }
            ]
        }
    }

    state: Literal["connecting", "reviewing", "active", "paused", "closed"]
    in_step: bool = Field(
        description="True when nothing waits, is parked or in conflict, and no draft waits for you."
    )
    text: str = Field(description="One sentence for the banner, in the caller's language.")
    pending: int
    parked: int
    open_conflicts: int
    pairs: int
    last_sweep_at: datetime | None
    next_sweep_at: datetime | None
    pause: Why | None = Field(description="Why the link is paused; null while it is not.")
    needs: Sequence[Need] = Field(
        description="What a person must see to, by cause: what is parked or in conflict, drafts "
        "that wait for a person, unbilled hours close to the law's month (which leave `inStep` "
        "as it is), and those of `waiting` whose cause only a person can remove. "
        "A list of things to do; `href` shows which."
    )
    waiting: Sequence[Need] = Field(
        description="All that hinders records which go on by themselves once it is gone, by cause. "
        "Says why something is not there yet; part of it stands in `needs` too, so do not add up."
    )

"""Hold a line of a confirmed plan while it is carried out, and what becomes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from app.canonical import LinkId, RecordId, RecordKind, Side
from app.first_sync.reading.sides import Keepers
from app.first_sync.store import OutcomeState, Proposal
from app.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Step:
    """Hold a line that is being carried out."""

    runtime: Runtime
    link_id: LinkId
    keepers: Keepers
    line: Proposal

    @property
    def kind(self) -> RecordKind:
        """Name the kind of the line's records."""
        return RecordKind(self.line.kind)

    @property
    def side(self) -> Side:
        """Name the anchor's side."""
        return Side(self.line.anchor_side)

    @property
    def anchor_id(self) -> RecordId:
        """Give the id of the record whose fate it is."""
        return RecordId(self.line.anchor_id)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Say what became of a line; ``code`` names what hinders it."""

    state: OutcomeState
    code: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    not_before: datetime | None = None


DONE: Final = Outcome(OutcomeState.DONE)

RECORD_GONE: Final = "record-gone"
"""One of the line's records was deleted since the plan; its facts say on which side."""

INTO: Final = "into"
"""Names in the facts of ``RECORD_GONE`` the record that lives on, where it was a merge."""


def later(code: str, **facts: object) -> Outcome:
    """Leave a line to the ordinary sync, with the reason."""
    return Outcome(OutcomeState.LATER, code, facts)

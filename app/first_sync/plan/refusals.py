"""Say why a line cannot take an answer: another one stands in its way, or what it would link."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from app.canonical import SYNCED_FIELDS, RecordKind, Side
from app.first_sync.plan.deeds import default_partner
from app.first_sync.plan.places import Places
from app.first_sync.store import Proposal


@dataclass(frozen=True, slots=True)
class Answer:
    """
    Hold an answer to lines.

    Args:
        choice: ``link``, ``create``, ``leave_out``, or ``None`` to take an answer back.
        partner_id: With ``link``: whom; without it the only candidate.
        winners: With ``link``: by field, the side whose value counts; the others stay to be decided
            where they differ.
        over: Whether it may take the place of another answer; a bulk answer may not.

    """

    choice: str | None
    by: str
    partner_id: str | None = None
    winners: Mapping[str, str] = field(default_factory=dict)
    over: bool = True


ANSWERED_BEFORE: Final = "answered-before"
"""Someone answered otherwise; an answer to many lines passes over theirs."""

Taken = dict[tuple[str, str], UUID]
"""By kind and books id: the line that links to the record."""


def is_anothers(
    held: Proposal,
    answer: Answer,
    other: Proposal | None,
    taken: Taken,
    *,
    addressed: Proposal,
    written: Mapping[UUID, UUID],
) -> bool:
    """
    Say whether an answer would bury one that its giver was not shown.

    Args:
        written: The lines written by the same call so far, and by the answer to which line.

    """
    giver = written.get(held.proposal_id, held.proposal_id if addressed is held else None)
    stands = (held.answer, held.partner_id, dict(held.winners))
    wanted = (answer.choice, answer.partner_id, dict(answer.winners))
    if giver != addressed.proposal_id and held.answer and stands != wanted:
        return True
    if other is not None and other is not addressed:
        return other.answer is not None and not other.dormant
    # A partner's own line sleeps; in this very call it may have become one a moment ago.
    books = held.anchor_side == Side.BOOKS.value and not held.dormant
    return books and (held.kind, held.anchor_id) in taken


def refusal(line: Proposal, answer: Answer, taken: Taken, places: Places) -> str | None:
    """Name why the answer cannot be kept, or ``None``."""
    if line.dormant:
        return "proposal-not-open"
    if not answer.over and _says_otherwise(line, answer):
        return ANSWERED_BEFORE
    if not set(answer.winners) <= set(SYNCED_FIELDS[RecordKind(line.kind)]):
        return "winner-unknown"
    # An answer taken back lets the default stand again, which may link too.
    wanted = default_partner(line) if answer.choice is None else answer.partner_id
    if taken.get((line.kind, wanted or "")) not in (None, line.proposal_id):
        return "partner-taken"
    if answer.choice == "link" and line.kind == RecordKind.PROJECT:
        here = places.get((Side.TIME, line.anchor_id))
        there = places.get((Side.BOOKS, str(answer.partner_id)))
        return None if here == there else "customers-not-linked"
    return None


def _says_otherwise(line: Proposal, answer: Answer) -> bool:
    if line.answer is None or answer.choice is None:
        return False
    return (line.answer, line.partner_id) != (answer.choice, answer.partner_id)

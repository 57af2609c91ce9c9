"""Say why a line cannot take an answer: another one stands in its way, or what it would link."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from app.canonical import SYNCED_FIELDS, RecordKind, Side
from app.first_sync.plan.deeds import default_partner, partner_of
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


@dataclass(frozen=True, slots=True)
class Meant:
    """
    Hold an answer to a line as it would be kept.

    Args:
        line: The line that was answered.
        held: The line that keeps the answer; ``None`` where nobody like the partner is there.
        answer: The answer as seen from ``held``.
        other: The partner's own line, with a link, also with one that stands again by itself.

    """

    line: Proposal
    held: Proposal | None
    answer: Answer
    other: Proposal | None


def together(meant: Iterable[Meant], taken: Taken) -> list[Meant]:
    """
    Order answers that are kept all or none, so that the order they came in does not count.

    Whoever is answered otherwise gives up its partner before anybody asks for one, and who is free
    to be linked is known before a link is kept.
    """
    answers = list(meant)
    for one in answers:
        if one.held is not None and partner_of(one.held) != _partner_then(one.held, one.answer):
            give_up(one.held, taken)
    return sorted(answers, key=_rank)


def give_up(line: Proposal, taken: Taken) -> None:
    """Let others link to whom the line links; one that it lost already is not its to give."""
    key = (line.kind, partner_of(line) or "")
    if taken.get(key) == line.proposal_id:
        del taken[key]


def reason_against(
    meant: Meant, taken: Taken, places: Places, *, written: Mapping[UUID, UUID]
) -> str | None:
    """
    Name why an answer cannot be kept, or ``None``.

    Args:
        written: The lines written by the same call so far, and by the answer to which line.

    """
    if meant.held is None:
        return "partner-unknown"
    if _is_anothers(meant.held, meant, taken, written):
        return ANSWERED_BEFORE
    return _refusal(meant.held, meant.answer, taken, places)


def _rank(meant: Meant) -> int:
    """Rank what is taken back first, by itself before what its line then links, and links last."""
    if meant.answer.choice is None:
        return 0 if meant.held is None or default_partner(meant.held) is None else 1
    return 3 if meant.answer.choice == "link" else 2


def _is_anothers(held: Proposal, meant: Meant, taken: Taken, written: Mapping[UUID, UUID]) -> bool:
    """Say whether an answer would bury one that its giver was not shown."""
    addressed, answer, other = meant.line, meant.answer, meant.other
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


def _refusal(line: Proposal, answer: Answer, taken: Taken, places: Places) -> str | None:
    if line.dormant:
        return "proposal-not-open"
    if not answer.over and _says_otherwise(line, answer):
        return ANSWERED_BEFORE
    if not set(answer.winners) <= set(SYNCED_FIELDS[RecordKind(line.kind)]):
        return "winner-unknown"
    wanted = _partner_then(line, answer)
    if taken.get((line.kind, wanted or "")) not in (None, line.proposal_id):
        return "partner-taken"
    if answer.choice == "link" and line.kind == RecordKind.PROJECT:
        here = places.get((Side.TIME, line.anchor_id))
        there = places.get((Side.BOOKS, str(answer.partner_id)))
        return None if here == there else "customers-not-linked"
    return None


def _partner_then(line: Proposal, answer: Answer) -> str | None:
    """Give whom the line links to with the answer; taken back, it lets the default stand again."""
    return default_partner(line) if answer.choice is None else answer.partner_id


def _says_otherwise(line: Proposal, answer: Answer) -> bool:
    if line.answer is None or answer.choice is None:
        return False
    return (line.answer, line.partner_id) != (answer.choice, answer.partner_id)

"""Take the answers a person gave in a sheet: all of them, or none with every fault named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import SYNCED_FIELDS, RecordKind, Side
from app.documents import shown_field
from app.first_sync.plan.answer import ANSWERED, Touched, answer_each
from app.first_sync.plan.refusals import Answer
from app.first_sync.sheet.files import UNCALCULATED, Row
from app.first_sync.sheet.sheet import (
    NO_ANSWER,
    READ_COLUMNS,
    WINNABLE,
    choice_of,
    say_error,
    winner_of,
)
from app.first_sync.store import Plan, Proposal
from app.problems import FieldError, Problem

_MOST_ERRORS: Final = 200
_COLUMN_OF: Final = {
    "line-unknown": "id",
    "line-twice": "id",
    "version-missing": "version",
    "changed-since": "version",
    "answer-unknown": "answer",
    "proposal-not-open": "answer",
}
"""Where a fault is pointed at; those of winners at their own cell, all others at the partner."""


@dataclass(slots=True)
class Taken:
    """Count what a sheet came to."""

    rows: int
    answered: int = 0
    unchanged: int = 0
    touched: Touched = field(default_factory=frozenset)


async def take_sheet(
    session: AsyncSession, plan: Plan, rows: Sequence[Row], *, by: str, language: str, now: datetime
) -> Taken:
    """
    Answer the lines of a sheet under the plan's lock.

    An empty answer, or the one that stands, leaves a line as it is. Every row is checked before
    anything is kept: its line, that nobody changed it since the download, the word, and the partner
    as all the rows together leave it.

    Raises:
        Problem: ``sheet-refused`` with an error for each wrong cell (``/rows/12/answer``),
            ``first-sync-not-open``.

    """
    lines = await _read_lines(session, plan, rows)
    faults: list[_Fault] = []
    wanted: list[tuple[Row, Proposal, Answer]] = []
    taken = Taken(len(rows))
    seen: set[str] = set()
    for row in rows:
        wrong = _fault(row, lines, seen)
        seen.add(row.cells.get("id", ""))
        if wrong is not None:
            faults.append((row.number, *wrong))
        elif _says_nothing(row, lines):
            taken.unchanged += 1
        else:
            line = lines.by_id[row.cells["id"]]
            wanted.append((row, line, _answer(row, _keeper(row, line, lines), by)))
    results, taken.touched = await answer_each(
        session, plan, [(line, answer) for _, line, answer in wanted], now=now, all_or_none=True
    )
    pairs = zip(wanted, results, strict=True)
    faults += [
        (row.number, result, _COLUMN_OF.get(result, "partner"))
        for (row, _, _), (_, result) in pairs
        if result != ANSWERED
    ]
    if faults:
        raise _refused(faults, language)
    taken.answered = len(wanted)
    return taken


@dataclass(frozen=True, slots=True)
class _Lines:
    """
    Hold the lines that the rows are of.

    Args:
        keepers: By kind and anchor: lines of the time side that links of books lines are kept in.

    """

    by_id: Mapping[str, Proposal]
    keepers: Mapping[tuple[str, str], Proposal]


async def _read_lines(session: AsyncSession, plan: Plan, rows: Sequence[Row]) -> _Lines:
    own_ids = [one for row in rows if (one := _uuid(row.cells.get("id", ""))) is not None]
    of_plan = (Proposal.link_id == plan.link_id, Proposal.plan_id == plan.plan_id)
    found = await session.scalars(
        select(Proposal).where(*of_plan, Proposal.proposal_id.in_(own_ids))
    )
    by_id = {str(line.proposal_id): line for line in found}
    partners = {
        partner
        for row in rows
        if (line := by_id.get(row.cells.get("id", ""))) is not None
        and (partner := _kept_by(row, line)) is not None
    }
    kept = await session.scalars(
        select(Proposal).where(
            *of_plan, Proposal.anchor_side == Side.TIME.value, Proposal.anchor_id.in_(partners)
        )
    )
    return _Lines(by_id, {(line.kind, line.anchor_id): line for line in kept})


def _kept_by(row: Row, line: Proposal) -> str | None:
    """Name the record whose line keeps a row's answer, where that is not the row's own line."""
    if line.anchor_side != Side.BOOKS.value or choice_of(row.cells.get("answer", "")) != "link":
        return None
    alone = str(line.candidates[0]["id"]) if len(line.candidates) == 1 else None
    return row.cells.get("partner") or alone


def _keeper(row: Row, line: Proposal, lines: _Lines) -> Proposal:
    return lines.keepers.get((line.kind, _kept_by(row, line) or ""), line)


def _fault(row: Row, lines: _Lines, seen: set[str]) -> tuple[str, str] | None:
    """
    Name what is wrong with a row by itself, and where.

    One without an answer may be anything, but for a formula that might have become one.
    """
    for column in READ_COLUMNS:
        if row.cells.get(column) == UNCALCULATED:
            return "formula-without-value", column
    word, own_id = row.cells.get("answer", ""), row.cells.get("id", "")
    if not word:
        return None
    line = lines.by_id.get(own_id)
    if choice_of(word) is None:
        return "answer-unknown", "answer"
    if line is None or own_id in seen:
        return ("line-unknown" if line is None else "line-twice"), "id"
    return _odd_winner(row, line) or (
        None if _says_nothing(row, lines) else _stale_or_odd(row, line)
    )


def _odd_winner(row: Row, line: Proposal) -> tuple[str, str] | None:
    """Point at the first winner that is no side, or is said of a field the kind does not have."""
    for name in WINNABLE:
        column = f"winner:{name}"
        word = row.cells.get(column, "")
        if word and (winner_of(word) is None or name not in SYNCED_FIELDS[RecordKind(line.kind)]):
            return "winner-unknown", column
        if word and choice_of(row.cells["answer"]) != "link" and name not in line.winners:
            return "winner-not-wanted", column
    return None


def _stale_or_odd(row: Row, line: Proposal) -> tuple[str, str] | None:
    partner, version = row.cells.get("partner", ""), row.cells.get("version", "")
    if choice_of(row.cells["answer"]) != "link" and partner not in ("", line.partner_id):
        return "partner-not-wanted", "partner"
    if not version.isdecimal():
        return "version-missing", "version"
    return None if version == str(line.version) else ("changed-since", "version")


def _says_nothing(row: Row, lines: _Lines) -> bool:
    """Say whether a row asks for nothing new, also when its file is uploaded once more."""
    line, word = lines.by_id.get(row.cells.get("id", "")), row.cells.get("answer", "")
    if not word or line is None:
        return True
    keeper = _keeper(row, line, lines)
    answer = _answer(row, keeper, "")
    partner_id = answer.partner_id if keeper is line else line.anchor_id
    same_partner = partner_id in (None, keeper.partner_id)
    same_winners = answer.choice != "link" or dict(answer.winners) == dict(keeper.winners)
    return answer.choice == keeper.answer and same_partner and same_winners


def _answer(row: Row, keeper: Proposal, by: str) -> Answer:
    """Read a row's answer; a winner's column that the file does not have leaves it as it is."""
    choice = choice_of(row.cells["answer"])
    partner = row.cells.get("partner") or None
    chosen = None if choice == NO_ANSWER else choice
    if choice != "link":
        return Answer(chosen, by)
    winners = {name: side for name in WINNABLE if (side := _winner(row, keeper, name)) is not None}
    return Answer(chosen, by, partner, winners)


def _winner(row: Row, keeper: Proposal, name: str) -> str | None:
    word = row.cells.get(f"winner:{name}")
    return keeper.winners.get(name) if word is None else winner_of(word)


_Fault = tuple[int, str, str]
"""A row's number, what is wrong in it, and in which column."""


def _refused(faults: Sequence[_Fault], language: str) -> Problem:
    errors = [
        FieldError(f"/rows/{number}/{_shown(column)}", code, say_error(code, language))
        for number, code, column in sorted(faults)[:_MOST_ERRORS]
    ]
    return Problem("sheet-refused", errors=errors, count=len(faults))


def _shown(column: str) -> str:
    """Name a column as the rest of the API does: a winner's by its field."""
    return ":".join(shown_field(part) for part in column.split(":"))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None

"""Say what a line comes to when it is carried out; pure, and the same in SQL for counting."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, Protocol

from app.first_sync.plan.categories import Category


class Deed(StrEnum):
    """Name what is done with a line; ``ask`` until a person answers."""

    LINK = "link"
    CREATE_IN_BOOKS = "create-in-books"
    CREATE_IN_TIME = "create-in-time"
    LEAVE_OUT = "leave-out"
    WAIT = "wait"
    ASK = "ask"


MUST_ANSWER: Final = frozenset(
    {Category.LIKELY, Category.AMBIGUOUS, Category.DUPLICATE, Category.ASKED_AGAIN}
)
"""Lines of these categories stop a confirmation until a person answered."""


class _Decided(Protocol):
    """Be what a deed is read from: a stored line, or one about to be stored."""

    @property
    def category(self) -> str: ...
    @property
    def anchor_side(self) -> str: ...
    @property
    def candidates(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def answer(self) -> str | None: ...
    @property
    def partner_id(self) -> str | None: ...


def partner_of(line: _Decided) -> str | None:
    """Give the id of the record the line links to, or ``None`` where it does not link."""
    return default_partner(line) if line.answer is None else line.partner_id


def default_partner(line: _Decided) -> str | None:
    """Give the id of the record that the line links to while nobody answers it."""
    certain = line.category == Category.CERTAIN and line.candidates
    return str(line.candidates[0]["id"]) if certain else None


def rests(line: _Decided) -> bool:
    """Say whether a line is left out because its record is archived and nobody took it in."""
    return line.answer is None and line.category == Category.ARCHIVED


def keeps_out(line: _Decided) -> bool:
    """Say whether the plan itself leaves a record where it is: so answered, or archived."""
    return line.answer == "leave_out" or rests(line)


def deed_of(line: _Decided, *, ready: bool, left_out: bool = False) -> Deed:
    """
    Say what is done with a line.

    A record that is not ready waits with its finding instead of being created; a link needs no
    readiness, for both records exist. A record that was left out elsewhere stays so until its line
    is answered, and so does one that is archived and like nobody.

    Args:
        left_out: A person left the record out, or the certain partner it would be linked to.

    """
    if keeps_out(line) or (line.answer is None and left_out):
        return Deed.LEAVE_OUT
    if partner_of(line) is not None:
        return Deed.LINK
    if line.answer is None and line.category in MUST_ANSWER:
        return Deed.ASK
    if not ready:
        return Deed.WAIT
    return Deed.CREATE_IN_BOOKS if line.anchor_side == "time" else Deed.CREATE_IN_TIME


_TO_ANCHOR: Final = """
records r ON r.link_id = p.link_id AND r.side = p.anchor_side AND r.kind = p.kind
         AND r.record_id = p.anchor_id
"""

ANCHOR: Final = f"JOIN {_TO_ANCHOR}"
"""Joins each line ``p`` to its anchor ``r``; over a whole plan it is read ``at_once``."""

HINDERED: Final = f"LEFT JOIN {_TO_ANCHOR} AND (r.left_out OR NOT r.ready)"
"""
Joins a line to its anchor only where that changes what is shown, for lists that need no more of it.

An index holds just these few records. A line without ``r`` is ready and not left out.
"""

UNPAIRED: Final = """
(CASE p.anchor_side
 WHEN 'time' THEN NOT EXISTS (SELECT FROM pairs q WHERE q.link_id = p.link_id AND q.kind = p.kind
                              AND q.time_id = p.anchor_id)
 ELSE NOT EXISTS (SELECT FROM pairs q WHERE q.link_id = p.link_id AND q.kind = p.kind
                  AND q.books_id = p.anchor_id) END)
"""
"""
The line's record is in no pair; on a link that works the sync may have been faster.

Each line is looked up by a key: as a join, which CASE prevents, a page of lists took 100 ms.
"""

LEFT_OUT: Final = """
(p.answer = 'leave_out' OR (p.answer IS NULL AND (r.left_out OR (p.category = 'certain' AND
  (p.link_id, p.kind, CASE p.anchor_side WHEN 'time' THEN 'books' ELSE 'time' END,
   p.candidates -> 0 ->> 'id') IN (
    SELECT t.link_id, t.kind, t.side, t.record_id FROM records t WHERE t.left_out)))))
"""
"""A person left the record out, here or elsewhere, or the partner that it would be linked to."""

SHOWN_CATEGORY: Final = f"""
CASE WHEN {LEFT_OUT} THEN 'left_out'
     WHEN NOT r.ready AND (p.answer = 'create' OR
          (p.answer IS NULL AND p.category IN ('only_time', 'only_books'))) THEN 'not_ready'
     ELSE p.category END
"""
"""The category a reader sees: people leave lines out, and records become ready at any time."""

DEED: Final = f"""
CASE WHEN {LEFT_OUT} OR (p.answer IS NULL AND p.category = 'archived') THEN 'leave-out'
     WHEN p.answer = 'link' OR (p.answer IS NULL AND p.category = 'certain') THEN 'link'
     WHEN p.answer IS NULL
          AND p.category IN ('likely', 'ambiguous', 'duplicate', 'asked_again') THEN 'ask'
     WHEN NOT r.ready THEN 'wait'
     WHEN p.anchor_side = 'time' THEN 'create-in-books'
     ELSE 'create-in-time' END
"""
"""``deed_of`` for counting; a test compares the two over all combinations."""

"""Turn what the matching found into the lines of a plan; pure, each record stands in one line."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from app.canonical import Customer, Project, Record, RecordId, RecordKind, Side
from app.first_sync.plan.categories import Category
from app.first_sync.plan.places import NOWHERE, Places
from app.first_sync.plan.words import words_of
from app.records.agreement import content_print
from app.records.matching import Duplicate, Matching, Proposal, match, match_projects

Pairs = frozenset[tuple[RecordId, RecordId]]
"""Pairs of (time id, books id)."""


@dataclass(frozen=True, slots=True)
class Line:
    """Hold one line as it is stored; see ``store.Proposal`` for the meaning of its parts."""

    kind: RecordKind
    category: Category
    anchor_side: Side
    anchor_id: RecordId
    name: str
    print: str
    candidates: tuple[Mapping[str, Any], ...] = ()
    siblings: tuple[Mapping[str, Any], ...] = ()
    score: int = 0
    dormant: bool = False
    answer: str | None = None
    partner_id: str | None = None
    winners: Mapping[str, str] = field(default_factory=dict)
    answered_by: str | None = None
    answered_at: datetime | None = None
    words: str = ""
    proposal_id: UUID | None = None
    version: int = 1

    @property
    def key(self) -> tuple[RecordKind, Side, RecordId]:
        """Name the line by the record whose fate it is."""
        return self.kind, self.anchor_side, self.anchor_id


@dataclass(frozen=True, slots=True)
class Known:
    """
    Hold both sides' records of a kind, and what is decided about pairs of them.

    Args:
        thin: Records of which only their list's row is known; they are asked about at most.

    """

    time: Sequence[Record]
    books: Sequence[Record]
    refused: Pairs = frozenset()
    linked: Pairs = frozenset()
    thin: frozenset[tuple[Side, RecordId]] = frozenset()


def propose_customers(known: Known) -> list[Line]:
    """Match the customers and give a line for each that is in no pair."""
    time = [one for one in known.time if isinstance(one, Customer)]
    books = [one for one in known.books if isinstance(one, Customer)]
    found = match(time, books, refused=known.refused, linked=known.linked)
    return _lines(RecordKind.CUSTOMER, known, _doubtful_where_thin(found, known.thin))


def propose_projects(known: Known, customers: Mapping[RecordId, RecordId]) -> list[Line]:
    """
    Match the projects inside linked customers and give a line for each that is in no pair.

    Args:
        customers: Time id to books id, as they are linked or about to be.

    """
    time = [one for one in known.time if isinstance(one, Project)]
    books = [one for one in known.books if isinstance(one, Project)]
    found = match_projects(
        time, books, customers=customers, refused=known.refused, linked=known.linked
    )
    return _lines(RecordKind.PROJECT, known, _doubtful_where_thin(found, known.thin))


def keep_answers(
    lines: Iterable[Line], old: Mapping[Any, Line], places: Places = NOWHERE
) -> list[Line]:
    """
    Carry ids and a person's answers over to a plan that was made again.

    An answer lives on where the record says what it said, and where the partner of a link does too;
    anything else is asked again. So is a certain line without an answer whose partner a kept answer
    gives to another. A line that shows something new has a new version.

    Args:
        places: With projects: where each belongs. The link of two whose customers parted is asked
            again, as it could not be answered by now.

    """
    new = {line.key: _renewed(line, old.get(line.key)) for line in lines}
    taken: set[tuple[RecordKind, str | None]] = set()
    for key, line in new.items():
        before = old.get(key)
        if before is None or before.answer is None or before.print != line.print:
            continue
        if before.answer == "link" and not _same_partner(before, new, old, taken):
            continue
        if before.answer == "link" and not _in_one_place(before, places):
            continue
        taken.add((line.kind, before.partner_id))
        new[key] = replace(
            line,
            answer=before.answer,
            partner_id=before.partner_id,
            winners=before.winners,
            answered_by=before.answered_by,
            answered_at=before.answered_at,
        )
    given = {(one.kind, one.partner_id) for one in new.values() if one.answer == "link"}
    return [_asked_where_given(line, given, old.get(line.key)) for line in new.values()]


def _asked_where_given(
    line: Line, given: set[tuple[RecordKind, str | None]], before: Line | None
) -> Line:
    certain = line.answer is None and line.category is Category.CERTAIN
    if not certain or (line.kind, str(line.candidates[0]["id"])) not in given:
        return line
    asked = replace(line, category=Category.AMBIGUOUS, proposal_id=None, version=1)
    return _renewed(asked, before)


def _in_one_place(line: Line, places: Places) -> bool:
    ends = ((line.anchor_side, line.anchor_id), (line.anchor_side.other, line.partner_id or ""))
    here, there = (places.get(end) for end in ends)
    return here == there


def _renewed(line: Line, before: Line | None) -> Line:
    if before is None:
        return line
    shows = (line.category, line.name, line.print, line.candidates, line.siblings)
    showed = (before.category, before.name, before.print, before.candidates, before.siblings)
    lost = before.answer is not None and before.print != line.print
    version = before.version + (1 if lost or shows != showed else 0)
    return replace(line, proposal_id=before.proposal_id, version=version)


def _same_partner(
    before: Line,
    new: Mapping[Any, Line],
    old: Mapping[Any, Line],
    taken: set[tuple[RecordKind, str | None]],
) -> bool:
    key = (before.kind, before.anchor_side.other, before.partner_id)
    now, then = new.get(key), old.get(key)
    unchanged = now is not None and then is not None and now.print == then.print
    return unchanged and (before.kind, before.partner_id) not in taken


def _lines(kind: RecordKind, known: Known, found: Matching) -> list[Line]:
    shape = _Shape(kind, known, found)
    paired = {
        Side.TIME: {pair[0] for pair in known.linked},
        Side.BOOKS: {pair[1] for pair in known.linked},
    }
    return [
        shape.line(side, record)
        for side, records in ((Side.TIME, known.time), (Side.BOOKS, known.books))
        for record in sorted(records, key=lambda one: one.id)
        if record.id not in paired[side] and not record.gone and not _merged(record)
    ]


def _doubtful_where_thin(found: Matching, thin: frozenset[tuple[Side, RecordId]]) -> Matching:
    """Ask about a pair of which one record could not be read: what it does not say may differ."""

    def is_thin(one: Proposal) -> bool:
        return (Side.TIME, one.time_id) in thin or (Side.BOOKS, one.books_id) in thin

    doubtful = tuple(replace(one, certain=False) for one in found.certain if is_thin(one))
    certain = tuple(one for one in found.certain if not is_thin(one))
    return replace(found, certain=certain, asked=found.asked + doubtful)


def _merged(record: Record) -> bool:
    return isinstance(record, Customer) and record.merged_into is not None


class _Shape:
    """Look up what the matching says of each record."""

    def __init__(self, kind: RecordKind, known: Known, found: Matching) -> None:
        self._kind = kind
        self._theirs = {record.id: record for record in known.books}
        self._certain = {p.time_id: p for p in found.certain}
        self._asked: defaultdict[RecordId, list[Proposal]] = defaultdict(list)
        for proposal in found.asked:
            self._asked[proposal.time_id].append(proposal)
        self._askers = Counter(p.books_id for p in found.asked)
        self._wanted = {p.books_id for p in (*found.certain, *found.asked)}
        self._siblings: defaultdict[tuple[Side, RecordId], list[dict[str, Any]]] = defaultdict(list)
        for double in found.duplicates:
            first, second = double.first_id, double.second_id
            self._siblings[double.side, first].append(told(double, second))
            self._siblings[double.side, second].append(told(double, first))

    def line(self, side: Side, record: Record) -> Line:
        siblings = tuple(self._siblings.get((side, record.id), ()))
        proposals = self._proposals(side, record.id)
        return Line(
            kind=self._kind,
            category=self._category(side, proposals, doubled=bool(siblings)),
            anchor_side=side,
            anchor_id=record.id,
            name=record.name,
            print=content_print(record),
            candidates=tuple(told(p, p.books_id) for p in proposals),
            siblings=siblings,
            score=proposals[0].score if proposals else 0,
            dormant=side is Side.BOOKS and record.id in self._wanted,
            words=words_of(record, *(self._theirs[p.books_id] for p in proposals)),
        )

    def _proposals(self, side: Side, record_id: RecordId) -> list[Proposal]:
        if side is Side.BOOKS:
            return []
        certain = self._certain.get(record_id)
        return [certain] if certain else self._asked.get(record_id, [])

    def _category(self, side: Side, proposals: Sequence[Proposal], *, doubled: bool) -> Category:
        if proposals:
            if proposals[0].certain:
                return Category.CERTAIN
            alone = len(proposals) == 1 and self._askers[proposals[0].books_id] == 1
            return Category.LIKELY if alone else Category.AMBIGUOUS
        if doubled:
            return Category.DUPLICATE
        return Category.ONLY_TIME if side is Side.TIME else Category.ONLY_BOOKS


def told(found: Proposal | Duplicate, other: RecordId) -> dict[str, Any]:
    """Write down a record that another may be, as lines keep it."""
    return {"id": other, "rule": found.rule, "facts": list(found.facts), "score": found.score}

"""Turn what the matching found into the lines of a plan; pure, each record stands in one line."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from app.canonical import Customer, Project, Record, RecordId, RecordKind, Side
from app.first_sync.plan.categories import Category
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
    lost: Mapping[str, Any] | None = None
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
            category=self._category(side, record, proposals, doubled=bool(siblings)),
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

    def _category(
        self, side: Side, record: Record, proposals: Sequence[Proposal], *, doubled: bool
    ) -> Category:
        if proposals:
            if proposals[0].certain:
                return Category.CERTAIN
            alone = len(proposals) == 1 and self._askers[proposals[0].books_id] == 1
            return Category.LIKELY if alone else Category.AMBIGUOUS
        if doubled:
            return Category.DUPLICATE
        if not record.active:
            return Category.ARCHIVED
        return Category.ONLY_TIME if side is Side.TIME else Category.ONLY_BOOKS


def told(found: Proposal | Duplicate, other: RecordId) -> dict[str, Any]:
    """Write down a record that another may be, as lines keep it."""
    return {"id": other, "rule": found.rule, "facts": list(found.facts), "score": found.score}

"""Match projects, only inside linked customers: by equal number, else by equal name."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from app.canonical import Project, RecordId
from app.records.matching.facts import bit
from app.records.matching.lexicon import fold
from app.records.matching.match import Pairs
from app.records.matching.proposals import Fact, Matching, Proposal
from app.records.matching.score import ordered, score

_LINKING = bit(Fact.PROJECT_NUMBER_SAME, Fact.NAME_SAME)


def match_projects(
    time: Sequence[Project],
    books: Sequence[Project],
    *,
    customers: Mapping[RecordId, RecordId],
    refused: Pairs = frozenset(),
    linked: Pairs = frozenset(),
) -> Matching:
    """
    Propose which projects of the two sides are the same.

    Only projects of linked customers are compared; the others, and those without a partner, are in
    the ``only`` lists. Subprojects and records that are ``gone`` take no part. A project is linked when
    it is the only one that agrees by number, or by name with no number that differs; else it is asked.

    Args:
        customers: Time id to books id of the customers that are linked.
        refused: Pairs (time id, books id) of projects a person said no to.
        linked: Pairs of projects that exist already; their records are not reported.
    """
    left = _taking_part(time, {pair[0] for pair in linked})
    right = _taking_part(books, {pair[1] for pair in linked})
    pairs = [pair for pair in _compare(left, right, customers) if pair.ids not in refused]
    certain = tuple(_certain(pairs))
    done = {p.time_id for p in certain} | {p.books_id for p in certain}
    asked = tuple(_asked(pairs, {p.time_id for p in certain}, {p.books_id for p in certain}))
    shown = certain + asked
    return Matching(
        certain=_sorted(certain),
        asked=_sorted(asked),
        only_time=_only(left, {p.time_id for p in shown}),
        only_books=_only(right, {p.books_id for p in shown}),
        duplicates=(),
    )

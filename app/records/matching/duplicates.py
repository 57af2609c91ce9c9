"""Suspect customers that one side holds twice, by the same facts and rules as across."""

from collections.abc import Iterable, Sequence

from app.canonical import RecordId, Side
from app.records.matching.block import pairs_within
from app.records.matching.compare import compare, compare_akin
from app.records.matching.decide import Verdict, decide, is_double
from app.records.matching.evidence import NUMBER_DIFFERENT
from app.records.matching.index import Index
from app.records.matching.proposals import Duplicate
from app.records.matching.score import ordered
from app.records.matching.settle import Candidate, stricter


def compare_within(side: Index) -> tuple[Candidate, ...]:
    """List the pairs inside one side that look like one customer."""
    cards = side.cards
    found, bar = [], stricter(len(cards))
    for one, other in pairs_within(side.blocks):
        first, second = cards[one], cards[other]
        bits = compare_akin(first, second)
        if not bits:
            continue
        decision = decide(bits)
        if is_double(bits, decision, bar):
            found.append(Candidate(one, other, bits, decision, (first.id, second.id)))
    return tuple(sorted(found, key=lambda c: (-c.decision.score, c.tie)))


def behind_partners(
    known: Sequence[Candidate],
    compared: Iterable[Candidate],
    links: Iterable[Candidate],
    index: Index,
    side: int,
) -> tuple[Candidate, ...]:
    """
    List the pairs inside a side (0 or 1) of which both would link with one record of the other.

    The better of the two is linked, and the two may have nothing in common but their partner: one
    has its mail, the other its street. Two valid numbers are two firms all the same.
    """
    cards = index.cards
    mine = {(c.right, c.left)[side]: (c.left, c.right)[side] for c in links}
    taken = set(mine.values())
    pairs = set()
    for c in compared:
        place, partner = (c.left, c.right) if side == 0 else (c.right, c.left)
        if c.decision.verdict is Verdict.LINK and partner in mine and place not in taken:
            pairs.add((min(place, mine[partner]), max(place, mine[partner])))
    found = []
    for one, other in sorted(pairs - {(c.left, c.right) for c in known}):
        bits = compare(cards[one], cards[other])
        if not bits & NUMBER_DIFFERENT:
            ids = (cards[one].id, cards[other].id)
            found.append(Candidate(one, other, bits, decide(bits), ids))
    return tuple(found)


def twins(candidates: Iterable[Candidate], side: int) -> set[tuple[int, int, int]]:
    """Name the suspected duplicates of a side (0 or 1) by their places."""
    return {(side, c.left, c.right) for c in candidates}


def duplicates(candidates: Iterable[Candidate], side: Side) -> tuple[Duplicate, ...]:
    """Write the suspected duplicates out, the likeliest first."""
    return tuple(
        Duplicate(
            side,
            RecordId(c.tie[0]),
            RecordId(c.tie[1]),
            c.decision.rule,
            ordered(c.bits),
            c.decision.score,
        )
        for c in candidates
    )

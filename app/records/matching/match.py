"""Match two registers of customers, or one record made later against a register."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from app.canonical import Customer, RecordId, Side
from app.records.matching.block import pairs_across
from app.records.matching.compare import compare_likely
from app.records.matching.decide import Verdict, decide
from app.records.matching.duplicates import behind_partners, compare_within, duplicates, twins
from app.records.matching.facts import bit
from app.records.matching.index import Index
from app.records.matching.normalise import Card
from app.records.matching.proposals import Fact, Matching, Proposal
from app.records.matching.score import ordered
from app.records.matching.settle import Candidate, settle

Pairs = AbstractSet[tuple[RecordId, RecordId]]
"""Pairs of (time id, books id)."""
_RIVAL = bit(Fact.RIVAL)


def match(
    time: Sequence[Customer],
    books: Sequence[Customer],
    *,
    refused: Pairs = frozenset(),
    linked: Pairs = frozenset(),
) -> Matching:
    """
    Propose which customers of the two sides are the same.

    Records that are ``gone`` or merged into another take no part and are not reported. An inactive
    record takes part (it may be the partner of another inactive one), but a pair of an active and
    an inactive record is always asked. Records of ``linked`` pairs have their partner: they are not
    reported, but a new record that looks like one of them is shown as its duplicate.

    Args:
        refused: Pairs a person said no to; never proposed again.
        linked: Pairs that exist already; never proposed again.

    """
    left, right = Index.of(time), Index.of(books)
    doubles_left, doubles_right = compare_within(left), compare_within(right)
    taken_left, taken_right = {pair[0] for pair in linked}, {pair[1] for pair in linked}
    pairs = _free_pairs(left, right, taken_left, taken_right)
    compared = tuple(candidates(left.cards, right.cards, pairs, refused))
    settled = settle(
        compared,
        twins(doubles_left, 0) | twins(doubles_right, 1),
        size=max(len(left.cards), len(right.cards)),
    )
    doubles_left += behind_partners(doubles_left, compared, settled.links, left, 0)
    doubles_right += behind_partners(doubles_right, compared, settled.links, right, 1)
    certain = _proposals(left, right, settled.links, certain=True)
    asked = _proposals(left, right, settled.questions, certain=False)
    shown = certain + asked
    return Matching(
        certain=certain,
        asked=asked,
        only_time=_only(left.cards, taken_left | {p.time_id for p in shown}),
        only_books=_only(right.cards, taken_right | {p.books_id for p in shown}),
        duplicates=duplicates(doubles_left, Side.TIME) + duplicates(doubles_right, Side.BOOKS),
    )


def candidates(
    left: Sequence[Card],
    right: Sequence[Card],
    pairs: Iterable[tuple[int, int]],
    refused: Pairs,
) -> Iterable[Candidate]:
    """Compare pairs given by place and keep those that are linked or asked about."""
    drop = Verdict.DROP
    for one, other in pairs:
        first, second = left[one], right[other]
        bits = compare_likely(first, second)
        if not bits:
            continue
        decision = decide(bits)
        if decision.verdict is drop or (first.id, second.id) in refused:
            continue
        tie = (min(first.id, second.id), max(first.id, second.id))
        yield Candidate(one, other, bits, decision, tie)


def _free_pairs(
    left: Index, right: Index, taken_left: AbstractSet[RecordId], taken_right: AbstractSet[RecordId]
) -> Iterable[tuple[int, int]]:
    """List the pairs of places whose records have no partner yet."""
    pairs = pairs_across(left.blocks, right.blocks)
    if not taken_left and not taken_right:
        return pairs
    return (
        (one, other)
        for one, other in pairs
        if left.cards[one].id not in taken_left and right.cards[other].id not in taken_right
    )


def propose(pair: tuple[RecordId, RecordId], candidate: Candidate, *, certain: bool) -> Proposal:
    """Write a candidate out; one that a rule links but that is not the best for both is asked."""
    decision = candidate.decision
    rival = not certain and decision.verdict is Verdict.LINK
    return Proposal(
        time_id=pair[0],
        books_id=pair[1],
        certain=certain,
        rule="rival" if rival else decision.rule,
        facts=ordered(candidate.bits | (_RIVAL if rival else 0)),
        score=decision.score,
    )


def _proposals(
    left: Index, right: Index, chosen: Iterable[Candidate], *, certain: bool
) -> tuple[Proposal, ...]:
    """Write candidates out as proposals, by falling score, then by id."""
    proposals = (
        propose((left.cards[c.left].id, right.cards[c.right].id), c, certain=certain)
        for c in chosen
    )
    return tuple(sorted(proposals, key=lambda p: (-p.score, p.time_id, p.books_id)))


def _only(cards: Sequence[Card], elsewhere: AbstractSet[RecordId]) -> tuple[RecordId, ...]:
    """List the records that stand nowhere else, by id."""
    return tuple(card.id for card in cards if card.id not in elsewhere)

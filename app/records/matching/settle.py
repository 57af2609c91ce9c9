"""Settle who gets whom: the best for both by a clear margin, else a question, else nobody."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from math import log
from typing import TypeVar

from app.records.matching.decide import ASK_FROM, Decision, Verdict
from app.records.matching.evidence import AGAINST, NAME_CONTAINED, NUMBER_SAME, PERSONAL, STRONG
from app.records.matching.facts import bit
from app.records.matching.normalise import SIZE
from app.records.matching.proposals import Fact

T = TypeVar("T")

MARGIN = 20
"""How much better than its rivals a pair must be, in tenths of log-odds."""
_NAME_SLIPPED = bit(Fact.NAME_CLOSE, Fact.NAME_ALIKE)
QUESTIONS = 2
"""Most questions shown for one record."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """
    Hold a compared pair by its places on the two sides.

    Args:
        tie: Both ids, the lower first; orders equal scores alike whichever side comes first.

    """

    left: int
    right: int
    bits: int
    decision: Decision
    tie: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Settled:
    """Hold the pairs to link and the pairs to ask about."""

    links: tuple[Candidate, ...]
    questions: tuple[Candidate, ...]


def settle(
    candidates: Iterable[Candidate], twins: AbstractSet[tuple[int, int, int]], *, size: int = 0
) -> Settled:
    """
    Choose links and questions.

    Args:
        twins: Suspected duplicates inside a side as (side 0 or 1, lower place, higher place); they
            are no rivals of each other: the one with the number, else the better one is linked,
            the other is shown as a duplicate.
        size: Records of the larger side; more strangers look alike in a large register, so a
            question there needs more evidence.

    """
    ranked = sorted(candidates, key=lambda c: (-c.decision.score, c.tie))
    links = _best_for_both(ranked, twins)
    lefts, rights = {link.left for link in links}, {link.right for link in links}
    bar = ASK_FROM + stricter(size)
    free = [
        one
        for one in ranked
        if one.left not in lefts
        and one.right not in rights
        and (one.decision.score >= bar or one.decision.duty)
    ]
    return Settled(tuple(links), tuple(at_most_two_each(free, lambda c: (c.left, c.right))))


def _best_for_both(
    ranked: Sequence[Candidate], twins: AbstractSet[tuple[int, int, int]]
) -> list[Candidate]:
    """
    Link, by falling score, what no rival stands in the way of.

    Who has found a partner in one round is nobody's rival in the next.
    """
    near: dict[tuple[int, int], list[Candidate]] = {}
    for one in ranked:
        near.setdefault((0, one.left), []).append(one)
        near.setdefault((1, one.right), []).append(one)
    links: list[Candidate] = []
    taken: set[tuple[int, int]] = set()
    left_over = [one for one in ranked if one.decision.verdict is Verdict.LINK]
    while True:
        settled, before = frozenset(taken), len(links)
        for one in left_over:
            ends = {(0, one.left), (1, one.right)}
            if ends & taken or any(
                _rivals(one, other, twins)
                for end in ends
                for other in near[end]
                if settled.isdisjoint(((0, other.left), (1, other.right)))
            ):
                continue
            links.append(one)
            taken |= ends
        if len(links) == before:
            return links
        left_over = [one for one in left_over if not taken & {(0, one.left), (1, one.right)}]


def stricter(size: int) -> int:
    """Say how much more evidence a register of this size asks: more strangers look alike in it."""
    return max(0, round(6 * log(max(size, 1) / SIZE)))


def _rivals(one: Candidate, other: Candidate, twins: AbstractSet[tuple[int, int, int]]) -> bool:
    """Say whether another candidate of the same record stands in the way of a link."""
    if other is one:
        return False
    if other.decision.rule == "number-different" and other.decision.duty:
        return _doubt_spreads(one.bits, other.bits)
    if other.decision.vetoed:
        return False
    by_number = [c.decision.rule == "number-and-name" for c in (one, other)]
    if by_number[0] and not other.bits & NUMBER_SAME:
        # The number settles it: whoever lacks it is a duplicate, or a successor under the name.
        return False
    if by_number[1] and not one.bits & NUMBER_SAME:
        return True
    return _comes_near(one, other) and _ends(one, other) not in twins


def _comes_near(one: Candidate, other: Candidate) -> bool:
    """
    Say whether another candidate's evidence is within the margin.

    Of a person's record what does not link by itself must be better: it is seldom another person.
    """
    unlikely = one.bits & PERSONAL and other.decision.verdict is not Verdict.LINK
    return other.decision.score > one.decision.score - (0 if unlikely else MARGIN)


def _ends(one: Candidate, other: Candidate) -> tuple[int, int, int]:
    """Give the side where two candidates of one record part, and their places there, in order."""
    side, first, second = (
        (1, one.right, other.right) if one.left == other.left else (0, one.left, other.left)
    )
    return side, min(first, second), max(first, second)


def _doubt_spreads(bits: int, doubtful: int) -> bool:
    """
    Say whether a pair is in doubt because its record also fits one with another number.

    Main unit or sub-unit: a partner without number may be either, and so may its duplicates. But a
    firm with a longer name beside it, or one that has nothing but the name in common while the
    pair shares street, mail or phone, is another firm.
    """
    if bits & NUMBER_SAME or doubtful & NAME_CONTAINED:
        return False
    return not bits & STRONG or bool(doubtful & STRONG) or not doubtful & (_NAME_SLIPPED | AGAINST)


def at_most_two_each(
    ranked: Iterable[T], ends: Callable[[T], tuple[Hashable, Hashable]]
) -> Iterator[T]:
    """Take pairs in their order while neither end has been taken twice."""
    lefts: Counter[Hashable] = Counter()
    rights: Counter[Hashable] = Counter()
    for one in ranked:
        left, right = ends(one)
        if lefts[left] < QUESTIONS and rights[right] < QUESTIONS:
            lefts[left] += 1
            rights[right] += 1
            yield one

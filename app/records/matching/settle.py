"""Settle who gets whom: the best for both by a clear margin, else a question, else nobody."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from math import log
from typing import TypeVar

from app.records.matching.decide import ASK_FROM, Decision, Verdict
from app.records.matching.evidence import AGAINST, NAME_CONTAINED, NUMBER_SAME, STRONG
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
        twins: Sure duplicates inside a side as (side 0 or 1, lower place, higher place); they are
            no rivals of each other: the better one is linked, the other is shown as a duplicate.
        size: Records of the larger side; more strangers look alike in a large register, so a
            question there needs more evidence.

    """
    ranked = sorted(candidates, key=lambda c: (-c.decision.score, c.tie))
    by_left: dict[int, list[Candidate]] = {}
    by_right: dict[int, list[Candidate]] = {}
    for one in ranked:
        by_left.setdefault(one.left, []).append(one)
        by_right.setdefault(one.right, []).append(one)
    links: list[Candidate] = []
    lefts: set[int] = set()
    rights: set[int] = set()
    for one in ranked:
        if one.decision.verdict is not Verdict.LINK or one.left in lefts or one.right in rights:
            continue
        if any(_rivals(one, other, twins) for other in by_left[one.left] + by_right[one.right]):
            continue
        links.append(one)
        lefts.add(one.left)
        rights.add(one.right)
    bar = ASK_FROM + stricter(size)
    free = [
        one
        for one in ranked
        if one.left not in lefts
        and one.right not in rights
        and (one.decision.score >= bar or one.decision.duty)
    ]
    return Settled(tuple(links), tuple(at_most_two_each(free, lambda c: (c.left, c.right))))


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
    if one.decision.rule == "number-and-name" and not other.bits & NUMBER_SAME:
        # The number settles it: whoever lacks it is a duplicate, or a successor under the name.
        return False
    if other.decision.score <= one.decision.score - MARGIN:
        return False
    side, first, second = (
        (1, one.right, other.right) if one.left == other.left else (0, one.left, other.left)
    )
    return (side, min(first, second), max(first, second)) not in twins


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

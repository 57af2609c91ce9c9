"""Weigh facts. The score ranks candidates and sets the margin; it never links by itself."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from app.records.matching.facts import bit, facts_in
from app.records.matching.proposals import Fact


@dataclass(frozen=True, slots=True)
class Weights:
    """
    Hold the fitted weights, in tenths of log-odds.

    Args:
        start: Score of a pair of which nothing is known.
        by_bit: The same weights by the fact's bit.
        single: Weight of each fact.
        together: By the lower bit of two facts: the other's bit, and what their meeting adds.

    """

    start: int
    single: dict[Fact, int]
    by_bit: dict[int, int]
    together: dict[int, list[tuple[int, int]]]


@cache
def weights() -> Weights:
    """Read the shipped weights, the first time only."""
    path = files("app.records.matching") / "words" / "weights.json"
    table = json.loads(path.read_text(encoding="utf-8"))
    single = {Fact(name): weight for name, weight in table["weights"].items()}
    return Weights(
        start=table["start"],
        single=single,
        by_bit={bit(fact): weight for fact, weight in single.items()},
        together=_by_lower_bit(table["together"]),
    )


def score(bits: int) -> int:
    """Sum the evidence of the facts, in tenths of log-odds."""
    known = weights()
    total = known.start
    left = bits
    while left:
        lowest = left & -left
        left ^= lowest
        total += known.by_bit[lowest]
        for other, weight in known.together.get(lowest, ()):
            if left & other:
                total += weight
    return total


def _by_lower_bit(together: list[tuple[str, str, int]]) -> dict[int, list[tuple[int, int]]]:
    """Index the weights of two facts by the one whose bit is lower."""
    found: dict[int, list[tuple[int, int]]] = {}
    for one, other, weight in together:
        lower, higher = sorted((bit(Fact(one)), bit(Fact(other))))
        found.setdefault(lower, []).append((higher, weight))
    return found


@cache
def ordered(bits: int) -> tuple[Fact, ...]:
    """List the facts, the weightiest first; equal weights in their own order."""
    single = weights().single
    return tuple(sorted(facts_in(bits), key=lambda fact: -abs(single[fact])))

"""Give each fact its bit, so that what holds between two records is one integer."""

from collections.abc import Iterator

from app.records.matching.proposals import Fact

_BITS = {fact: 1 << place for place, fact in enumerate(Fact)}


def bit(*facts: Fact) -> int:
    """Give the bits of facts, together."""
    bits = 0
    for fact in facts:
        bits |= _BITS[fact]
    return bits


def facts_in(bits: int) -> Iterator[Fact]:
    """List the facts in their order."""
    return (fact for fact, own in _BITS.items() if bits & own)

"""Decide what a pair's facts allow, by a table that can be read aloud: link, ask, or neither."""

from dataclasses import dataclass
from enum import Enum
from functools import cache

from app.records.matching.evidence import (
    AGAINST,
    ALIKE,
    ALONE,
    DOMAIN,
    NAME_CONTAINED,
    NEAR,
    NUMBER_DIFFERENT,
    NUMBER_SAME,
    PLACE_OTHER,
    RARE,
    SAME,
    STRONG,
    TELLING,
    TOLD_APART,
)
from app.records.matching.linking import link_rule
from app.records.matching.score import score
from app.records.matching.vetoes import veto

ASK_FROM = -35
"""Lowest score of a question (measured in bench/matching: questions against missed pairs)."""


DOUBLE_FROM = 9
"""Lowest score of a suspected duplicate inside a side."""
DOUBLE_DESPITE_VETO = {"place-different": 0, "kind": 45, "person-or-company": 15}
"""Lowest score of a suspected duplicate that is never linked unasked, by the reason."""


class Verdict(Enum):
    """Say what a pair's own facts allow; whether it also is the best for both is settled later."""

    LINK = 2
    ASK = 1
    DROP = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """
    Hold a verdict.

    Args:
        rule: The rule's stable id; for a question the veto that asked, else ``not-enough``.
        vetoed: Something contradicts; such a pair is no rival of another.
        duty: It must be asked whatever its score: only a person can tell.

    """

    verdict: Verdict
    rule: str
    score: int
    vetoed: bool = False
    duty: bool = False


_NEVER = 10_000


@cache
def decide(bits: int) -> Decision:
    """Decide on a pair's facts; remembered, since few combinations occur."""
    points = score(bits)
    forbidden = veto(bits)
    if forbidden is None and (rule := link_rule(bits)):
        return Decision(Verdict.LINK, rule, points)
    duty = _must_be_asked(bits)
    verdict = Verdict.ASK if duty or points >= ASK_FROM else Verdict.DROP
    return Decision(
        verdict, forbidden or "not-enough", points, vetoed=forbidden is not None, duty=duty
    )


def _must_be_asked(bits: int) -> bool:
    """
    Say whether only a person can tell: one number, two names; or two valid numbers, one customer.

    Every business with activity has a main unit and a sub-unit, each with its number (Altinn).
    """
    if bits & NUMBER_SAME:
        return True
    alike = SAME | NEAR | ALIKE | (NAME_CONTAINED if bits & STRONG else 0)
    if not bits & NUMBER_DIFFERENT or not bits & alike:
        return False
    if bits & SAME and bits & ALONE:
        return True
    apart = bits & PLACE_OTHER and not bits & (STRONG | DOMAIN)
    return not (apart or bits & TOLD_APART)


def is_double(bits: int, decision: Decision) -> bool:
    """
    Say whether two records of one side are to be shown as one customer written twice.

    What links across the sides is one. So is an equal or close name with evidence enough: a person
    sees it, nothing is merged, and within a side the two are more often strangers than across.
    """
    if decision.verdict is Verdict.LINK:
        return True
    if not bits & (SAME | NEAR | ALIKE):
        return False
    if decision.vetoed:
        return decision.score >= DOUBLE_DESPITE_VETO.get(decision.rule, _NEVER)
    telling = bits & (TELLING | RARE)
    return decision.score >= DOUBLE_FROM or bool(bits & SAME and telling and not bits & AGAINST)

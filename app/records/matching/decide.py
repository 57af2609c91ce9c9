"""Decide what a pair's facts allow, by a table that can be read aloud: link, ask, or neither."""

from dataclasses import dataclass
from enum import Enum
from functools import cache

from app.records.matching.evidence import (
    AGAINST,
    ALIKE,
    ALONE,
    AREA,
    CONTACTS_APART,
    DOMAIN,
    DOMAIN_SECOND,
    FULL_COMPANY_NAME,
    FURTHER,
    NAME_CONTAINED,
    NEAR,
    NUMBER_DIFFERENT,
    NUMBER_SAME,
    PLACE_OTHER,
    SAME,
    STRONG,
    TELLING,
    TOLD_APART,
    UNCOMMON,
)
from app.records.matching.linking import link_rule
from app.records.matching.score import score
from app.records.matching.vetoes import veto

ASK_FROM = -35
"""Lowest score of a question (measured in bench/matching: questions against missed pairs)."""


DOUBLE_FROM = 9
"""Lowest score of a suspected duplicate inside a side."""
DOUBLE_TOLD_FROM = 2
"""The same where the name alone tells."""
DOUBLE_DESPITE_VETO = {"place-different": 0, "kind": 20, "person-or-company": 15}
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

    Every business with activity has a main unit and a sub-unit, each with its number (Altinn), and
    the two may stand in two towns: a name that is only misspelt is asked about wherever they are.
    """
    if bits & NUMBER_SAME:
        return True
    alike = SAME | NEAR | ALIKE | (NAME_CONTAINED if bits & STRONG else 0)
    if not bits & NUMBER_DIFFERENT or not bits & alike or _are_two_firms(bits):
        return False
    if bits & SAME and bits & ALONE:
        return True
    if bits & TOLD_APART and not bits & STRONG:
        return False
    if bits & SAME and bits & FULL_COMPANY_NAME:
        return True
    apart = bits & PLACE_OTHER and not bits & (STRONG | DOMAIN | NEAR)
    return not (apart or bits & TOLD_APART)


def _are_two_firms(bits: int) -> bool:
    """
    Say whether two valid numbers are two firms': the name only nearly the same, nothing else so.

    Another town, and another mail or phone: such a pair of a main unit and its sub-unit did not
    occur among 500 in made-up registers, and their number grows with the square of the register.
    """
    slipped = bits & (NEAR | ALIKE) and bits & PLACE_OTHER and bits & CONTACTS_APART
    return bool(slipped and not bits & FURTHER)


def is_double(bits: int, decision: Decision, stricter: int = 0) -> bool:
    """
    Say whether two records of one side are to be shown as one customer written twice.

    What links across the sides is one. So is an equal or close name with evidence enough: a person
    sees it, nothing is merged, and within a side the two are more often strangers than across.
    Where nothing beside the name agrees, the name itself must tell: equal, and a full or rare one.

    Args:
        stricter: Added to the lowest score, for a large register (``settle.stricter``).

    """
    if decision.verdict is Verdict.LINK:
        return True
    if not bits & (SAME | NEAR | ALIKE):
        return False
    if decision.vetoed:
        known = bits & SAME or decision.rule != "place-different"
        return bool(known and decision.score >= DOUBLE_DESPITE_VETO.get(decision.rule, _NEVER))
    telling = _name_tells(bits)
    if not bits & (FURTHER | AREA):
        return telling and decision.score >= DOUBLE_TOLD_FROM + stricter
    return telling or decision.score >= DOUBLE_FROM


def _name_tells(bits: int) -> bool:
    """Say whether a name that stands twice on a side hardly is two customers'."""
    if not bits & SAME:
        return False
    return bool(bits & UNCOMMON or (bits & TELLING and not bits & (AGAINST | DOMAIN_SECOND)))

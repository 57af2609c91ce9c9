"""Decide what a pair's facts allow, by a table that can be read aloud: link, ask, or neither."""

from dataclasses import dataclass
from enum import Enum
from functools import cache

from app.records.matching.facts import bit
from app.records.matching.proposals import Fact
from app.records.matching.score import score

ASK_FROM = -30
"""Lowest score of a question (measured in bench/matching: questions against missed pairs)."""


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

    """

    verdict: Verdict
    rule: str
    score: int
    vetoed: bool = False


_SAME = bit(Fact.NAME_SAME, Fact.NAME_SAME_BUT_FORM)
_NEAR = bit(Fact.NAME_SPELT, Fact.NAME_CLOSE, Fact.NAME_MIDDLE)
_STREET = bit(Fact.STREET_SAME, Fact.STREET_CLOSE, Fact.BOX_SAME)
_CONTACT = bit(Fact.MAIL_SAME, Fact.PHONE_SAME)
_STRONG = _STREET | _CONTACT
_AREA = bit(Fact.CODE_SAME, Fact.PLACE_SAME)
_FURTHER = _STRONG | bit(
    Fact.DOMAIN_SAME, Fact.STREET_NUMBER_MISSING, Fact.NUMBER_SAME, Fact.NUMBER_CLOSE
)
_PERSONAL = bit(Fact.NAME_PERSONAL)
_NUMBER_SAME = bit(Fact.NUMBER_SAME)
_NUMBER_CLOSE = bit(Fact.NUMBER_CLOSE)
_DOMAIN = bit(Fact.DOMAIN_SAME)
_STREETS_APART = bit(Fact.STREET_OTHER, Fact.STREET_NUMBER_OTHER)

_VETOES = (
    ("number-different", bit(Fact.NUMBER_DIFFERENT)),
    ("number-far", bit(Fact.NUMBER_FAR)),
    ("count-different", bit(Fact.COUNT_DIFFERENT)),
    ("given-different", bit(Fact.GIVEN_DIFFERENT)),
    ("couple", bit(Fact.COUPLE_ONE_SIDE)),
    ("department", bit(Fact.DEPARTMENT_ONE_SIDE)),
    ("place-in-name", bit(Fact.PLACE_IN_NAME_OTHER)),
    ("activity", bit(Fact.ACTIVITY_DIFFERENT)),
)
"""Facts that forbid a link without asking, whatever else agrees."""

_VETOES_WITHOUT_NUMBER = (
    ("kind", bit(Fact.KIND_DIFFERENT)),
    ("form", bit(Fact.FORM_DIFFERENT)),
    ("place-in-name", bit(Fact.PLACE_IN_NAME_ONE_SIDE)),
    ("domain", bit(Fact.DOMAIN_OTHER)),
)
"""Facts that forbid it unless the organization number is the same."""


@cache
def decide(bits: int) -> Decision:
    """Decide on a pair's facts; remembered, since few combinations occur."""
    points = score(bits)
    veto = _veto(bits)
    if veto is None and (rule := _link_rule(bits)):
        return Decision(Verdict.LINK, rule, points)
    verdict = Verdict.ASK if points >= ASK_FROM else Verdict.DROP
    return Decision(verdict, veto or "not-enough", points, vetoed=veto is not None)


def _veto(bits: int) -> str | None:
    """Name the first fact that forbids linking without asking."""
    for name, facts in _VETOES:
        if bits & facts:
            return name
    if bits & _NUMBER_SAME:
        return None
    for name, facts in _VETOES_WITHOUT_NUMBER:
        if bits & facts:
            return name
    if bits & _PERSONAL and bits & bit(Fact.FORM_MISSING, Fact.NUMBER_ONE_SIDE):
        return "person-or-company"
    if bits & bit(Fact.PLACE_OTHER) and (bits & _FURTHER).bit_count() < 2:
        return "place-different"
    return None


def _link_rule(bits: int) -> str | None:
    """Name the rule that links, or ``None``."""
    if bits & _NUMBER_SAME:
        return _by_number(bits)
    if bits & _SAME:
        return _by_name(bits)
    if bits & _NEAR:
        return _by_close_name(bits)
    return None


def _by_number(bits: int) -> str | None:
    """Link by number and name; by number and place for a contained name; by number and contact for a trade name."""
    if bits & (_SAME | _NEAR):
        return "number-and-name"
    if bits & bit(Fact.NAME_CONTAINED) and bits & (_AREA | _STRONG):
        return "number-and-contained-name"
    if bits & bit(Fact.NAME_OTHER) and bits & (_STRONG | bit(Fact.NAME_IN_DOMAIN)):
        return "number-and-contact"
    return None


def _by_name(bits: int) -> str | None:
    """Link by equal name and one thing independent of it."""
    if bits & _NUMBER_CLOSE:
        return "name-and-close-number"
    if bits & _CONTACT:
        return "name-and-contact"
    if bits & _STREET:
        return "name-and-street"
    if bits & _PERSONAL:
        return _by_personal_name(bits)
    if bits & _DOMAIN:
        return "name-and-domain"
    if bits & bit(Fact.CODE_SAME):
        return "name-and-postal-code"
    if bits & bit(Fact.FULL_COMPANY_NAME) and bits & bit(Fact.NAME_ALONE):
        return "full-company-name"
    return None


def _by_personal_name(bits: int) -> str | None:
    """Link persons by the postal code only when no street contradicts and the name is unique."""
    if not bits & bit(Fact.NAME_ALONE):
        return None
    if bits & bit(Fact.CODE_SAME, Fact.STREET_NUMBER_MISSING) and not bits & _STREETS_APART:
        return "name-and-postal-code"
    if bits & bit(Fact.NAME_RARE) and not bits & (_STREETS_APART | bit(Fact.PLACE_OTHER)):
        return "rare-name"
    return None


def _by_close_name(bits: int) -> str | None:
    """Link by nearly equal name and one strong agreement."""
    if bits & _NUMBER_CLOSE:
        return "close-name-and-close-number"
    if bits & _CONTACT:
        return "close-name-and-contact"
    if bits & bit(Fact.STREET_SAME) and bits & _AREA:
        return "close-name-and-street"
    return None

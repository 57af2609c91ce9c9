"""Decide what a pair's facts allow, by a table that can be read aloud: link, ask, or neither."""

from dataclasses import dataclass
from enum import Enum
from functools import cache

from app.records.matching.facts import bit
from app.records.matching.proposals import Fact
from app.records.matching.score import score

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
_SAME = bit(Fact.NAME_SAME, Fact.NAME_SAME_BUT_FORM)
_NEAR = bit(Fact.NAME_SPELT, Fact.NAME_CLOSE, Fact.NAME_MIDDLE)
_ALIKE = bit(Fact.NAME_ALIKE)
_STREET = bit(Fact.STREET_SAME, Fact.STREET_CLOSE, Fact.BOX_SAME)
_CONTACT = bit(Fact.MAIL_SAME, Fact.PHONE_SAME)
STRONG = _STREET | _CONTACT
_AREA = bit(Fact.CODE_SAME, Fact.PLACE_SAME)
_CODE = bit(Fact.CODE_SAME)
_NUMBER_SAME = bit(Fact.NUMBER_SAME)
_NUMBER_CLOSE = bit(Fact.NUMBER_CLOSE)
_DOMAIN = bit(Fact.DOMAIN_SAME)
_PERSONAL = bit(Fact.NAME_PERSONAL)
_ALONE = bit(Fact.NAME_ALONE)
_RARE = bit(Fact.NAME_RARE)
_UNCOMMON = bit(Fact.NAME_RARE, Fact.NAME_UNCOMMON)
_KIND_SAME = bit(Fact.KIND_SAME)
_KIND_UNSET = bit(Fact.KIND_UNSET)
_GIVEN_SAME = bit(Fact.GIVEN_SAME)
_NUMBER_MISSING = bit(Fact.STREET_NUMBER_MISSING)
_FURTHER = STRONG | _DOMAIN | _NUMBER_MISSING | _NUMBER_SAME | _NUMBER_CLOSE
_APART = bit(Fact.STREET_OTHER, Fact.STREET_NUMBER_OTHER)
_CONTACTS_APART = bit(Fact.MAIL_OTHER, Fact.PHONE_OTHER)
AGAINST = _APART | _CONTACTS_APART | bit(Fact.PLACE_OTHER)

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
    duty = _must_be_asked(bits)
    verdict = Verdict.ASK if duty or points >= ASK_FROM else Verdict.DROP
    return Decision(verdict, veto or "not-enough", points, vetoed=veto is not None, duty=duty)


def _must_be_asked(bits: int) -> bool:
    """
    Say whether only a person can tell: one number, two names; or two valid numbers, one customer.

    Every business with activity has a main unit and a sub-unit, each with its number (Altinn).
    """
    if bits & _NUMBER_SAME:
        return True
    alike = _SAME | _NEAR | _ALIKE | (bit(Fact.NAME_CONTAINED) if bits & STRONG else 0)
    if not bits & bit(Fact.NUMBER_DIFFERENT) or not bits & alike:
        return False
    if bits & _SAME and bits & _ALONE:
        return True
    apart = bits & bit(Fact.PLACE_OTHER) and not bits & (STRONG | _DOMAIN)
    return not (apart or bits & bit(Fact.COUNT_DIFFERENT, Fact.PLACE_IN_NAME_OTHER))


def _veto(bits: int) -> str | None:
    """Name the first fact that forbids linking without asking."""
    for name, facts in _VETOES:
        if bits & facts:
            return name
    if _branch_under_main_name(bits):
        return "place-in-name"
    return None if bits & _NUMBER_SAME else _veto_without_number(bits)


def _veto_without_number(bits: int) -> str | None:
    """Name the first fact that forbids it where no equal number speaks for the pair."""
    for name, facts in _VETOES_WITHOUT_NUMBER:
        if bits & facts:
            return name
    if bits & _PERSONAL and _person_or_company(bits):
        return "person-or-company"
    if bits & bit(Fact.PLACE_OTHER) and _agreements(bits) < 2:
        return "place-different"
    return None


def _branch_under_main_name(bits: int) -> bool:
    """
    Say whether a place in one name only may tell a branch from its main unit.

    They share number, mail and phone often, the street never.
    """
    if bits & bit(Fact.PLACE_IN_NAME_ONE_SIDE):
        return not (bits & _NUMBER_SAME and bits & STRONG)
    return bool(bits & bit(Fact.PLACE_IN_NAME) and bits & _APART and not bits & _NUMBER_SAME)


def _person_or_company(bits: int) -> bool:
    """
    Say whether a person's name may stand for a person on one side and a company on the other.

    Two companies named after their owner may lack the number on one side, never the form: the firm
    «Ola Hansen» is not «Ola Hansen AS».
    """
    if bits & bit(Fact.FORM_MISSING):
        return True
    firms = bits & bit(Fact.BOTH_COMPANIES) and bits & _SAME
    return bool(bits & bit(Fact.NUMBER_ONE_SIDE) and not firms)


def _agreements(bits: int) -> int:
    """
    Count what agrees beside the name; a unique personal or full company name counts too.

    So does a rare name, and a person's own mail or phone twice: a firm's is shared by its branches.
    """
    alone = bool(bits & _ALONE and bits & (_PERSONAL | bit(Fact.FULL_COMPANY_NAME)))
    own = bool(bits & _PERSONAL and bits & _CONTACT and bits & (_SAME | _GIVEN_SAME))
    return (bits & _FURTHER).bit_count() + alone + own + bool(bits & _RARE)


def _link_rule(bits: int) -> str | None:
    """Name the rule that links, or ``None``."""
    if bits & _NUMBER_SAME:
        return _by_number(bits)
    if bits & _SAME and bits & _PERSONAL:
        return _by_personal_name(bits)
    if bits & _SAME:
        doubtful = _may_have_risen_again(bits) or _may_be_its_namesake(bits)
        return None if doubtful else _by_company_name(bits)
    if bits & (_NEAR | _ALIKE):
        return _by_close_name(bits)
    return None


def _by_number(bits: int) -> str | None:
    """Link by number and name; a contained name needs the place, a trade name a contact."""
    if bits & (_SAME | _NEAR | _ALIKE):
        return "number-and-name"
    if bits & bit(Fact.NAME_CONTAINED) and bits & (_AREA | STRONG):
        return "number-and-contained-name"
    if bits & bit(Fact.NAME_OTHER) and bits & (STRONG | bit(Fact.NAME_IN_DOMAIN)):
        return "number-and-contact"
    return None


def _by_strong_agreement(bits: int) -> str | None:
    """Link an equal name by a number with a slip, a mail or phone, or a street and number."""
    if bits & _NUMBER_CLOSE:
        return "name-and-close-number"
    if bits & _CONTACT:
        return "name-and-contact"
    return "name-and-street" if bits & _STREET else None


def _by_company_name(bits: int) -> str | None:
    """Link a company by its equal name and one thing beside it, or by its full name alone."""
    if rule := _by_strong_agreement(bits):
        return rule
    if bits & _DOMAIN and bits & _ALONE:
        return "name-and-domain"
    if bits & _CODE and not (bits & _APART and bits & _CONTACTS_APART):
        return "name-and-postal-code"
    if bits & _ALONE and bits & bit(Fact.PLACE_SAME) and not bits & AGAINST:
        return "name-and-place"
    if bits & _ALONE and bits & bit(Fact.FULL_COMPANY_NAME) and not bits & AGAINST:
        return "full-company-name"
    return None


def _may_have_risen_again(bits: int) -> bool:
    """
    Say whether one of two companies may be the other's successor under its old name.

    A bankrupt firm comes back at the same place with a new number, and often with a new phone or
    mail. Where only one side has a number and what contact is known differs, a person must look;
    also where the mail domain is the name with a number behind: the plain one was the first firm's,
    and the phone may have stayed.
    """
    if bits & (bit(Fact.MAIL_SAME) | _DOMAIN):
        return False
    if bits & bit(Fact.DOMAIN_SECOND):
        return True
    one_sided = bits & bit(Fact.NUMBER_ONE_SIDE) and bits & _CONTACTS_APART
    return bool(one_sided and not bits & _CONTACT)


def _may_be_its_namesake(bits: int) -> bool:
    """
    Say whether a firm may be another of its name: a side holds two, and neither record a number.

    Then street or contact alone do not tell which of the two it is, or whether they are one.
    """
    known = bits & bit(Fact.NUMBER_ONE_SIDE, Fact.NUMBER_CLOSE)
    return not (bits & _ALONE or known or (bits & _STREET and bits & _CONTACT))


def _by_personal_name(bits: int) -> str | None:
    """Link persons by the postal code only when no street contradicts and the name is unique."""
    if rule := _by_strong_agreement(bits):
        return rule
    if bits & _NUMBER_MISSING and bits & _CODE:
        return "name-and-street"
    if not bits & _ALONE:
        return None
    if bits & _CODE and not bits & (_APART | _CONTACTS_APART):
        return "name-and-postal-code"
    return "rare-name" if _is_rare_enough(bits) else None


def _is_rare_enough(bits: int) -> bool:
    """
    Say whether a second bearer of a name is unlikely: few in Norway, or none other in one town.

    A person with such a name who lives elsewhere in the other system has moved.
    """
    if bits & _UNCOMMON and bits & _AREA:
        return True
    moved = bits & (_APART | bit(Fact.PLACE_OTHER))
    apart = bits & _CONTACTS_APART
    if not bits & _KIND_SAME or (moved and apart):
        return False
    return bool(bits & _RARE or (bits & _UNCOMMON and not moved and not apart))


def _by_close_name(bits: int) -> str | None:
    """
    Link by nearly equal name and one strong agreement.

    A street or a phone is shared by relatives, so a person's given name must agree beside it.
    """
    settled = not bits & _PERSONAL or bits & _GIVEN_SAME
    if bits & _ALIKE:
        return _by_alike_name(bits) if settled and bits & _AREA else None
    if bits & _NUMBER_CLOSE:
        return "close-name-and-close-number"
    if bits & bit(Fact.MAIL_SAME) or (settled and bits & _CONTACT):
        return "close-name-and-contact"
    if settled and _is_close_at_the_street(bits):
        return "close-name-and-street"
    rare = bits & _GIVEN_SAME and bits & _KIND_SAME and not bits & _CONTACTS_APART
    near = bits & _UNCOMMON and bits & _CODE
    nowhere_else = bits & _RARE and not bits & (_APART | bit(Fact.PLACE_OTHER))
    return "close-rare-name" if rare and (near or nowhere_else) else None


def _is_close_at_the_street(bits: int) -> bool:
    """Say whether the street speaks for a nearly equal name, and nothing known against it."""
    unsure = _KIND_UNSET if bits & _PERSONAL else _CONTACTS_APART
    if not bits & _AREA or bits & unsure:
        return False
    partly = bits & _GIVEN_SAME and bits & _CODE and bits & (_NUMBER_MISSING | _STREET)
    return bool(bits & bit(Fact.STREET_SAME) or partly)


def _by_alike_name(bits: int) -> str | None:
    """Link names that only look alike by street and contact; persons by the street alone."""
    if bits & _STREET and bits & _CONTACT:
        return "alike-name-street-and-contact"
    sure = bits & _GIVEN_SAME and bits & _KIND_SAME and not bits & _CONTACTS_APART
    return "alike-name-and-street" if sure and bits & bit(Fact.STREET_SAME) else None


def is_double(bits: int, decision: Decision) -> bool:
    """
    Say whether two records of one side are to be shown as one customer written twice.

    What links across the sides is one. So is an equal or close name with evidence enough: a person
    sees it, nothing is merged, and within a side the two are more often strangers than across.
    """
    if decision.verdict is Verdict.LINK:
        return True
    if not bits & (_SAME | _NEAR | _ALIKE):
        return False
    if decision.vetoed:
        return decision.score >= DOUBLE_DESPITE_VETO.get(decision.rule, _NEVER)
    telling = bits & (bit(Fact.FULL_COMPANY_NAME, Fact.NAME_SAME_BUT_FORM) | _RARE)
    return decision.score >= DOUBLE_FROM or bool(bits & _SAME and telling and not bits & AGAINST)

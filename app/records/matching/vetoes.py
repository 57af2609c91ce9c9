"""Say what forbids linking a pair without asking, whatever else agrees."""

from app.records.matching.evidence import (
    ALONE,
    APART,
    BOTH_COMPANIES,
    CODE,
    CONTACT,
    CONTACTS_APART,
    DOMAIN_KNOWN,
    FORM_MISSING,
    FULL_COMPANY_NAME,
    FURTHER,
    GIVEN_SAME,
    MAIL_SAME,
    NUMBER_KNOWN,
    NUMBER_ONE_SIDE,
    NUMBER_SAME,
    PERSONAL,
    PLACE_IN_NAME,
    PLACE_IN_NAME_ONE_SIDE,
    PLACE_OTHER,
    RARE,
    SAME,
    STREET,
    STREET_SAME,
)
from app.records.matching.facts import bit
from app.records.matching.proposals import Fact

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

_SIGN_OF_A_FIRM = NUMBER_KNOWN | FORM_MISSING | DOMAIN_KNOWN | CONTACTS_APART
_VETOES_WITHOUT_NUMBER = (
    ("kind", bit(Fact.KIND_DIFFERENT)),
    ("form", bit(Fact.FORM_DIFFERENT)),
    ("domain", bit(Fact.DOMAIN_OTHER)),
)
"""Facts that forbid it unless the organization number is the same."""


def veto(bits: int) -> str | None:
    """Name the first fact that forbids linking without asking."""
    for name, facts in _VETOES:
        if bits & facts:
            return name
    if _branch_under_main_name(bits):
        return "place-in-name"
    return None if bits & NUMBER_SAME else _veto_without_number(bits)


def _veto_without_number(bits: int) -> str | None:
    """Name the first fact that forbids it where no equal number speaks for the pair."""
    for name, facts in _VETOES_WITHOUT_NUMBER:
        if bits & facts and not (name == "kind" and _typed_wrong(bits)):
            return name
    if bits & PERSONAL and _person_or_company(bits):
        return "person-or-company"
    if bits & PLACE_OTHER and _agreements(bits) < 2:
        return "place-different"
    return None


def _typed_wrong(bits: int) -> bool:
    """
    Say whether the kind of one record is a slip.

    One mail tells it where neither record has a number or a form; a company's name that stands once
    on each side does; a person's name where neither record has a number, a form or a mail of its
    own domain, as his firm would have one of them, and the house or his own mail is the same.
    """
    if bits & PLACE_OTHER or not bits & SAME:
        return False
    if bits & MAIL_SAME and not bits & (NUMBER_KNOWN | FORM_MISSING):
        return True
    if not bits & PERSONAL or not bits & ALONE:
        return bool(bits & ALONE)
    return bool(bits & (STREET_SAME | MAIL_SAME) and not bits & _SIGN_OF_A_FIRM)


def _branch_under_main_name(bits: int) -> bool:
    """
    Say whether a place in one name only may tell a branch from its main unit.

    They share number, mail and phone often, the street never; and the main unit is hardly in
    another street behind the same postal code.
    """
    if bits & PLACE_IN_NAME_ONE_SIDE:
        return not (bits & NUMBER_SAME and bits & STREET)
    return bool(bits & PLACE_IN_NAME and bits & APART and not bits & (NUMBER_SAME | CODE))


def _person_or_company(bits: int) -> bool:
    """
    Say whether a person's name may stand for a person on one side and a company on the other.

    Two companies named after their owner may lack the number on one side, never the form: the firm
    «Ola Hansen» is not «Ola Hansen AS».
    """
    if bits & FORM_MISSING:
        return not (bits & BOTH_COMPANIES and bits & SAME and bits & MAIL_SAME)
    firms = bits & BOTH_COMPANIES and bits & SAME
    return bool(bits & NUMBER_ONE_SIDE and not firms)


def _agreements(bits: int) -> int:
    """
    Count what agrees beside the name; a unique personal or full company name counts too.

    So does a rare name, and a person's own mail or phone twice: a firm's is shared by its branches.
    """
    alone = bool(bits & ALONE and bits & (PERSONAL | FULL_COMPANY_NAME | MAIL_SAME))
    own = bool(bits & PERSONAL and bits & CONTACT and bits & (SAME | GIVEN_SAME))
    return (bits & FURTHER).bit_count() + alone + own + bool(bits & RARE)

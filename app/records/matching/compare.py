"""Compare two cards: which facts hold. The same whichever card comes first."""

from rapidfuzz.distance import OSA

from app.canonical import CustomerKind
from app.records.matching.compare_names import compare_names
from app.records.matching.facts import bit
from app.records.matching.normalise import Card
from app.records.matching.proposals import Fact

_NUMBER_SAME = bit(Fact.NUMBER_SAME)
_NUMBER_CLOSE = bit(Fact.NUMBER_CLOSE)
_NUMBER_ONE_SIDE = bit(Fact.NUMBER_ONE_SIDE)
_NUMBER_DIFFERENT = bit(Fact.NUMBER_DIFFERENT)
_NUMBER_FAR = bit(Fact.NUMBER_FAR)
_NAME_UNLIKE = bit(Fact.NAME_PARTLY, Fact.NAME_OTHER)
_NAME_IN_DOMAIN = bit(Fact.NAME_IN_DOMAIN)
_NAME_PERSONAL = bit(Fact.NAME_PERSONAL)
_FORM_DIFFERENT = bit(Fact.FORM_DIFFERENT)
_FORM_MISSING = bit(Fact.FORM_MISSING)
_LIMITED = bit(Fact.LIMITED)
_COUNT_DIFFERENT = bit(Fact.COUNT_DIFFERENT)
_COUPLE_ONE_SIDE = bit(Fact.COUPLE_ONE_SIDE)
_DEPARTMENT_ONE_SIDE = bit(Fact.DEPARTMENT_ONE_SIDE)
_STREET_SAME = bit(Fact.STREET_SAME)
_STREET_CLOSE = bit(Fact.STREET_CLOSE)
_STREET_NUMBER_MISSING = bit(Fact.STREET_NUMBER_MISSING)
_STREET_NUMBER_OTHER = bit(Fact.STREET_NUMBER_OTHER)
_STREET_OTHER = bit(Fact.STREET_OTHER)
_BOX_SAME = bit(Fact.BOX_SAME)
_CODE_SAME = bit(Fact.CODE_SAME)
_PLACE_SAME = bit(Fact.PLACE_SAME)
_PLACE_OTHER = bit(Fact.PLACE_OTHER)
_MAIL_SAME = bit(Fact.MAIL_SAME)
_MAIL_SHARED = bit(Fact.MAIL_SHARED)
_MAIL_OTHER = bit(Fact.MAIL_OTHER)
_DOMAIN_SAME = bit(Fact.DOMAIN_SAME)
_DOMAIN_OTHER = bit(Fact.DOMAIN_OTHER)
_DOMAIN_SECOND = bit(Fact.DOMAIN_SECOND)
_DOMAIN_KNOWN = bit(Fact.DOMAIN_KNOWN)
_PHONE_SAME = bit(Fact.PHONE_SAME)
_PHONE_SHARED = bit(Fact.PHONE_SHARED)
_PHONE_OTHER = bit(Fact.PHONE_OTHER)
_KIND_SAME = bit(Fact.KIND_SAME)
_BOTH_COMPANIES = bit(Fact.BOTH_COMPANIES)
_KIND_DIFFERENT = bit(Fact.KIND_DIFFERENT)
_KIND_UNSET = bit(Fact.KIND_UNSET)
_ACTIVITY_DIFFERENT = bit(Fact.ACTIVITY_DIFFERENT)
_KIN = bit(
    Fact.NAME_SAME,
    Fact.NAME_SAME_BUT_FORM,
    Fact.NAME_SPELT,
    Fact.NAME_CLOSE,
    Fact.NAME_ALIKE,
    Fact.NAME_MIDDLE,
)


def compare(a: Card, b: Card) -> int:
    """Give the facts that hold between two cards as bits of ``facts.bit``."""
    return compare_names(a, b) | beside_names(a, b)


def beside_names(a: Card, b: Card) -> int:
    """Give the facts that names say nothing of."""
    return _numbers(a, b) | _contacts(a, b) | _places(a, b) | _kinds(a, b) | _signs(a, b)


def compare_likely(a: Card, b: Card) -> int:
    """
    Give the facts of two cards, or 0 when they have at most a part of the name in common.

    Nobody is asked about such a pair, and three of four that share a blocking key are of this
    sort: the rest of them need not be compared.
    """
    names = compare_names(a, b)
    unlike = names & _NAME_UNLIKE and not names & _NAME_IN_DOMAIN
    if unlike and not _meet_beside_names(a, b):
        return 0
    return names | beside_names(a, b)


def compare_akin(a: Card, b: Card) -> int:
    """Give the facts of two cards that number or name could make one customer; 0 for others."""
    names = compare_names(a, b)
    if names & _KIN or (a.number and a.number == b.number):
        return names | beside_names(a, b)
    return 0


def _meet_beside_names(a: Card, b: Card) -> bool:
    """Say whether anything but the names may agree."""
    return bool(
        (a.place and a.place == b.place)
        or (a.code and a.code == b.code)
        or (a.street and a.street == b.street)
        or (a.phone and a.phone == b.phone)
        or (a.mail and a.mail == b.mail)
        or (a.domain and a.domain == b.domain)
        or (a.number and a.number == b.number)
        or (a.bad_number and (b.number or b.bad_number))
        or (b.bad_number and a.number)
    )


def _numbers(a: Card, b: Card) -> int:
    """Compare organization numbers."""
    if a.number and b.number:
        return _NUMBER_SAME if a.number == b.number else _NUMBER_DIFFERENT
    first, second = a.number or a.bad_number, b.number or b.bad_number
    if first and second:
        # A mistyped number still speaks: within two edits it supports, far away it is a veto.
        return _NUMBER_CLOSE if OSA.distance(first, second, score_cutoff=2) <= 2 else _NUMBER_FAR
    return _NUMBER_ONE_SIDE if first or second else 0


def _contacts(a: Card, b: Card) -> int:
    """Compare mail and phone; what many records of a side share is no evidence."""
    facts = 0
    if a.mail and b.mail:
        if a.mail == b.mail:
            facts |= _MAIL_SHARED if a.mail_shared or b.mail_shared else _MAIL_SAME
        elif a.domain and b.domain:
            facts |= _DOMAIN_SAME if a.domain == b.domain else _DOMAIN_OTHER
        else:
            facts |= _MAIL_OTHER
    if (a.second_domain or b.second_domain) and not (a.domain and b.domain):
        facts |= _DOMAIN_SECOND
    if a.domain or b.domain:
        facts |= _DOMAIN_KNOWN
    if a.phone and b.phone:
        if a.phone == b.phone:
            facts |= _PHONE_SHARED if a.phone_shared or b.phone_shared else _PHONE_SAME
        else:
            facts |= _PHONE_OTHER
    return facts


def _places(a: Card, b: Card) -> int:
    """Compare addresses."""
    facts = 0
    same_place = bool(a.place and a.place == b.place)
    if a.code and a.code == b.code:
        facts = _CODE_SAME
        same_place = True
    elif same_place:
        facts = _PLACE_SAME
    elif a.place and b.place:
        facts = _PLACE_OTHER
    if a.box and a.box == b.box and same_place:
        facts |= _BOX_SAME
    if a.street and b.street:
        facts |= _streets(a, b, elsewhere=bool(facts & _PLACE_OTHER))
    return facts


def _streets(a: Card, b: Card, *, elsewhere: bool) -> int:
    """Compare two streets; the same street name in another town is another street."""
    same = a.street == b.street
    shorter = min(len(a.street), len(b.street))
    close = not same and shorter >= 5 and OSA.distance(a.street, b.street, score_cutoff=2) <= 2
    if elsewhere or not (same or close):
        return _STREET_OTHER
    if not a.house or not b.house:
        return _STREET_NUMBER_MISSING if same else _STREET_OTHER
    if a.house != b.house or (a.letter and b.letter and a.letter != b.letter):
        return _STREET_NUMBER_OTHER
    return _STREET_SAME if same else _STREET_CLOSE


def _kinds(a: Card, b: Card) -> int:
    """Compare company with person; a legal form says company whatever the kind."""
    if a.kind is None or b.kind is None:
        return _KIND_UNSET
    if a.kind is b.kind:
        return _KIND_SAME | (_BOTH_COMPANIES if a.kind is CustomerKind.COMPANY else 0)
    companies = (a.kind is CustomerKind.COMPANY or a.form) and (
        b.kind is CustomerKind.COMPANY or b.form
    )
    return _KIND_SAME if companies else _KIND_DIFFERENT


def _signs(a: Card, b: Card) -> int:
    """Compare the signs in names that are identity: numbers, departments, couples, forms."""
    facts = 0
    if a.counts != b.counts:
        facts |= _COUNT_DIFFERENT
    if a.department != b.department:
        facts |= _DEPARTMENT_ONE_SIDE
    if a.couple != b.couple:
        facts |= _COUPLE_ONE_SIDE
    if a.form != b.form:
        facts |= _FORM_DIFFERENT if a.form and b.form else _FORM_MISSING
    if a.limited or b.limited:
        facts |= _LIMITED
    if a.personal or b.personal or (a.form != b.form and (a.personlike or b.personlike)):
        facts |= _NAME_PERSONAL
    if a.active != b.active:
        facts |= _ACTIVITY_DIFFERENT
    return facts

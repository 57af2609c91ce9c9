"""Name the rule that links a pair against which nothing speaks."""

from app.records.matching.evidence import (
    AGAINST,
    ALIKE,
    ALONE,
    ALONE_HERE,
    APART,
    AREA,
    BOTH_COMPANIES,
    CODE,
    CONTACT,
    CONTACTS_APART,
    DOMAIN,
    DOMAIN_KNOWN,
    DOMAIN_SECOND,
    FULL_COMPANY_NAME,
    GIVEN_SAME,
    GIVEN_SLIPPED,
    KIND_SAME,
    KIND_UNSET,
    LIMITED,
    MAIL_OTHER,
    MAIL_SAME,
    NAME_CLOSE,
    NAME_CONTAINED,
    NAME_IN_DOMAIN,
    NAME_MIDDLE,
    NAME_OTHER,
    NAME_SPELT,
    NAMESAKES,
    NEAR,
    NUMBER_CLOSE,
    NUMBER_KNOWN,
    NUMBER_MISSING,
    NUMBER_ONE_SIDE,
    NUMBER_SAME,
    PERSONAL,
    PHONE_OTHER,
    PHONE_SAME,
    PLACE_OTHER,
    PLACE_SAME,
    RARE,
    SAME,
    SELDOM,
    STREET,
    STREET_SAME,
    STRONG,
    UNCOMMON,
)


def link_rule(bits: int) -> str | None:
    """Name the rule that links, or ``None``."""
    if bits & NUMBER_SAME:
        return _by_number(bits)
    if bits & SAME and bits & PERSONAL:
        return _by_personal_name(bits)
    if bits & SAME:
        doubtful = _may_have_risen_again(bits) or _may_be_its_namesake(bits)
        return None if doubtful else _by_company_name(bits)
    if bits & (NEAR | ALIKE):
        return _by_close_name(bits)
    return _by_trade_name(bits) if bits & NAME_OTHER else None


def _by_trade_name(bits: int) -> str | None:
    """Link two other names by house or mail, where one is the other's own mail domain."""
    if not bits & NAME_IN_DOMAIN or not bits & BOTH_COMPANIES or not bits & AREA:
        return None
    if bits & CONTACTS_APART:
        return None
    if bits & MAIL_SAME:
        return "trade-name-and-mail"
    return "trade-name-and-street" if bits & STREET_SAME else None


def _by_number(bits: int) -> str | None:
    """Link by number and name; a contained name needs the place, a trade name a contact."""
    if bits & (SAME | NEAR | ALIKE):
        return "number-and-name"
    if bits & NAME_CONTAINED and bits & (AREA | STRONG):
        return "number-and-contained-name"
    if bits & NAME_OTHER and bits & (STRONG | NAME_IN_DOMAIN):
        return "number-and-contact"
    return None


def _by_strong_agreement(bits: int) -> str | None:
    """Link an equal name by a number with a slip, a mail or phone, or a street and number."""
    if bits & NUMBER_CLOSE:
        return "name-and-close-number"
    if bits & CONTACT:
        return "name-and-contact"
    return "name-and-street" if bits & STREET else None


def _by_company_name(bits: int) -> str | None:
    """Link a company by its equal name and one thing beside it, or by its full name alone."""
    if rule := _by_strong_agreement(bits):
        return rule
    if bits & DOMAIN and bits & ALONE:
        return "name-and-domain"
    if bits & CODE and not (bits & APART and bits & CONTACTS_APART):
        return "name-and-postal-code"
    if bits & ALONE_HERE and bits & PLACE_SAME and bits & NUMBER_KNOWN and not bits & AGAINST:
        return "name-and-place"
    if bits & ALONE and bits & FULL_COMPANY_NAME and not bits & AGAINST:
        return "full-company-name"
    return None


def _may_have_risen_again(bits: int) -> bool:
    """
    Say whether one of two companies may be the other's successor under its old name.

    A bankrupt firm comes back at the same place with a new number, and often with a new phone or
    mail. Only a company of limited liability does so: two others of one name and postal code are
    one, unless the mail domain says that they may be two.
    """
    second = _has_a_second_domain(bits)
    if bits & CODE and not bits & LIMITED and (bits & CONTACT or not second):
        return False
    if bits & MAIL_SAME:
        one_sided = bits & NUMBER_ONE_SIDE and bits & PHONE_OTHER
        return bool(one_sided and (bits & LIMITED or not bits & ALONE))
    if bits & DOMAIN:
        return False
    return second or _is_told_by_the_name(bits)


def _has_a_second_domain(bits: int) -> bool:
    """
    Say whether the mail domain is the name with a sign beside it, and nobody is seen to have it.

    The plain domain was the first firm's then, and the phone may have stayed. Where namesakes
    stand in other places, it is one of theirs.
    """
    return bool(bits & DOMAIN_SECOND and not bits & (DOMAIN | NAMESAKES))


def _is_told_by_the_name(bits: int) -> bool:
    """
    Say whether little but name and address tells that two companies are one.

    No contact agrees, and one differs, the name stands twice on a side, or neither record shows a
    mail domain of the firm's own; or the phone alone agrees beside two mails.
    """
    one_sided = bits & NUMBER_ONE_SIDE
    if bits & PHONE_SAME:
        return bool(one_sided and bits & MAIL_OTHER)
    if bits & NUMBER_CLOSE:
        return False
    twice = one_sided and not bits & ALONE_HERE
    return bool(bits & CONTACTS_APART or twice or (bits & LIMITED and not bits & DOMAIN_KNOWN))


def _may_be_its_namesake(bits: int) -> bool:
    """
    Say whether a firm may be another of its name: a side holds two, and neither record a number.

    Then street or contact alone do not tell which of the two it is, or whether they are one.
    """
    known = bits & NUMBER_KNOWN
    return not (bits & ALONE_HERE or known or (bits & STREET and bits & CONTACT))


def _by_personal_name(bits: int) -> str | None:
    """
    Link persons by the postal code only when no street contradicts and the name is unique.

    A mail domain of its own says firm: its owner has its name and its house, and how many bear a
    name counts people.
    """
    if bits & DOMAIN_KNOWN and not bits & (CONTACT | NUMBER_CLOSE):
        return None
    if rule := _by_strong_agreement(bits):
        return rule
    if bits & NUMBER_MISSING and bits & CODE:
        return "name-and-street"
    return "rare-name" if _is_rare_enough(bits) else None


def _is_rare_enough(bits: int) -> bool:
    """
    Say whether a second bearer of a name is unlikely: few in Norway, or none other in one town.

    A person with such a name who lives elsewhere in the other system has moved, or has another
    phone or mail, both only where hardly two bear it; one who stands twice on a side is typed
    twice: a firm of that name has a number.
    """
    moved = bits & (APART | PLACE_OTHER)
    apart = bits & CONTACTS_APART
    if bits & SELDOM:
        return bool(bits & ALONE_HERE and bits & KIND_SAME and not (moved and apart))
    if not bits & UNCOMMON:
        return False
    if not bits & ALONE_HERE:
        return bool(bits & KIND_SAME and not bits & (NUMBER_ONE_SIDE | PLACE_OTHER))
    if bits & AREA:
        return True
    if bits & RARE:
        return bool(bits & KIND_SAME)
    twice = bits & MAIL_OTHER and bits & PHONE_OTHER
    return bool(bits & KIND_SAME and not twice and not (moved and apart))


def _by_close_name(bits: int) -> str | None:
    """
    Link by nearly equal name and one strong agreement.

    A street or a phone is shared by relatives, so a person's given name must agree beside it.
    """
    if not bits & PERSONAL and _may_have_risen_again(bits):
        return None
    settled = not bits & PERSONAL or bits & (GIVEN_SAME | NAME_SPELT)
    if bits & ALIKE:
        return _by_alike_name(bits, settled=bool(settled))
    if bits & NUMBER_CLOSE:
        return "close-name-and-close-number"
    slip = bits & GIVEN_SLIPPED and bits & KIND_SAME
    if bits & MAIL_SAME or (bits & CONTACT and (settled or slip)):
        return "close-name-and-contact"
    if _is_close_at_the_street(bits) if settled else _is_slip_at_the_street(bits):
        return "close-name-and-street"
    return _by_domain_or_rarity(bits)


def _by_domain_or_rarity(bits: int) -> str | None:
    """Link a nearly equal name by a firm's own mail domain, or by how few bear it."""
    if bits & DOMAIN and not bits & (PERSONAL | CONTACTS_APART):
        return "close-name-and-domain"
    return "close-rare-name" if _is_close_and_rare(bits) else None


def _is_close_and_rare(bits: int) -> bool:
    """Say whether a nearly equal name is so uncommon that a second bearer is unlikely."""
    if bits & RARE and bits & CODE:
        return True
    sure = bits & GIVEN_SAME and bits & KIND_SAME and not bits & CONTACTS_APART
    enough = bits & UNCOMMON if bits & NAME_MIDDLE else bits & RARE
    nowhere_else = enough and not bits & (APART | PLACE_OTHER)
    here = bits & (AREA if bits & NAME_MIDDLE else CODE)
    return bool(sure and ((bits & UNCOMMON and here) or nowhere_else))


def _is_close_at_the_street(bits: int) -> bool:
    """
    Say whether the street speaks for a nearly equal name, and nothing known against it.

    Behind one postal code a slip in the street, or a house number that is missing, is the same one.
    """
    unsure = KIND_UNSET if bits & PERSONAL else CONTACTS_APART
    if not bits & AREA or bits & unsure:
        return False
    known = bits & GIVEN_SAME or not bits & PERSONAL
    partly = known and bits & CODE and bits & (NUMBER_MISSING | STREET)
    return bool(bits & STREET_SAME or partly)


def _is_slip_at_the_street(bits: int) -> bool:
    """
    Say whether a person's given name has a slip and house and code tell that it is one.

    One of the two is no name at all, and neither mail nor phone speaks for a relative.
    """
    sure = bits & GIVEN_SLIPPED and bits & KIND_SAME and not bits & (CONTACTS_APART | NUMBER_KNOWN)
    here = bits & CODE and bits & (STREET | NUMBER_MISSING)
    return bool(sure and bits & NAME_CLOSE and here)


def _by_alike_name(bits: int, *, settled: bool) -> str | None:
    """
    Link names that only look alike by street and contact; persons by the street or own mail.

    A phone at one street is shared by firms of one owner, so for companies the mail must agree.
    """
    if bits & PERSONAL and bits & MAIL_SAME and bits & KIND_SAME:
        return "alike-name-and-mail"
    if not settled or not bits & AREA:
        return None
    if bits & STREET and bits & (CONTACT if bits & PERSONAL else MAIL_SAME):
        return "alike-name-street-and-contact"
    sure = bits & GIVEN_SAME and bits & KIND_SAME and not bits & CONTACTS_APART
    return "alike-name-and-street" if sure and bits & STREET_SAME else None

"""Read each customer once into a card: everything the comparison needs, folded and typed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from app.canonical import Customer, CustomerKind, RecordId, is_organization_number
from app.records.matching.addresses import read_address
from app.records.matching.identifiers import (
    is_second_domain,
    organization_digits,
    phone_digits,
    read_mail,
)
from app.records.matching.names import read_name

RARE_BEARERS = 2.0
"""Most expected bearers in Norway of a personal name that counts as rare."""
UNCOMMON_BEARERS = 10.0
"""Most of one that counts as uncommon: in one town there is hardly a second."""
SELDOM_BEARERS = 30.0
"""Most of one that counts as seldom: behind one postal code there is hardly a second."""
LIMITED = frozenset({"as", "asa", "nuf"})
"""Legal forms of limited liability: only such a company goes under and rises again."""
SIZE = 3000
"""
Customers in a register for which those limits hold; above it they fall as the register grows.

The strangers of one name that a register holds are its bearers times the share of the people that
are customers, so twice as many customers make the same mistake as likely with half as many bearers.
"""


@dataclass(slots=True)
class Card:
    """
    Hold one customer, read; ``''`` and ``0`` mean not known.

    Fields are explained in ``Name``, ``Spot`` and ``Mail``.

    Args:
        number: A valid organization number.
        bad_number: Seven or more digits that are no valid number.
        limited: A company of limited liability (AS, ASA, NUF), or its form has a slip in it.
        second_domain: The mail domain is the name with a number or «II», «Drift», «Nye» beside it
            («osttransport2»), so the plain one is another's.
        rare, uncommon: A personal name that few bear, or not many, for the size of its side.
        alone: The name stands once on its side.
        alone_here: It stands once at its place, and each other bearer at another, known one.
        domain_alone: So does the mail domain.
        mail_shared, phone_shared: Held by three or more records of its side: no evidence.

    """

    id: RecordId
    kind: CustomerKind | None
    active: bool
    number: str
    bad_number: str
    words: tuple[str, ...]
    bag: frozenset[str]
    joined: str
    full: str
    stem: str
    key: str
    marked: frozenset[str]
    form: str
    counts: tuple[str, ...]
    mention: str
    department: bool
    couple: bool
    personlike: bool
    personal: bool
    given: str
    guess: str
    bearers: float
    street: str
    house: int
    letter: str
    box: str
    code: str
    place: str
    phone: str
    mail: str
    domain: str
    label: str
    limited: bool
    second_domain: bool
    rare: bool = False
    uncommon: bool = False
    alone: bool = True
    alone_here: bool = True
    domain_alone: bool = True
    mail_shared: bool = False
    phone_shared: bool = False


def read_card(customer: Customer) -> Card:
    """Read one customer."""
    name = read_name(customer.name, customer.kind)
    spot = read_address(customer.address)
    mail = read_mail(customer.email)
    digits = organization_digits(customer.organization_number)
    valid = is_organization_number(digits)
    spellings = (name.joined, name.full, name.spoken)
    return Card(
        id=customer.id,
        kind=customer.kind,
        active=customer.active,
        number=digits if valid else "",
        bad_number="" if valid or len(digits) < 7 else digits,
        words=name.words,
        bag=frozenset(name.words),
        joined=name.joined,
        full=name.full,
        stem=name.stem,
        key=name.key,
        marked=name.marked,
        form=name.form,
        counts=name.counts,
        mention=name.mention,
        department=name.department,
        couple=name.couple,
        personlike=name.personlike,
        personal=name.personal,
        given=name.given,
        guess=name.guess,
        bearers=name.bearers,
        street=spot.street,
        house=spot.house,
        letter=spot.letter,
        box=spot.box,
        code=spot.code,
        place=spot.place,
        phone=phone_digits(customer.phone),
        mail=mail.address,
        domain=mail.domain,
        label=mail.label,
        limited=name.form in LIMITED or (not name.form and name.stem != name.joined),
        second_domain=is_second_domain(mail, spellings, numbered=bool(name.counts)),
    )


def read_side(
    customers: Iterable[Customer], *, read: Callable[[Customer], Card] = read_card
) -> list[Card]:
    """
    Read one side's customers in the order of their ids, and see what is shared inside it.

    A record that is gone or merged into another takes no part.
    """
    living = [c for c in customers if not c.gone and c.merged_into is None]
    cards = [read(customer) for customer in sorted(living, key=lambda c: c.id)]
    mark_shared(cards)
    return cards


def mark_shared(cards: Sequence[Card]) -> None:
    """Note on each card whether its name, mail and phone are its own, and its name a rare one."""
    names: dict[str, int] = {}
    holders: dict[str, int] = {}
    spots: dict[tuple[str, str], int] = {}
    for card in cards:
        for name in {card.joined, card.key}:
            names[name] = names.get(name, 0) + 1
            spots[name, card.place] = spots.get((name, card.place), 0) + 1
        for value in (card.mail, card.phone, "@" + card.domain):
            holders[value] = holders.get(value, 0) + 1
    share = min(1.0, SIZE / max(1, len(cards)))
    for card in cards:
        card.rare = 0 < card.bearers <= RARE_BEARERS * share
        card.uncommon = 0 < card.bearers <= UNCOMMON_BEARERS * share
        card.alone = names[card.joined] == 1 and names[card.key] == 1
        card.alone_here = bool(card.place) and all(
            spots[name, card.place] == 1 and (name, "") not in spots
            for name in (card.joined, card.key)
        )
        card.domain_alone = holders["@" + card.domain] == 1
        card.mail_shared = holders[card.mail] > 2
        card.phone_shared = holders[card.phone] > 2

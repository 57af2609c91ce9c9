"""Make up customers: plain ones, and families of customers that look alike and are not the same."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from bench.matching.stock import pool

COMMON = 5_000


@dataclass(frozen=True)
class Entity:
    """Hold the truth about one customer."""

    kind: str
    name: str
    form: str = ""
    number: str = ""
    second_number: str = ""
    street: str = ""
    house: int = 0
    letter: str = ""
    code: str = ""
    place: str = ""
    phone: str = ""
    mail: str = ""
    contact: str = ""
    given: str = ""
    surname: str = ""
    trade_name: str = ""
    main_name: str = ""
    ask: bool = False


@dataclass
class World:
    """Draw entities from one seeded source; ``lookalikes`` are pairs of places in ``entities``."""

    rng: Random
    entities: list[Entity] = field(default_factory=list)
    lookalikes: list[tuple[int, int, str]] = field(default_factory=list)
    registered: set[str] = field(default_factory=set)
    domains: set[str] = field(default_factory=set)

    def family(self, kind: str, members: list[Entity]) -> None:
        """Add entities that look alike and are different customers."""
        start = len(self.entities)
        self.entities.extend(members)
        for one in range(len(members)):
            for other in range(len(members)):
                if one != other:
                    self.lookalikes.append((start + one, start + other, kind))

    def number(self) -> str:
        """Draw a valid organization number."""
        weights = (3, 2, 7, 6, 5, 4, 3, 2)
        while True:
            head = ("9" if self.rng.random() < 0.9 else "8") + f"{self.rng.randrange(10**7):07d}"
            check = (11 - sum(w * int(d) for w, d in zip(weights, head, strict=True)) % 11) % 11
            if check < 10:
                return head + str(check)

    def phone(self) -> str:
        """Draw a phone number."""
        return self.rng.choice("4994925") + f"{self.rng.randrange(10**7):07d}"

    def company(self, **given: Any) -> Entity:  # noqa: ANN401 - any field
        """Draw a plain company."""
        rng = self.rng
        street, house, letter, code, place = pool().address(rng)
        name, form = self.free_name(place)
        made = Entity(
            kind="Bedrift",
            name=name,
            form=form,
            number=self.number(),
            street=street,
            house=house,
            letter=letter,
            code=code,
            place=place,
            phone=self.phone(),
            contact=" ".join(pool().person(rng)),
        )
        made = replace(made, **given)
        return made if "mail" in given else replace(made, mail=self.company_mail(made))

    def free_name(self, place: str) -> tuple[str, str]:
        """Draw a name until it is free: the register lets no two companies bear one full name."""
        while True:
            name, form = self.company_name(place)
            if not form or f"{name} {form}".lower() not in self.registered:
                self.registered.add(f"{name} {form}".lower())
                return name, form

    def company_name(self, place: str) -> tuple[str, str]:
        """Draw a company's name and legal form."""
        kinds = (
            "real",
            "family",
            "lead",
            "joined",
            "place",
            "person",
            "two",
            "son",
            "trades",
            "gruppen",
        )
        kind = self.rng.choices(kinds, (28, 22, 14, 8, 8, 5, 5, 4, 3, 3))[0]
        if kind == "real":
            return self._real_name()
        rng = self.rng
        trade, other, lead = (
            rng.choice(pool().trades),
            rng.choice(pool().trades),
            rng.choice(pool().leads),
        )
        given, surname = pool().person(rng)
        made = {
            "family": (f"{surname} {trade}", ("AS", "AS", "AS", "", "ENK", "DA")),
            "lead": (f"{lead} {trade}", ("AS",)),
            "joined": (f"{lead}{trade.lower()}", ("AS",)),
            "place": (f"{place.title()} {trade}", ("AS", "AS", "SA")),
            "person": (f"{given} {surname}", ("AS", "ENK", "", "AS")),
            "two": (f"{surname} og {pool().person(rng)[1]} {trade}", ("AS", "DA", "ANS")),
            "son": (f"{surname} & Sønn", ("AS",)),
            "trades": (f"{trade} og {other} {place.title()}", ("AS",)),
            "gruppen": (f"{surname}gruppen", ("AS",)),
        }
        name, forms = made[kind]
        return name, rng.choice(forms)

    def _real_name(self) -> tuple[str, str]:
        """Draw a real establishment's name, most without a form."""
        name = self.rng.choice(pool().companies)[1]
        found = re.match(r"^(.*?)\s+(AS|ANS|DA|SA)$", name, re.IGNORECASE)
        if found:
            return found.group(1), found.group(2).upper()
        return name, self.rng.choice(("AS", "", ""))

    def company_mail(self, made: Entity) -> str:
        """Draw a company's mail: mostly at its own domain, which no other has."""
        rng = self.rng
        if rng.random() < 0.18:
            given, _, surname = (made.contact or "Per Post").partition(" ")
            return self.person_mail(given, surname)
        label = ascii_label(made.trade_name or made.name)[:22] or "firma"
        if label in self.domains:
            label += str(rng.randrange(2, 99))
        self.domains.add(label)
        boxes = ["post", "firmapost", "faktura", "kontakt", ascii_label(made.contact.split(" ")[0])]
        return f"{rng.choice(boxes)}@{label}.example"

    def person_mail(self, given: str, surname: str) -> str:
        """Draw a person's mail at a provider."""
        local = f"{ascii_label(given)}.{ascii_label(surname)}"
        return f"{local}.{self.rng.randrange(10, 9999)}@{self.rng.choice(pool().free_mail)}"

    def person(self, **fixed: Any) -> Entity:  # noqa: ANN401 - any field
        """Draw a plain person."""
        rng = self.rng
        given, surname = pool().person(rng)
        if rng.random() < 0.15:
            surname = f"{pool().person(rng)[1]} {surname}"
        elif rng.random() < 0.12:
            given = f"{given} {pool().person(rng)[0]}"
        elif rng.random() < 0.05:
            surname = f"{pool().person(rng)[1]}-{surname}"
        street, house, letter, code, place = pool().address(rng)
        made = Entity(
            kind="Privat",
            name="",
            street=street,
            house=house,
            letter=letter,
            code=code,
            place=place,
            phone=self.phone(),
            given=given,
            surname=surname,
        )
        made = replace(made, **fixed)
        made = replace(made, name=made.name or f"{made.given} {made.surname}")
        mail = self.person_mail(made.given.split(" ")[0], made.surname)
        return replace(made, mail=fixed.get("mail", mail))

    def elsewhere(self, one: Entity) -> Entity:
        """Move an entity to another address with its own phone and mail."""
        street, house, letter, code, place = pool().address(self.rng)
        moved = replace(
            one,
            street=street,
            house=house,
            letter=letter,
            code=code,
            place=place,
            phone=self.phone(),
        )
        if one.kind == "Privat":
            return replace(moved, mail=self.person_mail(one.given.split(" ")[0], one.surname))
        return replace(moved, mail=self.company_mail(moved))


def ascii_label(text: str) -> str:
    """Write a name as mail addresses do."""
    table = str.maketrans({"æ": "a", "ø": "o", "å": "a", "ö": "o", "ä": "a", "é": "e"})
    return re.sub(r"[^a-z0-9]", "", text.lower().translate(table))


Family = Callable[[World], None]

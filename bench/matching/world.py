"""Make up customers: plain ones, and families of customers that look alike and are not the same."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

from pool import pool

TRADES = [
    "Bygg",
    "Rørleggerservice",
    "Elektriske",
    "Graving",
    "Transport",
    "Regnskap",
    "Maskinservice",
    "Foto",
    "Data",
    "Glass",
    "Gulv",
    "Varme",
    "Eiendom",
    "Consulting",
    "Trafikkskole",
    "Barnehage",
    "Snekkeri",
    "Malerservice",
    "Renhold",
    "Hagesenter",
    "Bilverksted",
    "Frisør",
    "Arkitekter",
    "Revisjon",
    "Blikk",
    "Møbler",
    "Taktekking",
    "Digital",
    "Sjømat",
    "Kran",
    "Interiør",
    "Tømrerservice",
    "Eiendomsforvaltning",
    "Vaktmesterservice",
    "Anleggsgartner",
    "Bakeri",
    "Kafedrift",
    "Restaurantdrift",
    "Advokat",
    "Fysioterapi",
    "Media",
    "Trykk",
    "Dekk",
    "Gartneri",
    "Boligutvikling",
    "Ventilasjon",
    "Kulde",
    "Skilt",
    "Sveis",
    "Sikkerhet",
    "Reklame",
    "Catering",
    "Solskjerming",
    "Låsservice",
]
LEADS = [
    "Nord",
    "Vest",
    "Øst",
    "Sør",
    "Fjell",
    "Solid",
    "Nova",
    "Prima",
    "Total",
    "Norsk",
    "Viking",
    "Fjord",
    "Alfa",
    "Polar",
    "Trygg",
    "Lokal",
    "Optimal",
    "Arktisk",
    "Smart",
    "Proff",
    "Rask",
    "Skandinavisk",
    "Kyst",
    "Dal",
    "Elite",
    "Pluss",
    "Aktiv",
    "Bygde",
    "Ren",
    "Grønn",
    "Kvalitet",
]
DEPARTMENTS = [
    "Barneskole",
    "Sykehjem",
    "Bibliotek",
    "Teknisk drift",
    "Helse og omsorg",
    "Barnehage",
    "Renovasjon",
    "Ungdomsskole",
    "Park og idrett",
    "Kulturskole",
    "Hjemmetjenesten",
    "Brannvesen",
]
FREE_MAIL = (
    "gmail.com",
    "hotmail.com",
    "online.no",
    "outlook.com",
    "live.no",
    "icloud.com",
    "yahoo.no",
)
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

    def company(self, **given: object) -> Entity:
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
        rng = self.rng
        trade = rng.choice(TRADES)
        given, surname = pool().person(rng)
        draw = rng.random()
        if draw < 0.28:
            name = rng.choice(pool().companies)[1]
            found = re.match(r"^(.*?)\s+(AS|ANS|DA|SA)$", name, re.IGNORECASE)
            return (
                (found.group(1), found.group(2).upper())
                if found
                else (name, rng.choice(["AS", "", ""]))
            )
        if draw < 0.50:
            return f"{surname} {trade}", rng.choice(["AS", "AS", "AS", "", "ENK", "DA"])
        if draw < 0.64:
            return f"{rng.choice(LEADS)} {trade}", "AS"
        if draw < 0.72:
            return f"{rng.choice(LEADS)}{trade.lower()}", "AS"
        if draw < 0.80:
            return f"{place.title()} {trade}", rng.choice(["AS", "AS", "SA"])
        if draw < 0.85:
            return f"{given} {surname}", rng.choice(["AS", "ENK", "", "AS"])
        if draw < 0.90:
            return f"{surname} og {pool().person(rng)[1]} {trade}", rng.choice(["AS", "DA", "ANS"])
        if draw < 0.94:
            return f"{surname} & Sønn", "AS"
        if draw < 0.97:
            return f"{trade} og {rng.choice(TRADES)} {place.title()}", "AS"
        return f"{surname}gruppen", "AS"

    def company_mail(self, made: Entity) -> str:
        """Draw a company's mail: its own domain mostly, else its contact's; no two have one domain."""
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
        return f"{local}.{self.rng.randrange(10, 9999)}@{self.rng.choice(FREE_MAIL)}"

    def person(self, **fixed: object) -> Entity:
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

"""Write an entity down as people do: forms dropped, old addresses, slips, noise, fields left out."""

import re
from dataclasses import dataclass, fields
from random import Random

from pool import pool
from world import Entity, ascii_label

PLACEHOLDERS = ("-", ".", "x", "Ukjent", "Ikke oppgitt", "Mangler adresse", "ukjent adresse")
NOISE = (
    " (ny)",
    " (kontant)",
    " (privat)",
    " (hytta)",
    " - faktura pr e-post",
    " - fast kunde",
    " *",
    " (gml)",
    " - kontant",
    " att: {}",
    " v/ {}",
    " v/{}",
    " ATT {}",
    " (ring først)",
    " c/o {}",
)
KEYS = {
    "a": "sq",
    "e": "wr",
    "i": "uo",
    "o": "ip",
    "s": "ad",
    "t": "ry",
    "n": "bm",
    "r": "et",
    "l": "kø",
    "d": "sf",
    "g": "fh",
}
SHORT = (
    ("rørlegger", "rørl."),
    ("eiendomsforvaltning", "eiendomsforv."),
    ("kommune", "komm."),
    ("sameiet", "sam."),
    ("service", "serv."),
    ("restaurant", "rest."),
    ("borettslaget", "brl."),
    ("regnskap", "regnsk."),
    ("maskin", "mask."),
    ("transport", "transp."),
)


@dataclass(frozen=True)
class Rates:
    """Hold how often each thing happens on one side; a draw varies them."""

    no_number: float
    no_address: float
    no_mail: float
    no_phone: float
    no_kind: float
    wrong_kind: float
    no_form: float
    typo: float
    street_typo: float
    moved: float
    box: float
    noise: float
    trade_name: float
    place: float
    swap: float
    middle: float
    joined: float
    upper: float
    lower: float
    short: float
    folded: float
    broken: float
    ampersand: float
    placeholder: float
    bad_code: float
    bad_number: float
    other_number: float
    other_mail: float
    other_phone: float
    no_house: float


TIME = Rates(
    no_number=0.38,
    no_address=0.18,
    no_mail=0.47,
    no_phone=0.36,
    no_kind=0.03,
    wrong_kind=0.02,
    no_form=0.32,
    typo=0.12,
    street_typo=0.05,
    moved=0.12,
    box=0.04,
    noise=0.06,
    trade_name=0.5,
    place=0.05,
    swap=0.15,
    middle=0.5,
    joined=0.02,
    upper=0.04,
    lower=0.02,
    short=0.15,
    folded=0.02,
    broken=0.003,
    ampersand=0.35,
    placeholder=0.005,
    bad_code=0.01,
    bad_number=0.008,
    other_number=0.012,
    other_mail=0.22,
    other_phone=0.2,
    no_house=0.05,
)
BOOKS = Rates(
    no_number=0.08,
    no_address=0.0,
    no_mail=0.30,
    no_phone=0.47,
    no_kind=0.0,
    wrong_kind=0.01,
    no_form=0.06,
    typo=0.03,
    street_typo=0.01,
    moved=0.02,
    box=0.13,
    noise=0.02,
    trade_name=0.03,
    place=0.01,
    swap=0.04,
    middle=0.1,
    joined=0.0,
    upper=0.42,
    lower=0.0,
    short=0.05,
    folded=0.005,
    broken=0.0,
    ampersand=0.2,
    placeholder=0.02,
    bad_code=0.008,
    bad_number=0.006,
    other_number=0.0,
    other_mail=0.0,
    other_phone=0.0,
    no_house=0.0,
)


def varied(rates: Rates, rng: Random, spread: float = 0.5) -> Rates:
    """Vary each rate by up to the spread, up or down."""
    return Rates(
        **{
            f.name: min(0.9, getattr(rates, f.name) * rng.uniform(1 - spread, 1 + spread))
            for f in fields(Rates)
        }
    )


class Typist:
    """Write entities down for one side; collects what was done as tags."""

    def __init__(self, rates: Rates, rng: Random, *, books: bool) -> None:
        self.rates = rates
        self.rng = rng
        self.books = books
        self.tags: set[str] = set()

    def write(self, one: Entity, *, sub_unit: bool = False) -> dict[str, str]:
        """Write one entity as a row without id."""
        self.tags = set()
        row = {
            "type": self._kind(one),
            "name": self._name(one),
            "org_number": self._number(one, sub_unit=sub_unit),
        }
        row |= self._address(one) | self._contact(one)
        return row

    def _hit(self, rate: float, tag: str = "") -> bool:
        hit = self.rng.random() < rate
        if hit and tag:
            self.tags.add(tag)
        return hit

    def _kind(self, one: Entity) -> str:
        if self._hit(self.rates.no_kind):
            return ""
        if self._hit(self.rates.wrong_kind, "type_wrong"):
            return "Privat" if one.kind == "Bedrift" else "Bedrift"
        return one.kind

    def _name(self, one: Entity) -> str:
        name, form = one.name, one.form
        if one.trade_name and self._hit(self.rates.trade_name, "trade"):
            name, form = one.trade_name, ""
        if one.kind == "Privat":
            name = self._person(one)
        else:
            name = self._company(name, form, one)
        if self._hit(self.rates.typo, "typo"):
            name = slip(name, self.rng)
            if self._hit(0.15):
                name = slip(name, self.rng)
        if self._hit(self.rates.folded, "fold"):
            name = re.sub("ø", "o", re.sub("å", "aa", name.replace("æ", "ae")))
        if self._hit(self.rates.broken, "broken"):
            name = (
                name.encode("utf-8").decode("cp1252", errors="ignore")
                if self._hit(0.5)
                else re.sub("[æøåÆØÅ]", "?", name)
            )
        if self._hit(self.rates.noise, "noise"):
            name += self.rng.choice(NOISE).format(one.contact or pool().person(self.rng)[0])
        if self._hit(self.rates.upper):
            return name.upper()
        return name.lower() if self._hit(self.rates.lower, "lower") else name

    def _person(self, one: Entity) -> str:
        given, surname = one.given, one.surname
        if not given or " og " in one.name:
            return one.name
        if " " in given and self._hit(self.rates.middle, "middle"):
            given = given.split(" ")[0] + (f" {given.split(' ')[1][0]}." if self._hit(0.4) else "")
        if " " in surname and self._hit(self.rates.middle, "middle"):
            first, last = surname.split(" ")[0], surname.split(" ")[-1]
            surname = f"{first[0]}. {last}" if self._hit(0.4) else last
        if "-" in surname and self._hit(0.2):
            surname = surname.replace("-", " ")
        if self._hit(self.rates.swap, "swap"):
            return f"{surname}, {given}" if self._hit(0.6) else f"{surname} {given}"
        return f"{given} {surname}"

    def _company(self, name: str, form: str, one: Entity) -> str:
        if self._hit(self.rates.short):
            for long, short in SHORT:
                if long in name.lower() and self._hit(0.5, "abbr"):
                    name = re.sub(long, short, name, flags=re.IGNORECASE)
        if self._hit(self.rates.ampersand, "amp" if " og " in name or "&" in name else ""):
            name = re.sub(r"\s(og|&)\s", self.rng.choice((" & ", " og ", " + ", "&")), name)
        if " " in name and self._hit(self.rates.joined, "join"):
            name = name.replace(" ", self.rng.choice(("", "-")), 1)
        if form and self._hit(self.rates.no_form, "legal_drop"):
            form = ""
        if form:
            name = self._with_form(name, form)
        if self._hit(self.rates.place, "place") and one.place.title() not in name:
            name += self.rng.choice((" - {}", ", {}", " {}", " ({})")).format(one.place.title())
        return name

    def _with_form(self, name: str, form: str) -> str:
        if form == "AS" and not self._hit(0.8):
            form = self.rng.choice(("As", "A/S", "a.s.", "as", "A.S"))
        return f"{form} {name}" if form == "AS" and self._hit(0.02) else f"{name} {form}"

    def _number(self, one: Entity, *, sub_unit: bool) -> str:
        number = one.second_number if sub_unit else one.number
        if not number or self._hit(self.rates.no_number):
            return ""
        if self._hit(self.rates.other_number, "wrong_org"):
            return one.second_number or number
        if self._hit(self.rates.bad_number, "bad_org"):
            number = broken_number(number, self.rng)
        styles = (
            "{0}",
            "{0}",
            "{0}",
            "{0}",
            "{0}",
            "{1}",
            "NO {1} MVA",
            "NO{0}MVA",
            "{0}MVA",
            "{2}",
            "Org.nr {1}",
            "{3}",
        )
        parts = number[:3], number[3:6], number[6:]
        return self.rng.choice(styles).format(
            number, " ".join(parts), ".".join(parts), "\u00a0".join(parts)
        )

    def _address(self, one: Entity) -> dict[str, str]:
        rng = self.rng
        street, house, letter, code, place = one.street, one.house, one.letter, one.code, one.place
        if self._hit(self.rates.moved, "moved"):
            street, house, letter, new_code, new_place = pool().address(rng)
            if self._hit(0.45):
                code, place = new_code, new_place
        line = self._street(street, house, letter)
        if (
            one.kind == "Bedrift"
            and place in pool().box_codes
            and self._hit(self.rates.box, "pobox")
        ):
            line, code = (
                f"{rng.choice(('Postboks', 'Boks', 'Pb.'))} {rng.randint(1, 999)}",
                rng.choice(pool().box_codes[place]),
            )
        place = place if self._hit(0.77) else place.title()
        if self._hit(self.rates.no_address):
            left = rng.random()
            return {
                "address": "",
                "postal_code": code if left < 0.12 else "",
                "city": place if 0.08 < left < 0.2 else "",
            }
        if self._hit(self.rates.placeholder, "placeholder"):
            return {
                "address": rng.choice(PLACEHOLDERS),
                "postal_code": rng.choice(("0000", "0001", code)),
                "city": place,
            }
        if self._hit(self.rates.bad_code, "bad_post"):
            code = rng.choice(("0000", "9999", code + "0", code[1:], ""))
        return {"address": line, "postal_code": code, "city": place}

    def _street(self, street: str, house: int, letter: str) -> str:
        if self._hit(self.rates.street_typo, "addr_typo"):
            street = slip(street, self.rng)
        if self._hit(0.15):
            for long, short in (
                ("veien", "vn."),
                ("vegen", "vn."),
                ("veien", "v."),
                ("gata", "gt."),
                ("gate", "g."),
                ("veien", "vegen"),
                ("gata", "gate"),
            ):
                if street.endswith(long) and self._hit(0.5):
                    street = street.removesuffix(long) + short
                    break
        if not house or self._hit(self.rates.no_house):
            return street
        return (
            f"{street} {house}{letter}"
            if self._hit(0.9)
            else f"{street} {house} {letter.lower()}".strip()
        )

    def _contact(self, one: Entity) -> dict[str, str]:
        mail = "" if self._hit(self.rates.no_mail) else one.mail
        if mail and self._hit(self.rates.other_mail):
            mail = self._other_mail(one)
        phone = "" if self._hit(self.rates.no_phone) else one.phone
        if phone and self._hit(self.rates.other_phone):
            phone = self.rng.choice("49") + f"{self.rng.randrange(10**7):07d}"
        if phone:
            p = phone
            forms = (
                p,
                p,
                p,
                p,
                f"{p[:2]} {p[2:4]} {p[4:6]} {p[6:]}",
                f"{p[:3]} {p[3:5]} {p[5:]}",
                f"+47{p}",
                f"+47 {p[:3]} {p[3:5]} {p[5:]}",
                f"0047{p}",
                f"{p[:4]} {p[4:]}",
            )
            phone = self.rng.choice(forms)
        contact = one.contact if self._hit(0.15) else ""
        return {
            "email": mail.capitalize() if self._hit(0.05) else mail,
            "phone": phone,
            "contact_person": contact,
        }

    def _other_mail(self, one: Entity) -> str:
        if one.kind == "Privat":
            local = one.mail.split("@")[0].rsplit(".", 1)[0]
            return f"{local}.{self.rng.randrange(10, 9999)}@{self.rng.choice(('gmail.com', 'online.no', 'hotmail.com'))}"
        if one.mail.endswith(".example"):
            return f"{self.rng.choice(('faktura', 'post', 'kontakt', ascii_label(one.contact.split(' ')[0])))}@{one.mail.split('@')[1]}"
        return one.mail


def slip(text: str, rng: Random) -> str:
    """Make one typing slip: a swap, a lost or doubled letter, or a neighbouring key."""
    places = [i for i, sign in enumerate(text) if sign.isalpha() and i > 0]
    if not places:
        return text
    at = rng.choice(places)
    draw = rng.random()
    if draw < 0.3 and at + 1 < len(text) and text[at + 1].isalpha():
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if draw < 0.55:
        return text[:at] + text[at + 1 :]
    if draw < 0.8:
        return text[:at] + text[at] + text[at:]
    return text[:at] + rng.choice(KEYS.get(text[at].lower(), "eaio")) + text[at + 1 :]


def broken_number(number: str, rng: Random) -> str:
    """Mistype an organization number so that it is none."""
    at = rng.randrange(8)
    if rng.random() < 0.3:
        return number[:at] + number[at + 1 :]
    return number[:at] + str((int(number[at]) + rng.randrange(1, 9)) % 10) + number[at + 1 :]

"""Write an entity down as people do: forms dropped, old addresses, slips, noise, gaps."""

import re
from random import Random

from bench.matching.rates import KEYS, NOISE, PLACEHOLDERS, SHORT, Rates
from bench.matching.stock import pool
from bench.matching.world import Entity, ascii_label


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
        row = {"type": self._kind(one), "name": self._name(one)}
        trades = one.kind == "Bedrift" or row["type"] == "Bedrift"
        row["org_number"] = self._number(one, sub_unit=sub_unit) if trades else ""
        row |= self._address(one) | self._contact(one)
        return row

    def _hit(self, rate: float, tag: str = "") -> bool:
        hit = self.rng.random() < rate
        if hit and tag:
            self.tags.add(tag)
        return hit

    def _kind(self, one: Entity) -> str:
        if one.kind == "Privat" and one.number and self._hit(0.9 if self.books else 0.2):
            self.tags.add("person_enk")
            return "Bedrift"
        if self._hit(self.rates.no_kind):
            return ""
        if self._hit(self.rates.wrong_kind, "type_wrong"):
            return "Privat" if one.kind == "Bedrift" else "Bedrift"
        return one.kind

    def _name(self, one: Entity) -> str:
        name = self._person(one) if one.kind == "Privat" else self._company(one)
        name = self._slipped(name)
        if self._hit(self.rates.noise, "noise"):
            name += self.rng.choice(NOISE).format(one.contact or pool().person(self.rng)[0])
        if self._hit(self.rates.upper):
            return name.upper()
        return name.lower() if self._hit(self.rates.lower, "lower") else name

    def _slipped(self, name: str) -> str:
        if self._hit(self.rates.typo, "typo"):
            name = slip(name, self.rng)
            if self._hit(0.15):
                name = slip(name, self.rng)
        if self._hit(self.rates.folded, "fold"):
            name = re.sub("ø", "o", re.sub("å", "aa", name.replace("æ", "ae")))
        if self._hit(self.rates.broken, "broken"):
            if self._hit(0.5):
                return name.encode("utf-8").decode("cp1252", errors="ignore")
            return re.sub("[æøåÆØÅ]", "?", name)
        return name

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

    def _company(self, one: Entity) -> str:
        name, form = self._known_as(one)
        name = self._shortened(name)
        if " " in name and self._hit(self.rates.joined, "join"):
            name = name.replace(" ", self.rng.choice(("", "-")), 1)
        if form and not self._hit(self.rates.no_form, "legal_drop"):
            name = self._with_form(name, form)
        if self._hit(self.rates.place, "place") and one.place.title() not in name:
            sign = self.rng.choice((" - {}", ", {}", " {}", " ({})"))
            name += sign.format(one.place.title())
        return name

    def _known_as(self, one: Entity) -> tuple[str, str]:
        if one.trade_name and self._hit(self.rates.trade_name, "trade"):
            return one.trade_name, ""
        if one.main_name and not self.books and self._hit(0.08, "branch_as_main"):
            return one.main_name, one.form
        return one.name, one.form

    def _shortened(self, name: str) -> str:
        if self._hit(self.rates.short):
            for long, short in SHORT:
                if long in name.lower() and self._hit(0.5, "abbr"):
                    name = re.sub(long, short, name, flags=re.IGNORECASE)
        if self._hit(self.rates.ampersand, "amp" if " og " in name or "&" in name else ""):
            name = re.sub(r"\s(og|&)\s", self.rng.choice((" & ", " og ", " + ", "&")), name)
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
        local, domain = one.mail.split("@")
        if one.kind == "Privat":
            provider = self.rng.choice(("gmail.com", "online.no", "hotmail.com"))
            return f"{local.rsplit('.', 1)[0]}.{self.rng.randrange(10, 9999)}@{provider}"
        if domain.endswith(".example"):
            contact = ascii_label(one.contact.split(" ")[0])
            return f"{self.rng.choice(('faktura', 'post', 'kontakt', contact))}@{domain}"
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

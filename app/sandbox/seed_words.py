"""Make up parties: names that plainly do not exist, with numbers that pass modulus 11."""

from dataclasses import dataclass
from random import Random

FIRST = (
    "Blåtroll", "Kvitskjegg", "Sølvmus", "Huldrekil", "Grønnmåne", "Tussvik", "Trollhov",
    "Regnbuefjell", "Nissefjord", "Ulvetann", "Snøkatt", "Bjørnelabb", "Tåkeheim", "Kråkereir",
    "Reveskog", "Ekornsund", "Måkeby", "Lommeskjær", "Tyttebærlia", "Frostnatt", "Havfrue",
    "Steinalv", "Vindkast", "Solstreif", "Elgtråkk", "Oterstrand", "Grevlingmo", "Lynxholt",
    "Skrubbsand", "Kongleberg",
)  # fmt: skip
TRADE = (
    "Bygg", "Elektro", "Rør", "Maling", "Data", "Regnskap", "Transport", "Bakeri", "Hage",
    "Design", "Arkitekt", "Renhold", "Foto", "Taktekking", "Snekkeri", "Bilpleie", "Kurs",
    "Trykk", "Ventilasjon", "Montasje",
)  # fmt: skip
GIVEN = (
    "Astrilda", "Bjørnulf", "Cissela", "Dagfrida", "Eirunn", "Folkmar", "Gunnvald", "Hildrun",
    "Ingvor", "Jostulf", "Kjellrid", "Liseborg",
)  # fmt: skip
FAMILY = (
    "Drageset", "Tyttebærmo", "Ulvskog", "Frostadal", "Kråkenes-Lie", "Sølvbekkerud",
    "Trollstigeli", "Måkehaugen",
)  # fmt: skip
STREETS = (
    "Eksempelveien", "Lekegata", "Prøvebakken", "Ingenstedsveien", "Oppdiktetstien", "Papirgata",
)  # fmt: skip
PLACES = (
    ("0150", "Oslo"), ("5003", "Bergen"), ("7010", "Trondheim"), ("4006", "Stavanger"),
    ("9008", "Tromsø"), ("1606", "Fredrikstad"), ("3015", "Drammen"), ("6002", "Ålesund"),
    ("8006", "Bodø"), ("2317", "Hamar"),
)  # fmt: skip
WEIGHTS = (3, 2, 7, 6, 5, 4, 3, 2)


@dataclass(frozen=True)
class Party:
    """Describe a customer before either system has written it down in its own way."""

    name: str
    private: bool
    number: str | None
    """Organization number, nine digits; none for a person."""
    street: str
    postcode: str
    city: str
    phone: str
    email: str


class Parties:
    """Make up one party after the other; the same seed makes up the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._made = 0
        self._number = 86_000_000 + self._random.randrange(1_000)

    def company(self) -> Party:
        """Make up a company whose name no earlier one has."""
        count = self._made
        first, trade = FIRST[count % len(FIRST)], TRADE[(count // 3) % len(TRADE)]
        # 30 firsts meet 20 trades in 60 ways before they repeat; then a counter keeps names apart.
        again = count // 60
        name = f"{first} {trade}{f' {again + 1}' if again else ''} AS"
        mail = f"post@{_plain(first)}{_plain(trade)}{again or ''}.example"
        return self._party(name, mail, private=False)

    def person(self) -> Party:
        """Make up a private person."""
        count = self._made
        given, family = GIVEN[count % len(GIVEN)], FAMILY[(count // 2) % len(FAMILY)]
        again = count // 24
        middle = f" {GIVEN[again % len(GIVEN)]}" if again else ""
        mail = f"{_plain(given)}.{_plain(family)}{count}@epost.example"
        return self._party(f"{given}{middle} {family}", mail, private=True)

    def number(self) -> str:
        """Make up an organization number that passes modulus 11."""
        while True:
            self._number += 1
            digits = f"{self._number:08}"
            rest = 11 - sum(int(d) * w for d, w in zip(digits, WEIGHTS, strict=True)) % 11
            if rest != 10:  # no control digit exists for these
                return digits + str(rest % 11)

    def _party(self, name: str, email: str, *, private: bool) -> Party:
        self._made += 1
        draw = self._random
        postcode, city = draw.choice(PLACES)
        return Party(
            name=name,
            private=private,
            number=None if private else self.number(),
            street=f"{draw.choice(STREETS)} {draw.randint(1, 98)}",
            postcode=postcode,
            city=city,
            phone=f"{draw.choice('49')}{draw.randint(0, 9_999_999):07}",
            email=email,
        )


def _plain(word: str) -> str:
    return word.lower().translate(str.maketrans("æøå", "eoa", "-"))

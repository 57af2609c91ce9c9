"""Read the names and places that draws are made of."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

_HERE = Path(__file__).parent
_WORDS = _HERE.parent.parent / "app" / "records" / "matching" / "words"


@dataclass(frozen=True)
class Pool:
    """Hold what draws pick from; names as they are spelt."""

    companies: list[list[str]]
    public: list[str]
    given: list[str]
    given_weights: list[int]
    surnames: list[str]
    surname_weights: list[int]
    codes: list[tuple[str, str]]
    codes_in_use: frozenset[str]
    box_codes: dict[str, list[str]]
    streets: list[str]
    trades: list[str]
    leads: list[str]
    departments: list[str]
    free_mail: list[str]

    def person(self, rng: Random) -> tuple[str, str]:
        """Draw a given name and a family name by their numbers of bearers, rare ones too."""
        given = rng.choices(self.given, self.given_weights)[0]
        if rng.random() < 0.35:
            return given, rng.choice(self.surnames)
        return given, rng.choices(self.surnames, self.surname_weights)[0]

    def address(self, rng: Random) -> tuple[str, int, str, str, str]:
        """Draw street, house number, letter, postal code and place."""
        if rng.random() < 0.45:
            row = rng.choice(self.companies)
            words = row[2].rsplit(" ", 1)
            if len(words) == 2 and words[1].isdigit():
                return words[0], int(words[1]), "", row[3], row[4]
        code, place = rng.choice(self.codes)
        house = rng.choice((rng.randint(1, 20), rng.randint(1, 140)))
        return (
            rng.choice(self.streets),
            house,
            rng.choice(["", "", "", "", "A", "B", "C"]),
            code,
            place,
        )


@cache
def pool() -> Pool:
    """Read the shipped lists, the first time only."""
    rows = _rows(_HERE / "pool" / "companies.tsv")
    private = [row for row in rows if row[0] != "public" and row[2] and row[3] and row[4]]
    given = _rows(_WORDS / "given_names.tsv")
    surnames = _rows(_WORDS / "surnames.tsv")
    codes = _rows(_WORDS / "postal_codes.tsv")
    boxes: dict[str, list[str]] = {}
    for code, place, kind in codes:
        if kind in "PB":
            boxes.setdefault(place, []).append(code)
    streets = sorted({row[2].rsplit(" ", 1)[0] for row in private if row[2][-1:].isdigit()})
    return Pool(
        companies=private,
        public=[row[1].title() for row in rows if row[0] == "public"],
        given=[row[0] for row in given],
        given_weights=[int(row[1]) for row in given],
        surnames=[row[0] for row in surnames],
        surname_weights=[int(row[1]) for row in surnames],
        codes=[(code, place) for code, place, kind in codes if kind == "G"],
        codes_in_use=frozenset(code for code, _, _ in codes),
        box_codes=boxes,
        streets=[s for s in streets if len(s) > 4 and not any(c.isdigit() for c in s)],
        **json.loads((_HERE / "pool" / "words.json").read_text(encoding="utf-8")),
    )


def _rows(path: Path) -> list[list[str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]

"""Hold the words the matching knows, read once: names, places, legal forms, noise."""

import json
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

_LETTERS = str.maketrans(
    {
        "æ": "a",
        "ä": "a",
        "ø": "o",
        "ö": "o",
        "å": "a",
        "ü": "u",
        "é": "e",
        "è": "e",
        "ð": "d",
        "þ": "t",
        "ß": "s",
    }
)


@lru_cache(maxsize=1 << 16)
def fold(text: str) -> str:
    """Fold case, accents and Norwegian letters as typed: æ/ae, ø/oe/ö, å/aa become a, o, a."""
    folded = text.lower().translate(_LETTERS)
    if not folded.isascii():
        folded = unicodedata.normalize("NFKD", folded).encode("ascii", "ignore").decode()
    return folded.replace("ae", "a").replace("oe", "o").replace("aa", "a")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """
    Hold the word lists; every key is folded unless said otherwise.

    Args:
        given: Bearers of a given name.
        given_cut: Given names by themselves and by what is left when any one letter is taken away.
        surnames: Bearers of a family name.
        code_place: Place of each postal code in use.
        box_codes: Postal codes that only hold PO boxes.
        trades: Ends of words that no person is called.
        keepers: Stems in the names of those who keep others' books, houses or offices.
        renewals: First words that tell a successor from the company before it.
        forms: Spelling (lower case, not folded) to legal form.

    """

    given: dict[str, int]
    given_cut: dict[str, tuple[str, ...]]
    surnames: dict[str, int]
    code_place: dict[str, str]
    box_codes: frozenset[str]
    places: frozenset[str]
    forms: dict[str, str]
    forms_anywhere: frozenset[str]
    forms_first: frozenset[str]
    forms_slipped: frozenset[str]
    noise: frozenset[str]
    departments: frozenset[str]
    ands: frozenset[str]
    trades: tuple[str, ...]
    keepers: tuple[str, ...]
    renewals: frozenset[str]
    abbreviations: dict[str, str]
    placeholders: frozenset[str]
    free_mail: frozenset[str]
    mailboxes: frozenset[str]


@cache
def lexicon() -> Lexicon:
    """Read the word lists, the first time only."""
    terms = json.loads(_text("terms.json"))
    codes = [line.split("\t") for line in _lines("postal_codes.tsv")]
    code_place = {code: fold(place) for code, place, _ in codes}
    given = _counts("given_names.tsv")
    return Lexicon(
        given=given,
        given_cut=_by_cut(given),
        surnames=_counts("surnames.tsv"),
        code_place=code_place,
        box_codes=frozenset(code for code, _, category in codes if category == "P"),
        places=frozenset(code_place.values()),
        forms=terms["forms"],
        forms_anywhere=frozenset(terms["forms_anywhere"]),
        forms_first=frozenset(terms["forms_first"]),
        forms_slipped=frozenset(terms["forms_slipped"]),
        noise=frozenset(terms["noise"]),
        departments=frozenset(terms["departments"]),
        ands=frozenset(terms["and"]),
        trades=tuple(terms["trades"]),
        keepers=tuple(terms["keepers"]),
        renewals=frozenset(terms["renewals"]),
        abbreviations=terms["abbreviations"],
        placeholders=frozenset(terms["placeholders"]),
        free_mail=frozenset(terms["free_mail"]),
        mailboxes=frozenset(terms["mailboxes"]),
    )


def one_shorter(word: str) -> set[str]:
    """List a word and what is left of it without one letter; words a slip apart share one."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


def _by_cut(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Index names so that those one slip away from a word are found without comparing all."""
    found: dict[str, list[str]] = {}
    for name in names:
        for cut in one_shorter(name):
            found.setdefault(cut, []).append(name)
    return {cut: tuple(held) for cut, held in found.items()}


def _counts(name: str) -> dict[str, int]:
    """Read bearers by folded name; names that fold alike are summed."""
    counts: dict[str, int] = {}
    for line in _lines(name):
        word, bearers = line.split("\t")
        key = fold(word)
        counts[key] = counts.get(key, 0) + int(bearers)
    return counts


def _lines(name: str) -> list[str]:
    """Read a table's rows without its source line."""
    return [line for line in _text(name).splitlines() if not line.startswith("#")]


def _text(name: str) -> str:
    """Read a file of ours that is shipped with the package."""
    return (files("app.records.matching") / "words" / name).read_text(encoding="utf-8")

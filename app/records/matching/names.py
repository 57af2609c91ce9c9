"""Read names as people type them: words, legal form, noise, numbers, places, persons."""

import re
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import OSA

from app.canonical import CustomerKind
from app.records.matching.lexicon import Lexicon, fold, lexicon, one_shorter

_CONTACT = re.compile(
    r"(?:\bv/|\batt[:.]|\batt\b(?=\s)|\battn[:.]?|\bc/o\b).*?(?= - |\(|$)", re.IGNORECASE
)
_BRACKETS = re.compile(r"[(\[]([^)\]]*)[)\]]?")
_FORM_SIGNS = re.compile(r"(?<!\w)([ak])[./]?\s?([sl])(?:\.(?!\w)|(?!\w))", re.IGNORECASE)
_SHORTENED = re.compile(r"([^\W\d_]{2,})\.")
_WORD = re.compile(r"[^\W_]+")
_JOINERS = re.compile(r"[&+]")
_DASH = re.compile(r"\s[-–—*|]+\s*|\s[*]+$|\*+")
_NOISY = re.compile(r"[-–—*|]")
_NUMBER = re.compile(r"\d+(?:[a-z](?![a-z]))?")
_ROMAN = frozenset({"ii", "iii", "iv", "vi", "vii", "viii", "ix"})
_ROMAN_LAST = frozenset({"i", "v", "x"})
_AS_FOLDED: frozenset[str] = frozenset()
_PEOPLE = 5_400_000
_COMMON_FAMILY = 3_000
_FAR_OFTENER = 10


class Name(NamedTuple):
    """
    Hold a name, read; all words folded.

    Args:
        words: Words in order, without form, noise, contact and the place at the end.
        joined: The words without «og», run together: Nord Bygg = Nord-Bygg = Nordbygg.
        full: The joined words with the place at the end.
        spoken: The same with «og», as a mail domain may have it.
        stem: The joined words of a company without a last one that is a form with a slip: «AAS».
        key: The words without «og», sorted: Hansen, Ola = Ola Hansen.
        marked: Words as typed whose folding changed them, to see where folding joined two names.
        form: Legal form, or ''.
        counts: Digits, Roman numerals and «Nye» in the name; they are identity.
        mention: The place at the end of the name, or ''.
        department: «avd.» and its kin stand in the name.
        couple: Two persons: «Arne og Vilde Salih».
        personlike: It would be personal but for a legal form.
        personal: It reads as the name of one or two persons.
        given: First given name of a person, or ''.
        guess: The given name, or the known one that a slip away explains the word in its place.
        bearers: Expected bearers of a personal name in Norway; 0 when that cannot be told.

    """

    words: tuple[str, ...]
    joined: str
    full: str
    spoken: str
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


def read_name(raw: str, kind: CustomerKind | None) -> Name:
    """Read a name; the kind only helps to tell persons from companies."""
    lexis = lexicon()
    typed = _typed_words(_clean(raw, lexis), lexis)
    typed, form = _without_forms(typed, lexis)
    words = [fold(word) or word for word in typed]  # of other letters than ours nothing is left
    ands = not lexis.ands.isdisjoint(words)
    department = not lexis.departments.isdisjoint(words)
    bare = words
    if ands or department:
        bare = [word for word in words if word not in lexis.ands | lexis.departments]
    counts = _counts(bare, kind, lexis)
    personlike = not counts and not department and _is_personal(bare, kind, lexis)
    personal = personlike and not form
    full = "".join(bare)
    # «AAS» behind a name without form is a slip in AS, not the place Ås.
    slipped = not form and typed[-1:] == ["aas"]
    mention = "" if personlike or slipped else _mention(words, bare, lexis)
    if mention:
        bare = bare[: len(bare) - mention.count(" ") - 1]
        bare, form = _last_form(bare, form, lexis)
    given = _given(bare, lexis) if personal else ""
    return Name(
        words=tuple(bare),
        joined="".join(bare),
        full=full,
        spoken="".join(words) if ands else full,
        stem="".join(bare if personlike else _without_slipped_form(bare, form, lexis)),
        key=" ".join(sorted(bare)),
        marked=_AS_FOLDED if typed == words else frozenset(typed).difference(words),
        form=form,
        counts=counts,
        mention=mention,
        department=department,
        couple=personal and ands,
        personlike=personlike,
        personal=personal,
        given=given,
        guess=given or (_guess(_given_as_typed(bare, lexis)) if personal else ""),
        bearers=_bearers(bare, given, lexis) if personal else 0.0,
    )


def _clean(raw: str, lexis: Lexicon) -> str:
    """Take away contacts, brackets, broken letters and noise behind a dash."""
    text = (raw if raw.isascii() else _mended(raw)).replace("'", "").lower()
    if "/" in text or "att" in text:
        text = _CONTACT.sub(" ", text)
    if "(" in text or "[" in text:
        text = _BRACKETS.sub(lambda found: _kept_bracket(found.group(1), lexis), text)
    if "/" in text or "." in text or " a s" in text:
        text = _FORM_SIGNS.sub(r"\1\2 ", text)
    if _NOISY.search(text):
        parts = [part.strip(" ,;") for part in _DASH.split(text)]
        kept = [part for part in parts if part and fold(part) not in lexis.noise]
        text = " ".join(kept or parts)
    return _JOINERS.sub(" og ", text) if "&" in text or "+" in text else text


def _mended(raw: str) -> str:
    """Mend text that was read in the wrong encoding («Ã¸»), and its spaces and apostrophes."""
    if "Ã" in raw:
        with suppress(UnicodeError):
            raw = raw.encode("cp1252").decode("utf-8")
    return raw.replace("\u00a0", " ").replace("’", "")


def _kept_bracket(inner: str, lexis: Lexicon) -> str:
    """Keep a bracket that tells records apart (a place, a number, a department); drop the rest."""
    folded = fold(inner.strip())
    tells = folded in lexis.places or any(sign.isdigit() for sign in folded)
    tells = tells or folded in _ROMAN or folded.split(" ")[0].strip(".") in lexis.departments
    return f" {inner} " if tells else " "


def _typed_words(text: str, lexis: Lexicon) -> list[str]:
    """Split into words, writing out what was shortened («rørl.service», «komm.»)."""
    if "." in text:
        text = _SHORTENED.sub(lambda found: _written_out(found.group(1), lexis) + " ", text)
    return [
        lexis.abbreviations.get(word, word) if len(word) < 5 else word
        for word in _WORD.findall(text)
    ]


def _written_out(shortened: str, lexis: Lexicon) -> str:
    """Write a shortened word out, or its shortened end: «regnsk.», «Dalregnsk.»."""
    folded = fold(shortened)
    for start in range(max(1, len(folded) - 3)):
        if long := lexis.abbreviations.get(folded[start:]):
            return folded[:start] + long
    return shortened


def _without_forms(words: list[str], lexis: Lexicon) -> tuple[list[str], str]:
    """Take the legal form away: some anywhere, some only first or last; never the whole name."""
    if lexis.forms.keys().isdisjoint(words):
        return words, ""
    last = len(words) - 1
    form, rest = "", []
    for place, word in enumerate(words):
        known = lexis.forms.get(word)
        first = place == 0 and word in lexis.forms_first
        if known and (place == last or first or known in lexis.forms_anywhere):
            form = form or known
        else:
            rest.append(word)
    return (rest, form) if rest else (words, "")


def _without_slipped_form(bare: list[str], form: str, lexis: Lexicon) -> list[str]:
    """Take away a last word that hardly is a word but a legal form with a slip."""
    slipped = not form and len(bare) > 1 and bare[-1] in lexis.forms_slipped
    return bare[:-1] if slipped else bare


def _last_form(bare: list[str], form: str, lexis: Lexicon) -> tuple[list[str], str]:
    """Take a form that stood before the place: «Olsen SA Stavanger»."""
    known = lexis.forms.get(bare[-1], "") if len(bare) > 1 else ""
    return (bare[:-1], form or known) if known else (bare, form)


def _counts(words: list[str], kind: CustomerKind | None, lexis: Lexicon) -> tuple[str, ...]:
    """List numbers, Roman numerals (V is an initial behind a person) and a «Nye» in front."""
    found = [word for word in words if word in _ROMAN]
    found += [count for word in words if not word.isalpha() for count in _NUMBER.findall(word)]
    if len(words) > 1:
        person = kind is not CustomerKind.COMPANY and _is_personal(words[:-1], kind, lexis)
        if words[-1] in _ROMAN_LAST and not person:
            found.append(words[-1])
        if words[0] in lexis.renewals:
            found.append(words[0])
    return tuple(sorted(found)) if found else ()


def _mention(words: list[str], bare: list[str], lexis: Lexicon) -> str:
    """Find the place at the end of a company's name; never the whole name, never after «og»."""
    for length in (3, 2, 1):
        if len(bare) > length and " ".join(bare[-length:]) in lexis.places:
            before = words[len(words) - length - 1]
            return "" if before in lexis.ands else " ".join(bare[-length:])
    return ""


def _is_personal(words: list[str], kind: CustomerKind | None, lexis: Lexicon) -> bool:
    """Say whether the words read as a person's name."""
    if len(words) == 1:
        return kind is CustomerKind.PRIVATE and words[0] in lexis.given
    if not 2 <= len(words) <= 5:
        return False
    given, surnames = lexis.given, lexis.surnames
    known = words[0] in given or words[-1] in given
    if kind is CustomerKind.PRIVATE:
        known = known or words[0] in surnames or words[-1] in surnames
    elif known:
        known = all(len(word) == 1 or word in given or word in surnames for word in words)
    return known and not any(map(_is_trade, words))


@lru_cache(maxsize=1 << 12)
def _is_trade(word: str) -> bool:
    """Say whether a word ends like a trade and is nobody's name, as Nygård and Vegard are."""
    lexis = lexicon()
    return word.endswith(lexis.trades) and word not in lexis.surnames and word not in lexis.given


def _given(words: list[str], lexis: Lexicon) -> str:
    """
    Find the first given name: the first word, unless the family name was typed first.

    A first word that is neither is taken for a given name with a slip in it: not known.
    """
    first, last = words[0], words[-1]
    if first in lexis.given:
        swapped = first in lexis.surnames and last in lexis.given and last not in lexis.surnames
        return last if swapped and lexis.surnames[first] > lexis.given[first] else first
    if first not in lexis.surnames:
        return last if last in lexis.given and last not in lexis.surnames else ""
    return next((word for word in words[1:] if word in lexis.given), "")


def _given_as_typed(words: list[str], lexis: Lexicon) -> str:
    """Find the word that stands where the given name would: behind a family name typed first."""
    return words[1] if words[0] in lexis.surnames else words[0]


@lru_cache(maxsize=1 << 12)
def _guess(word: str) -> str:
    """
    Find the given name within one slip of a word, when it is borne far oftener than any other.

    «Anbe» is Anne rather than Ane; «Sein» may be Svein or Stein: ''.
    """
    if len(word) < 2:
        return ""
    lexis = lexicon()
    near = {name for cut in one_shorter(word) for name in lexis.given_cut.get(cut, ())}
    close = (name for name in near if OSA.distance(word, name, score_cutoff=1) <= 1)
    borne = sorted(((lexis.given[name], name) for name in close), reverse=True)
    others = sum(bearers for bearers, _ in borne[1:])
    return borne[0][1] if borne and borne[0][0] >= _FAR_OFTENER * others else ""


def _bearers(words: list[str], given: str, lexis: Lexicon) -> float:
    """
    Expect how many in Norway bear the whole name, were its words independent.

    Family names outside the list have fewer than 200 bearers (Statistics Norway, table 12891).
    A second given name does not make a name rarer by its own share: Kim-Andre is one choice. A
    name with one family name that is common is never called rare: 0.
    """
    rest = [
        word
        for word in words
        if word != given and len(word) > 1 and (word in lexis.surnames or word not in lexis.given)
    ]
    if not given or not rest:
        return 0.0
    families = [lexis.surnames.get(word, 199) for word in rest]
    if min(families) > _COMMON_FAMILY and len(rest) == 1:
        return 0.0
    expected = float(lexis.given[given])
    for word, family in zip(rest, families, strict=True):
        expected *= max(family, lexis.given.get(word, 0)) / _PEOPLE
    return expected

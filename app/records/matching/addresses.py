"""Read postal addresses: street and number, PO box, postal code and place, as people type them."""

import re
from functools import lru_cache
from typing import NamedTuple

from app.canonical import Address
from app.records.matching.lexicon import fold, lexicon

_BOX = re.compile(r"\b(?:postboks|postb|pboks|boks|p\.?\s?b\.?|po\.? ?box)\.?\s*(\d+)")
_CARE_OF = re.compile(r"^\s*(?:c/o|v/|att:?)[^,]*,?\s*", re.IGNORECASE)
_STREET = re.compile(r"^(\D*[^\d\s,])[\s,]*(\d+)\s*[-/]?\s*([a-zæøå]\b)?")
_ROAD = re.compile(r"(?:veien|vegen|vei|veg|vn\.?|v\.|\bv)$")
_GATE = re.compile(r"(?:gaten|gata|gate|gt\.?|g\.|\bg)$")
_NOT_DIGIT = re.compile(r"\D")
_PLAIN = re.compile(r"[^a-z0-9]")
_ROADS = ("veien", "vegen", "vei", "veg", "vn", "vn.", "v.", "v")
_GATES = ("gaten", "gata", "gate", "gt", "gt.", "g.", "g")
_NO_CODES = frozenset({"0000", "9999", "1111", "1234"})


class Spot(NamedTuple):
    """
    Hold where a record stands, read; '' everywhere means not known.

    Args:
        street: The street's name without signs, road words the same (vei=veg=v., gate=gata=gt).
        house: House number; 0 when missing.
        letter: The letter of the house number.
        code: A postal code in use, padded to four digits.
        place: The typed place, else the place of the code.

    """

    street: str = ""
    house: int = 0
    letter: str = ""
    box: str = ""
    code: str = ""
    place: str = ""


_NOWHERE = Spot()


def is_placeholder(text: str | None) -> bool:
    """Say whether a text was typed because the field demanded one: «-», «x», «Ukjent»."""
    return text is None or fold(text.strip()).strip(" .") in lexicon().placeholders


@lru_cache(maxsize=1 << 13)
def postal_code(text: str | None) -> str:
    """Repair a postal code («162» is 0162, «N-0162» too); '' when it is no code in use."""
    digits = _NOT_DIGIT.sub("", text or "")
    padded = digits.zfill(4) if len(digits) == 3 else digits
    return padded if padded in lexicon().code_place and padded not in _NO_CODES else ""


def read_address(address: Address) -> Spot:
    """Read an address; a code beside a placeholder line is taken for a placeholder too."""
    if address.line1 is None and address.postal_code is None and address.city is None:
        return _NOWHERE
    lines = [line for line in (address.line1, address.line2) if line and not is_placeholder(line)]
    street, house, letter, box = _read_lines(lines)
    code = postal_code(address.postal_code)
    if not lines and address.line1 and code == "0001":
        code = ""
    place = _place(address.city) or lexicon().code_place.get(code, "")
    return Spot(street, house, letter, box, code, place)


@lru_cache(maxsize=1 << 12)
def _place(typed: str | None) -> str:
    """Fold a place's name; '' for a placeholder."""
    return "" if typed is None or is_placeholder(typed) else fold(typed.strip())


def _read_lines(lines: list[str]) -> tuple[str, int, str, str]:
    """Find street, house number, letter and box in the address lines; the first street wins."""
    street, house, letter, box = "", 0, "", ""
    for line in lines:
        rest = _CARE_OF.sub("", line) if "/" in line or ":" in line else line
        rest = rest.strip().lower()
        if "b" in rest and (found := _BOX.search(rest)):
            box = box or found.group(1)
        elif rest and not street:
            street, house, letter = _read_street(rest)
    return street, house, letter, box


def _read_street(text: str) -> tuple[str, int, str]:
    """Split «Storgata 12 B, 2. etg» into name, number and letter."""
    found = _STREET.match(text)
    name, house, letter = (
        (found.group(1), int(found.group(2)[:6]), found.group(3) or "") if found else (text, 0, "")
    )
    return street_key(name), house, letter


@lru_cache(maxsize=1 << 14)
def street_key(name: str) -> str:
    """Fold a street's name so that all spellings of its road word are one, written out in full."""
    folded = fold(name.strip(" ,"))
    if folded.endswith(_ROADS):
        folded = _ROAD.sub("veien", folded)
    if folded.endswith(_GATES):
        folded = _GATE.sub("gata", folded)
    return folded if folded.isalnum() else _PLAIN.sub("", folded)

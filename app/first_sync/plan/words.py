"""Fold what a person may type to find a line; pure, alike for what is stored and sought."""

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Final

from app.canonical import Customer, Record

_NUMBER_LENGTHS: Final = (8, 9)
"""Digits of a Norwegian telephone number and of an organization number."""
_LONGEST_GROUP: Final = 3
"""Digits between its blanks; a postal code has four."""


def words_of(*records: Record) -> str:
    """Give the folded text that a line is found by: what its records say."""
    return fold(" ".join(part for record in records for part in _parts(record)))


def sought(text: str) -> list[str]:
    """
    Give patterns for SQL's LIKE, one for each word; a line must hold them all, in any order.

    A telephone or organization number typed with blanks inside («860 001 381») is a word by itself;
    other digits are words as they stand («12 0150», a house and a postal code).
    """
    words = fold(text).split()
    if _is_one_number(words):
        words = ["".join(words)]
    return [f"%{_literal(word)}%" for word in words]


def fold(text: str) -> str:
    """Fold case, width and accents; Norwegian letters stay apart from a, o and e."""
    if text.isascii():
        return text.casefold()
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(_bare(sign) for sign in plain)


def _is_one_number(words: Sequence[str]) -> bool:
    joined = "".join(words)
    grouped = all(len(word) <= _LONGEST_GROUP for word in words)
    return grouped and joined.isdecimal() and len(joined) in _NUMBER_LENGTHS


@cache
def _bare(sign: str) -> str:
    return sign if sign in "åøæ" else unicodedata.normalize("NFD", sign)[0]


def _literal(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _parts(record: Record) -> list[str]:
    told = [record.name, str(record.id), record.number]
    if isinstance(record, Customer):
        address = record.address
        number = "".join((record.organization_number or "").split())
        phone = "".join((record.phone or "").split())
        told += [number, record.email, phone]
        told += [address.line1, address.line2, address.postal_code, address.city]
    return [part for part in told if part]

"""Fold what a person may type to find a line; pure, alike for what is stored and sought."""

import unicodedata
from functools import cache

from app.canonical import Customer, Record


def words_of(*records: Record) -> str:
    """Give the folded text that a line is found by: what its records say."""
    return fold(" ".join(part for record in records for part in _parts(record)))


def sought(text: str) -> list[str]:
    """
    Give patterns for SQL's LIKE, one for each word; a line must hold them all, in any order.

    A number typed with blanks inside («860 001 381») is a word by itself.
    """
    folded = fold(text)
    joined = "".join(folded.split())
    words = [joined] if joined.isdecimal() else folded.split()
    return [f"%{_literal(word)}%" for word in words]


def fold(text: str) -> str:
    """Fold case, width and accents; Norwegian letters stay apart from a, o and e."""
    if text.isascii():
        return text.casefold()
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(_bare(sign) for sign in plain)


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

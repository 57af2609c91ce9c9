"""Make the mark that identifies a draft and is the number of its time specification; pure."""

import re
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U, so that a mark can be read aloud."""

_LENGTH: Final = 8
_MARK: Final = re.compile(r"TR-[0-9A-HJKMNP-TV-Z]{8}")


def make_mark(bits: int) -> str:
    """Write 40 random bits as a mark, for instance ``TR-7K3QF9M2``."""
    letters = [ALPHABET[(bits >> (5 * place)) & 31] for place in range(_LENGTH)]
    return "TR-" + "".join(reversed(letters))


def with_mark(text: str, mark: str) -> str:
    """Add the mark to a line's text, as people read it on the invoice."""
    return f"{text} (spes. {mark})"


def marks_in(text: str) -> frozenset[str]:
    """Find the marks in a line's text."""
    return frozenset(_MARK.findall(text))


def without_mark(text: str) -> str:
    """Give a line's text without the mark, also where a person left only half of it."""
    return _MARK.sub("", text).replace("(spes. )", "").strip()

"""Say whether two values of a field are one value, typed in two ways; pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

_NORWAY: Final = "47"
_NATIONAL: Final = 8
"""Digits of a Norwegian number without its country code."""
_NOT_A_DIGIT: Final = re.compile(r"\D")


def spelled_alike(field: str, one: Any, other: Any) -> bool:  # noqa: ANN401 - any JSON value
    """
    Say whether two values of a synced field differ in their spelling only.

    Capitals and spaces of names, mail and addresses, and the spaces and country code of a phone
    number say nothing about a customer: «BERGEN SJØMAT AS» is «Bergen Sjømat AS», +47 22 11 33 44
    is 22113344. A letter, a sign or a legal form more is another value; so is a blank.
    """
    shape, read = _READERS.get(field, (object, _unread))
    if not isinstance(one, shape) or not isinstance(other, shape):
        return False
    mine, theirs = read(one), read(other)
    return bool(mine) and mine == theirs


def phone_number(text: str | None) -> str:
    """Give a phone number's digits with the country code, Norway's where none is typed; or ''."""
    digits = _NOT_A_DIGIT.sub("", text or "")
    if (text or "").strip().startswith("+"):
        return digits
    if digits.startswith("00"):
        return digits[2:]
    return _NORWAY + digits if len(digits) == _NATIONAL else digits


def _words(text: str | None) -> str:
    return " ".join((text or "").split()).casefold()


def _mail(text: str | None) -> str:
    return "".join((text or "").split()).casefold()


def _number(text: str) -> str:
    """Give a phone number with the words beside it: «22113344 Kari» is not «22113344 Ola»."""
    return phone_number(text) + "".join(sign for sign in text.casefold() if sign.isalpha())


def _address(value: Mapping[str, str | None]) -> dict[str, str]:
    return {part: words for part, text in value.items() if (words := _words(text))}


def _unread(_: Any) -> None:  # noqa: ANN401 - any JSON value
    """Read nothing: a kind, a number, a day or a yes is spelled in one way."""


_READERS: Final[Mapping[str, tuple[type, Callable[[Any], Any]]]] = {
    "name": (str, _words),
    "email": (str, _mail),
    "phone": (str, _number),
    "address": (Mapping, _address),
}

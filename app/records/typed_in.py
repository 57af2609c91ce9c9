"""Take a synced field's value as a person typed it, in the form that both sides share; pure."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from app.canonical import CustomerKind, RecordKind
from app.records.fields import postal_code_kept

_LONGEST: Final = 1000
_UNFIT: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_ADDRESS: Final = ("line1", "line2", "postal_code", "city", "country")


def typed_value(kind: RecordKind, name: str, value: object) -> Any:  # noqa: ANN401 - a JSON value
    """
    Give a value of a field as ``fields`` writes it; blank texts count as cleared.

    What a system allows beyond that (lengths, required fields) it says itself when it is written.

    Raises:
        ValueError: The field has no such values. A project's customer is one of the two that its
            sides name, so nothing can be typed for it.

    """
    read = _READERS[kind].get(name)
    if read is None:
        raise ValueError("nothing can be typed for this field")
    return read(value)


def _text(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > _LONGEST or _UNFIT.search(value):
        raise ValueError("not a text of one line")
    return value.strip() or None


def _name(value: object) -> str:
    text = _text(value)
    if text is None:
        raise ValueError("a name is needed")
    return text


def _kind(value: object) -> str | None:
    text = _text(value)
    return None if text is None else CustomerKind(text).value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")  # noqa: TRY004 - one kind of refusal
    return value


def _day(value: object) -> str | None:
    text = _text(value)
    return None if text is None else date.fromisoformat(text).isoformat()


def _address(value: object) -> dict[str, str | None]:
    if not isinstance(value, Mapping) or not set(value) <= set(_ADDRESS):
        raise ValueError("an address has line1, line2, postal_code, city and country")
    found = {name: _text(value.get(name)) for name in _ADDRESS}
    country = (found["country"] or "NO").upper()
    if len(country) != len("NO") or not country.isascii() or not country.isalpha():
        raise ValueError("a country is two letters")
    code = postal_code_kept(found["postal_code"], country)
    return found | {"country": country, "postal_code": code}


_READERS: Final[Mapping[RecordKind, Mapping[str, Callable[[object], Any]]]] = {
    RecordKind.CUSTOMER: {
        "name": _name, "kind": _kind, "organization_number": _text, "email": _text,
        "phone": _text, "address": _address, "active": _flag,
    },
    RecordKind.PROJECT: {"name": _name, "active": _flag, "start": _day, "end": _day},
}  # fmt: skip

"""What counts as one value typed in two ways."""

from typing import Any

import pytest

from app.records.spelling import phone_number, spelled_alike

OSLO = {
    "line1": "Storgata 2",
    "line2": None,
    "postal_code": "0155",
    "city": "OSLO",
    "country": "NO",
}


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("name", "BERGEN SJØMAT AS", "Bergen  Sjømat AS "),
        ("email", "Post@Bergen.example", "post@bergen.example"),
        ("phone", "+47 22 11 33 44", "22113344"),
        ("phone", "0047 22113344", "22 11 33 44"),
        ("phone", "+46 70 123 45 67", "0046701234567"),
        ("address", OSLO, OSLO | {"line1": "STORGATA 2", "line2": "", "city": "Oslo"}),
    ],
)
def test_spelling_is_no_difference(field: str, one: Any, other: Any) -> None:
    """Capitals, spaces and a country code say nothing, from either side."""
    assert spelled_alike(field, one, other)
    assert spelled_alike(field, other, one)


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("name", "Bergen Sjømat AS", "Bergen Sjømat"),
        ("name", "Per-Olav Dahl", "Per Olav Dahl"),
        ("name", None, ""),
        ("email", "post@bergen.example", "post@bergen2.example"),
        ("phone", "22113344", "22113345"),
        ("phone", "+46 22 11 33 44", "22113344"),
        ("phone", "ring Kari", "ring Ola"),
        ("phone", "22113344 (Kari)", "22113344 (Ola)"),
        ("phone", "22113344 lok. 5", "221133445"),
        ("phone", "22113344", None),
        ("address", OSLO, OSLO | {"postal_code": "0156"}),
        ("address", OSLO, OSLO | {"line2": "c/o Dahl"}),
        ("organization_number", "988077917", "988 077 917"),
        ("kind", "company", "COMPANY"),
        ("active", True, False),
    ],
)
def test_anything_else_is_another_value(field: str, one: Any, other: Any) -> None:
    """A letter, a sign, a part more, a blank: somebody is asked."""
    assert not spelled_alike(field, one, other)
    assert not spelled_alike(field, other, one)


def test_a_short_number_has_no_country() -> None:
    """An emergency line or a number cut short is compared as it stands."""
    assert phone_number("116 117") == "116117"
    assert phone_number(None) == ""

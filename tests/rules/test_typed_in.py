"""What a person types for a field is taken in the form that both sides share, or refused."""

from typing import Any

import pytest

from app.canonical import SYNCED_FIELDS, RecordKind
from app.records.typed_in import typed_value

CUSTOMER, PROJECT = RecordKind.CUSTOMER, RecordKind.PROJECT


@pytest.mark.parametrize(
    ("kind", "name", "typed", "taken"),
    [
        (CUSTOMER, "name", " Bakken AS ", "Bakken AS"),
        (CUSTOMER, "phone", None, None),
        (CUSTOMER, "email", "  ", None),
        (CUSTOMER, "kind", "private", "private"),
        (CUSTOMER, "kind", None, None),
        (CUSTOMER, "active", False, False),
        (CUSTOMER, "organization_number", "923609016", "923609016"),
        (PROJECT, "start", "2026-11-24", "2026-11-24"),
        (PROJECT, "end", None, None),
    ],
)
def test_a_value_is_taken_as_it_is_kept(
    kind: RecordKind, name: str, typed: object, taken: Any
) -> None:
    """Blank is cleared, spaces around are not kept."""
    assert typed_value(kind, name, typed) == taken


def test_an_address_is_whole() -> None:
    """What is not typed is cleared; the country is Norway without one."""
    typed = {"line1": " Storgata 1 ", "postal_code": "0155", "city": "Oslo"}

    assert typed_value(CUSTOMER, "address", typed) == {
        "line1": "Storgata 1", "line2": None, "postal_code": "0155", "city": "Oslo",
        "country": "NO",
    }  # fmt: skip


def test_a_norwegian_postal_code_is_kept_without_spaces() -> None:
    """As it is read from both systems; what is no such code, and a foreign one, stays as typed."""
    typed = [("01 50", None), ("01 50", "NO"), ("1 23", None), ("111 52", "SE"), ("12 34", "DK")]
    kept = [
        typed_value(CUSTOMER, "address", {"postal_code": code, "country": country})["postal_code"]
        for code, country in typed
    ]

    assert kept == ["0150", "0150", "1 23", "111 52", "12 34"]


@pytest.mark.parametrize(
    ("kind", "name", "typed"),
    [
        (CUSTOMER, "name", None), (CUSTOMER, "name", " "), (CUSTOMER, "phone", 17),
        (CUSTOMER, "phone", "a\nb"), (CUSTOMER, "phone", "x" * 1001),
        (CUSTOMER, "kind", "x"),
        (CUSTOMER, "kind", []), (CUSTOMER, "active", "true"), (CUSTOMER, "address", "Storgata 1"),
        (CUSTOMER, "address", {"street": "x"}), (CUSTOMER, "address", {"country": "NOR"}),
        (CUSTOMER, "address", {"line1": 5}), (CUSTOMER, "unknown", "x"),
        (PROJECT, "start", "24.11.2026"), (PROJECT, "customer", "0199f3a0"),
    ],
)  # fmt: skip
def test_what_a_field_cannot_be_is_refused(kind: RecordKind, name: str, typed: object) -> None:
    """One kind of refusal for whatever is wrong."""
    with pytest.raises(ValueError):  # noqa: PT011 - the one kind it raises
        typed_value(kind, name, typed)


def test_every_synced_field_can_be_typed_but_a_projects_customer() -> None:
    """A new field does not go without its reader."""
    cannot = set()
    for kind, names in SYNCED_FIELDS.items():
        for name in names:
            try:
                typed_value(kind, name, None)
            except ValueError as refusal:
                if "nothing can be typed" in str(refusal):
                    cannot.add((kind, name))

    assert cannot == {(PROJECT, "customer")}

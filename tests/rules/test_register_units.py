"""The business register's units are read as they are; half an address is none."""

import pytest

from app.canonical import Address
from app.systems.enhetsregisteret import wire
from app.systems.enhetsregisteret.translate import business_from

WHOLE = {"adresse": ["Storgata 1", None, "Inngang B"], "postnummer": "0155", "poststed": "OSLO"}


def unit(**more: object) -> wire.Unit:
    return wire.Unit.model_validate({"organisasjonsnummer": "860001381", **more})


def test_an_address_is_read_with_its_further_lines() -> None:
    """Where it does business comes before where it takes mail."""
    seen = unit(forretningsadresse=WHOLE, postadresse={**WHOLE, "adresse": ["Postboks 1"]})

    assert business_from(seen).address == Address("Storgata 1", "Inngang B", "0155", "OSLO", "NO")


@pytest.mark.parametrize("member", sorted(WHOLE))
def test_half_an_address_is_passed_over_for_a_whole_one(member: str) -> None:
    """And a unit with halves only has no address."""
    half = {**WHOLE, member: None}

    assert business_from(unit(forretningsadresse=half)).address is None
    found = business_from(unit(forretningsadresse=half, postadresse=WHOLE)).address
    assert found is not None
    assert found.line1 == "Storgata 1"

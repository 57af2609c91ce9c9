"""Show remembered records and the reasons of a match as a row of a list needs them; pure."""

from collections.abc import Mapping
from typing import Any, Final

from app.records.matching import CHOSEN, Fact, describe

_CHOSEN: Final[Mapping[str, str]] = {
    "nb": "valgt av en person før noe ble endret",
    "nn": "vald av ein person før noko vart endra",
    "en": "chosen by a person before something changed",
}


def record_shown(data: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Show a stored record as a row of a list needs it."""
    if data is None:
        return None
    if "address" not in data:
        return {
            "id": data["id"], "name": data["name"], "customerId": data["customer_id"],
            "active": data["active"], "number": data["number"],
        }  # fmt: skip
    address = data["address"]
    place = " ".join(filter(None, (address["postal_code"], address["city"])))
    street = ", ".join(filter(None, (address["line1"], address["line2"])))
    return {
        "id": data["id"], "name": data["name"], "kind": data["kind"],
        "organizationNumber": data["organization_number"], "email": data["email"],
        "phone": data["phone"], "address": ", ".join(filter(None, (street, place))) or None,
        "active": data["active"],
    }  # fmt: skip


def reasons_shown(one: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Show a candidate with its rule, score, and the facts as codes and in words."""
    chosen = _CHOSEN[language] if one["rule"] == CHOSEN else ""
    said = describe([Fact(fact) for fact in one["facts"]], language)
    return {
        "id": str(one["id"]),
        "score": one["score"],
        "rule": one["rule"],
        "facts": list(one["facts"]),
        "reasons": "; ".join(filter(None, (chosen, said))),
    }

"""Turn records into the named fields that are kept equal, as JSON values, and back; pure."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from app.canonical import Address, Customer, CustomerKind, Project

_DIGITS: Final = 4
"""Of a postal code in Norway."""

FieldMap = Mapping[str, Any]
"""Synced fields by canonical name, values as JSON; two equal maps mean two equal records."""


def customer_fields(customer: Customer) -> dict[str, Any]:
    """Give a customer's synced fields.

    Blank texts count as not given, a missing country as Norway.
    """
    address = customer.address
    country = _text(address.country) or "NO"
    return {
        "name": customer.name.strip(),
        "kind": customer.kind.value if customer.kind else None,
        "organization_number": _text(customer.organization_number),
        "email": _text(customer.email),
        "phone": _text(customer.phone),
        "address": {
            "line1": _text(address.line1),
            "line2": _text(address.line2),
            "postal_code": postal_code_kept(address.postal_code, country),
            "city": _text(address.city),
            "country": country,
        },
        "active": customer.active and not customer.gone,
    }


def postal_code_kept(code: str | None, country: str) -> str | None:
    """Give a postal code as it is kept: «01 50» and «0150» are one code in Norway."""
    digits = "".join((code or "").split())
    if country == "NO" and len(digits) == _DIGITS and digits.isascii() and digits.isdecimal():
        return digits
    return _text(code)


def project_fields(project: Project, *, customer_pair: str | None) -> dict[str, Any]:
    """
    Give a project's synced fields.

    Args:
        customer_pair: The id of its customer's pair, the one name both sides share; ``None``
            without customer.

    """
    return {
        "name": project.name.strip(),
        "customer": customer_pair,
        "active": project.active and not project.gone,
        "start": project.start.isoformat() if project.start else None,
        "end": project.end.isoformat() if project.end else None,
    }


def customer_changes(changes: FieldMap) -> dict[str, Any]:
    """Give changed customer fields as the ports take them (``update``'s ``changes``)."""
    found = dict(changes)
    if "kind" in found:
        found["kind"] = CustomerKind(found["kind"]) if found["kind"] else None
    if "address" in found:
        found["address"] = Address(**found["address"])
    return found


def project_changes(changes: FieldMap, *, customer_id: str | None) -> dict[str, Any]:
    """Give changed project fields as the ports take them.

    ``customer_id`` is the target side's id.
    """
    found = dict(changes)
    if "customer" in found:
        del found["customer"]
        found["customer_id"] = customer_id
    for name in ("start", "end"):
        if found.get(name):
            found[name] = date.fromisoformat(found[name])
    return found


def _text(value: str | None) -> str | None:
    return (value or "").strip() or None

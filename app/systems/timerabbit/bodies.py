"""Write our customers and projects in Timerabbit's words; touches nothing."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from app.canonical import Address, CustomerKind, Project, Record, RecordKind
from app.systems.ports import Reason, Rejected
from app.systems.texts import Member, TextLimits, refuse_unfit

# Lengths from openapi/timerabbit.yaml (our contract proposal, November 2026).
CUSTOMER_LIMITS: TextLimits = MappingProxyType(
    {
        "name": (1, 200),
        "phone": (1, 30),
        "address.line1": (1, 200),
        "address.line2": (1, 200),
        "address.postal_code": (1, 12),
        "address.city": (1, 100),
        "mark": (1, 64),
    }
)
PROJECT_LIMITS: TextLimits = MappingProxyType({"name": (1, 200), "mark": (1, 64)})

_ORGANIZATION_NUMBER = re.compile(r"[0-9]{9}")
_COUNTRY = re.compile(r"[A-Z]{2}")


def create_body(record: Record) -> dict[str, Any]:
    """
    Write the body that creates a record; what the record does not say is left out.

    Raises:
        Rejected: A value does not fit Timerabbit; nothing was sent.

    """
    refs = {"externalRefs": {"conta": record.mark}} if record.mark else {}
    if isinstance(record, Project):
        members: dict[str, object] = {
            "name": record.name,
            "customer_id": record.customer_id,
            "active": record.active,
            "start": record.start,
            "end": record.end,
        }
        body = _body(members, _PROJECT_MEMBERS, PROJECT_LIMITS)
        return {name: value for name, value in body.items() if value is not None} | refs
    members = {
        "name": record.name,
        "kind": record.kind,
        "organization_number": record.organization_number,
        "email": record.email,
        "phone": record.phone,
        "address": record.address,
        "active": record.active,
    }
    if record.address == Address():
        del members["address"]
    body = _body(members, _CUSTOMER_MEMBERS, CUSTOMER_LIMITS)
    # Duplicates are decided by people in the review; Timerabbit need not decide them again.
    return {n: v for n, v in body.items() if v is not None} | refs | {"allowDuplicate": True}


def patch_body(kind: RecordKind, changes: Mapping[str, Any]) -> dict[str, Any]:
    """
    Write the merge patch for canonical changes; ``None`` clears, an address is written whole.

    Raises:
        Rejected: A value does not fit Timerabbit; nothing was sent.

    """
    if kind is RecordKind.CUSTOMER:
        return _body(changes, _CUSTOMER_MEMBERS, CUSTOMER_LIMITS)
    return _body(changes, _PROJECT_MEMBERS, PROJECT_LIMITS)


def _body(
    members: Mapping[str, Any],
    writers: Mapping[str, tuple[str, Callable[[Any], object]]],
    limits: TextLimits,
) -> dict[str, Any]:
    refuse_unfit(_texts(members), limits)
    _refuse_patterns(members)
    body: dict[str, Any] = {}
    for field, value in members.items():
        name, write = writers[field]
        body[name] = write(value)
    return body


def _texts(members: Mapping[str, Any]) -> Iterator[Member]:
    for field, value in members.items():
        if isinstance(value, Address):
            for part in ("line1", "line2", "postal_code", "city"):
                yield f"address.{part}", getattr(value, part)
        else:
            yield field, value


def _refuse_patterns(members: Mapping[str, Any]) -> None:
    number = members.get("organization_number")
    if number is not None and not _ORGANIZATION_NUMBER.fullmatch(number):
        raise Rejected(
            "Timerabbit takes organization numbers of nine digits only",
            reasons=(Reason("malformed", about="organization_number"),),
        )
    address = members.get("address")
    if address is not None and address.country and not _COUNTRY.fullmatch(address.country):
        raise Rejected(
            "Timerabbit takes country codes of two letters only",
            reasons=(Reason("malformed", about="address.country"),),
        )


def _as_is(value: object) -> object:
    return value


def _kind_text(value: CustomerKind | None) -> str:
    return value.value if value is not None else "unset"


def _day_text(value: date | None) -> str | None:
    return value.isoformat() if value is not None else None


def _address_body(value: Address | None) -> dict[str, str | None]:
    # All five members, null included: a merge patch keeps what is left out, and a country left out
    # at creation becomes NO.
    address = value or Address()
    return {
        "line1": address.line1,
        "line2": address.line2,
        "postalCode": address.postal_code,
        "city": address.city,
        "country": address.country,
    }


def _refs_body(value: str | None) -> dict[str, str | None]:
    return {"conta": value}


_CUSTOMER_MEMBERS: Mapping[str, tuple[str, Callable[[Any], object]]] = MappingProxyType(
    {
        "name": ("name", _as_is),
        "kind": ("kind", _kind_text),
        "organization_number": ("organizationNumber", _as_is),
        "email": ("email", _as_is),
        "phone": ("phone", _as_is),
        "address": ("address", _address_body),
        "active": ("active", _as_is),
        "mark": ("externalRefs", _refs_body),
    }
)
_PROJECT_MEMBERS: Mapping[str, tuple[str, Callable[[Any], object]]] = MappingProxyType(
    {
        "name": ("name", _as_is),
        "customer_id": ("customerId", _as_is),
        "active": ("active", _as_is),
        "start": ("startDate", _day_text),
        "end": ("endDate", _day_text),
        "mark": ("externalRefs", _refs_body),
    }
)

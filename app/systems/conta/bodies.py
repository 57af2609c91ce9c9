"""Write our customers, projects and drafts in Conta's words; touches nothing."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from app.canonical import (
    Address,
    CustomerKind,
    DraftOrder,
    Project,
    Record,
    RecordId,
    RecordKind,
)
from app.systems.conta.countries import country_code, country_name
from app.systems.conta.translate import KINDS
from app.systems.ports import Reason, Rejected
from app.systems.reading import kroner_from
from app.systems.texts import Member, TextLimits, refuse_unfit

# Lengths from openapi/conta.yaml: the schema's, not those of the prose beside it (2026-11).
CUSTOMER_LIMITS: TextLimits = MappingProxyType(
    {
        "name": (1, 255),
        "organization_number": (1, 50),
        "phone": (4, 50),
        "address.line1": (1, 100),
        "address.line2": (1, 100),
        "address.postal_code": (1, 20),
        "address.city": (1, 100),
        "address.country": (1, 100),
    }
)
PROJECT_LIMITS: TextLimits = MappingProxyType({"name": (1, 100)})

_REQUIRED: Mapping[RecordKind, Mapping[str, str]] = MappingProxyType(
    {
        RecordKind.CUSTOMER: MappingProxyType(
            {
                "name": "name",
                "customerType": "kind",
                "customerAddressLine1": "address.line1",
                "customerAddressPostcode": "address.postal_code",
                "customerAddressCity": "address.city",
            }
        ),
        RecordKind.PROJECT: MappingProxyType({"name": "name"}),
    }
)
REQUIRED_OF_CUSTOMERS = frozenset(_REQUIRED[RecordKind.CUSTOMER].values())

_TYPES: Mapping[CustomerKind, str] = MappingProxyType({kind: text for text, kind in KINDS.items()})
_ADDRESS_PARTS = ("Line1", "Line2", "Postcode", "City", "Country")


def create_body(record: Record) -> dict[str, Any]:
    """
    Write the body that creates a record.

    A company's delivery address becomes its address: Norwegian invoices between businesses must
    state one, and Conta's own form asks for it.

    Raises:
        Rejected: A required field is missing or a text does not fit; nothing was sent.

    """
    if isinstance(record, Project):
        members: dict[str, object] = {
            "name": record.name,
            "customer_id": record.customer_id,
            "active": record.active,
            "start": record.start,
            "end": record.end,
        }
        return overlay(RecordKind.PROJECT, {}, members)
    body = overlay(
        RecordKind.CUSTOMER,
        {},
        {
            "name": record.name,
            "kind": record.kind,
            "organization_number": record.organization_number,
            "email": record.email,
            "phone": record.phone,
            "address": record.address,
            "active": record.active,
        },
    )
    if record.kind is CustomerKind.COMPANY:
        for part in _ADDRESS_PARTS:
            if f"customerAddress{part}" in body:
                body[f"deliveryAddress{part}"] = body[f"customerAddress{part}"]
    return body


def overlay(kind: RecordKind, raw: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """
    Write the whole body of a PUT: what was read, with the named canonical fields changed.

    Whether a PUT clears what it leaves out is not documented, so everything read is sent back,
    unknown members too. ``id``, null members and empty texts are left out: Conta refuses them.
    ``mark`` has no place in Conta and is passed over.

    Raises:
        Rejected: A required field would be missing or a text does not fit; nothing was sent.

    """
    limits = CUSTOMER_LIMITS if kind is RecordKind.CUSTOMER else PROJECT_LIMITS
    refuse_unfit(_texts(changes), limits)
    body: dict[str, Any] = dict(raw)
    for field, value in changes.items():
        body |= _WRITERS[kind][field](value, raw)
    body = {name: _filled(value) for name, value in body.items() if name != "id"}
    body = {name: value for name, value in body.items() if not _empty(value)}
    missing = [about for name, about in _REQUIRED[kind].items() if name not in body]
    if missing:
        raise Rejected(
            "Conta requires more of this record",
            reasons=tuple(Reason("required", about=about) for about in missing),
        )
    return body


def draft_body(order: DraftOrder, *, registration_source: str) -> dict[str, Any]:
    """
    Write the body that makes a draft; money and quantities are exact decimal numbers.

    Raises:
        Rejected: An id cannot be one of Conta's; nothing was sent.

    """
    optional = {
        "projectId": _wire_id(order.project_id, "project_id"),
        "personalMessage": order.message,
        "customerReference": order.their_reference,
    }
    return {
        "registrationSource": registration_source,
        "customerId": _wire_id(order.customer_id, "customer_id"),
        **{name: value for name, value in optional.items() if not _empty(value)},
        "invoiceDraftLines": [
            {
                "lineNo": number,
                "description": line.text,
                "quantity": line.quantity,
                "price": kroner_from(line.unit_price),
                "discount": line.discount_percent,
                "vatCode": line.vat_code,
            }
            for number, line in enumerate(order.lines, 1)
        ],
    }


def _texts(changes: Mapping[str, Any]) -> Iterator[Member]:
    for field, value in changes.items():
        if isinstance(value, Address):
            for part in ("line1", "line2", "postal_code", "city", "country"):
                yield f"address.{part}", getattr(value, part) or None
        else:
            yield field, value or None


def _filled(value: object) -> object:
    if isinstance(value, Mapping):
        inner = {name: _filled(member) for name, member in value.items()}
        return {name: member for name, member in inner.items() if not _empty(member)}
    if isinstance(value, list):
        return [_filled(member) for member in value]
    return value


def _empty(value: object) -> bool:
    return value is None or value == ""


def _wire_id(record_id: RecordId | None, about: str) -> int | None:
    if record_id is None:
        return None
    if not (record_id.isascii() and record_id.isdecimal() and int(record_id) > 0):
        raise Rejected("not an id of Conta", reasons=(Reason("malformed", about=about),))
    return int(record_id)


Raw = Mapping[str, Any]
Writer = Callable[[Any, Raw], dict[str, Any]]


def _plain(member: str) -> Writer:
    def write(value: object, _raw: Raw) -> dict[str, Any]:
        return {member: value}

    return write


def _day(member: str) -> Writer:
    def write(value: date | None, _raw: Raw) -> dict[str, Any]:
        return {member: value.isoformat() if value is not None else None}

    return write


def _write_kind(value: CustomerKind | None, _raw: Raw) -> dict[str, Any]:
    return {"customerType": _TYPES[value] if value is not None else None}


def _write_address(value: Address | None, raw: Raw) -> dict[str, Any]:
    address = value or Address()
    spelled = raw.get("customerAddressCountry")
    # The same country keeps the spelling it has: "Norway" is not rewritten to "Norge" by the way.
    same = isinstance(spelled, str) and country_code(spelled.strip()) == address.country
    return {
        "customerAddressLine1": address.line1,
        "customerAddressLine2": address.line2,
        "customerAddressPostcode": address.postal_code,
        "customerAddressCity": address.city,
        "customerAddressCountry": spelled if same else country_name(address.country),
    }


def _write_hidden(value: bool, _raw: Raw) -> dict[str, Any]:
    return {"isHidden": not value}


def _write_customer(value: RecordId | None, _raw: Raw) -> dict[str, Any]:
    return {"customerId": _wire_id(value, "customer_id")}


def _write_nothing(_value: object, _raw: Raw) -> dict[str, Any]:
    return {}


_WRITERS: Mapping[RecordKind, Mapping[str, Writer]] = MappingProxyType(
    {
        RecordKind.CUSTOMER: MappingProxyType(
            {
                "name": _plain("name"),
                "kind": _write_kind,
                "organization_number": _plain("orgNo"),
                "email": _plain("emailAddress"),
                "phone": _plain("phoneNo"),
                "address": _write_address,
                "active": _plain("isActive"),
                "mark": _write_nothing,
            }
        ),
        RecordKind.PROJECT: MappingProxyType(
            {
                "name": _plain("name"),
                "customer_id": _write_customer,
                "active": _write_hidden,
                "start": _day("startDate"),
                "end": _day("endDate"),
                "mark": _write_nothing,
            }
        ),
    }
)

"""
Say what a record lacks before it may exist on the other side; pure.

The law: a record without a hindering gap passes the other side's check of required fields and
lengths. Texts in three languages lie beside it as data.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from html import unescape
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from unicodedata import category

from app.canonical import Customer, CustomerKind, Project, is_organization_number
from app.records.matching.addresses import is_placeholder, postal_code
from app.records.matching.identifiers import organization_digits
from app.shipped import read_texts
from app.systems.register import Business, Businesses

_TAGS: Final = re.compile(r"<[^>]*>")
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and signs, by Unicode's reckoning, that nobody sees."""
HOME: Final = frozenset({None, "", "NO"})
"""Countries whose postal codes and organization numbers we can check; unset means Norway."""
_OWN_RULE: Final = frozenset(
    {"name", "kind", "address", "address.line1", "address.postal_code", "address.city"}
)
"""Fields whose lack has its own finding; any other that is required gives ``field-missing``."""


class FixKind(StrEnum):
    """Name what the API can carry out to close a gap."""

    SET_KIND = "set-kind"
    SET_ADDRESS = "set-address"
    SET_ORGANIZATION_NUMBER = "set-organization-number"
    SET_NAME = "set-name"
    LEAVE_OUT = "leave-out"


@dataclass(frozen=True, slots=True)
class Gap:
    """
    Name one thing that a record lacks.

    Args:
        code: Stable; its texts lie in ``readiness_texts.json``.
        field: The canonical field it is about.
        blocking: Whether the record must wait; a remark lets it pass.
        fix: What the API can do about it, or ``None`` when only a person can.
        limit: The longest text the other side takes, for ``too-long``.
        suggested: The value that the business register gives, as text for a person.

    """

    code: str
    field: str
    blocking: bool
    fix: FixKind | None = None
    limit: int | None = None
    suggested: str | None = None


def customer_gaps(
    customer: Customer,
    *,
    required: frozenset[str],
    limits: Mapping[str, int],
    number_twice: bool = False,
    businesses: Businesses = MappingProxyType({}),
) -> tuple[Gap, ...]:
    """
    Name each gap of a customer once, the hindering ones first.

    Args:
        required: Canonical fields that the other side demands (``Capabilities.required``).
        limits: Longest texts it takes, by canonical field.
        number_twice: Another customer of the same side has the same organization number.
        businesses: What the business register answered, where it was asked.

    """
    number = organization_digits(customer.organization_number)
    asked = number in businesses and customer.address.country in HOME
    business = businesses[number] if asked else None
    found = [
        *_name_gaps(customer.name),
        *_kind_gaps(customer, required),
        *_number_gaps(customer, required, twice=number_twice),
        *_suggested(_address_gaps(customer, required), business),
        *_field_gaps(customer, required),
        *_length_gaps(customer_texts(customer), limits),
        *(_register_gaps(business) if asked else ()),
    ]
    return _sorted(found)


def project_gaps(
    project: Project,
    *,
    limits: Mapping[str, int],
    customer_ready: bool = True,
) -> tuple[Gap, ...]:
    """
    Name each gap of a project once, the hindering ones first.

    Args:
        customer_ready: Its customer is linked, or may be created on the other side.

    """
    found = [*_name_gaps(project.name), *_length_gaps({"name": project.name}, limits)]
    if project.parent_id is not None:
        found.append(Gap("subproject", "parent_id", blocking=True, fix=FixKind.LEAVE_OUT))
    if project.customer_id is None:
        found.append(
            Gap("project-without-customer", "customer_id", blocking=True, fix=FixKind.LEAVE_OUT)
        )
    elif not customer_ready:
        found.append(
            Gap("project-customer-not-ready", "customer_id", blocking=True, fix=FixKind.LEAVE_OUT)
        )
    return _sorted(found)


def is_ready(gaps: Iterable[Gap]) -> bool:
    """Say whether nothing hinders."""
    return not any(gap.blocking for gap in gaps)


def valid_organization_number(text: str | None) -> bool:
    """Check nine digits by modulus 11; blanks and «MVA» are let pass, a row of one digit is not."""
    return is_organization_number(organization_digits(text))


def customer_texts(customer: Customer) -> dict[str, str | None]:
    """Give a customer's texts by canonical field, as limits name them."""
    address = customer.address
    return {
        "name": customer.name,
        "organization_number": customer.organization_number,
        "email": customer.email,
        "phone": customer.phone,
        "address.line1": address.line1,
        "address.line2": address.line2,
        "address.postal_code": address.postal_code,
        "address.city": address.city,
    }


def say_gap(gap: Gap, language: str) -> dict[str, str]:
    """Give a gap's text and remedy in nb, nn or en."""
    texts = gap_texts()[gap.code]
    values = {"limit": str(gap.limit or ""), "field": gap.field, "suggested": gap.suggested or ""}
    return {
        name: (texts[name].get(language) or texts[name]["nb"]).format_map(values)
        for name in ("text", "remedy")
    }


def gap_texts() -> Mapping[str, Any]:
    """Read the texts of all gaps, by code."""
    return read_texts(Path(__file__).with_name("readiness_texts.json"))


def says_something(name: str) -> bool:
    """Say whether a person who reads a name sees anything: no tags, blanks or signs of no width."""
    seen = unescape(_TAGS.sub("", name))
    return any(category(sign)[0] in "LNPS" and sign not in _BLANK for sign in seen)


def _name_gaps(name: str) -> list[Gap]:
    if says_something(name):
        return []
    return [Gap("name-only-markup", "name", blocking=True, fix=FixKind.SET_NAME)]


def _kind_gaps(customer: Customer, required: frozenset[str]) -> list[Gap]:
    if customer.kind is not None:
        return []
    return [Gap("kind-not-set", "kind", blocking="kind" in required, fix=FixKind.SET_KIND)]


def _number_gaps(customer: Customer, required: frozenset[str], *, twice: bool) -> list[Gap]:
    field = "organization_number"
    number = (customer.organization_number or "").strip()
    fix = FixKind.SET_ORGANIZATION_NUMBER
    if not number:
        needed = field in required
        if customer.kind is not CustomerKind.COMPANY and not needed:
            return []
        return [Gap("organization-number-missing", field, blocking=needed, fix=fix)]
    if customer.address.country in HOME and not valid_organization_number(number):
        return [Gap("organization-number-invalid", field, blocking=True, fix=fix)]
    twin = Gap("organization-number-twice", field, blocking=False, fix=FixKind.LEAVE_OUT)
    return [twin] if twice else []


def _address_gaps(customer: Customer, required: frozenset[str]) -> list[Gap]:
    address = customer.address
    parts = {
        "address.line1": address.line1,
        "address.postal_code": address.postal_code,
        "address.city": address.city,
    }
    fix = FixKind.SET_ADDRESS
    missing = [name for name, value in parts.items() if is_placeholder(value)]
    if len(missing) == len(parts):
        blocking = any(name in required or "address" in required for name in missing)
        return [Gap("address-missing", "address", blocking=blocking, fix=fix)]
    found = [
        Gap("address-incomplete", name, blocking=bool({name, "address"} & required), fix=fix)
        for name in missing
    ]
    if "address.postal_code" not in missing and not _code_is_known(customer):
        blocking = bool({"address.postal_code", "address"} & required)
        found.append(Gap("postal-code-unknown", "address.postal_code", blocking=blocking, fix=fix))
    return found


def _code_is_known(customer: Customer) -> bool:
    """Say whether the code is in use as it is written; abroad that cannot be told."""
    code = (customer.address.postal_code or "").replace(" ", "").strip()
    return customer.address.country not in HOME or postal_code(code) == code


def _suggested(gaps: Iterable[Gap], business: Business | None) -> list[Gap]:
    """Offer the register's address where one is missing or wrong."""
    address = business.address if business is not None else None
    if address is None:
        return list(gaps)
    place = " ".join(filter(None, (address.postal_code, address.city)))
    text = ", ".join(filter(None, (address.line1, address.line2, place)))
    return [replace(gap, suggested=text) for gap in gaps]


def _register_gaps(business: Business | None) -> list[Gap]:
    """
    Say what the register knows of a number; all of it remarks.

    A bankrupt customer may well stand in both systems, and must where an invoice is open; whoever
    bills it should know.
    """
    field = "organization_number"
    number = FixKind.SET_ORGANIZATION_NUMBER
    if business is None:
        return [Gap("organization-number-not-in-register", field, blocking=False, fix=number)]
    found = [Gap(code, field, blocking=False, fix=FixKind.LEAVE_OUT) for code in warnings(business)]
    if business.main_unit is not None:
        found.append(
            Gap(
                "organization-number-of-sub-unit", field, blocking=False, fix=number,
                suggested=business.main_unit,
            )
        )  # fmt: skip
    return found


def warnings(business: Business) -> tuple[str, ...]:
    """Name what should be known before a business is billed, the gravest first."""
    said = (
        ("customer-struck-off", business.struck_off),
        ("customer-bankrupt", business.bankrupt),
        ("customer-in-liquidation", business.liquidating),
    )
    return tuple(code for code, holds in said if holds)


def _field_gaps(customer: Customer, required: frozenset[str]) -> list[Gap]:
    texts = {**customer_texts(customer), "address.country": customer.address.country}
    return [
        Gap("field-missing", name, blocking=True, fix=_fix_of(name))
        for name, value in texts.items()
        if name in required - _OWN_RULE - {"organization_number"} and not (value or "").strip()
    ]


def _length_gaps(texts: Mapping[str, str | None], limits: Mapping[str, int]) -> list[Gap]:
    return [
        Gap("too-long", name, blocking=True, fix=_fix_of(name), limit=limits[name])
        for name, value in texts.items()
        if name in limits and len((value or "").strip()) > limits[name]
    ]


def _fix_of(field: str) -> FixKind:
    """Give the fix that writes a field; where there is none, the record can be left out."""
    part = field.partition(".")[0]
    return {
        "name": FixKind.SET_NAME,
        "address": FixKind.SET_ADDRESS,
        "organization_number": FixKind.SET_ORGANIZATION_NUMBER,
    }.get(part, FixKind.LEAVE_OUT)


def _sorted(gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    return tuple(sorted(gaps, key=lambda gap: (not gap.blocking, gap.code, gap.field)))

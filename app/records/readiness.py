"""
Say what a record lacks before it may exist on the other side; pure.

The law: a record without a hindering gap passes the other side's check of required fields and
lengths. Texts in three languages lie beside it as data.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

from app.canonical import Customer, CustomerKind, Project

_WEIGHTS: Final = (3, 2, 7, 6, 5, 4, 3, 2)
_TAGS: Final = re.compile(r"<[^>]*>")
_PLACEHOLDERS: Final = frozenset(
    {
        "", "-", "--", ".", "..", "x", "xx", "xxx", "?", "ukjent", "ikke oppgitt", "mangler",
        "mangler adresse", "ukjent adresse", "n/a", "na", "ingen", "0", "0000",
    }
)  # fmt: skip
"""What people type where a field is demanded and they know nothing; it is no address."""


class FixKind(StrEnum):
    """Name what the API can carry out to close a gap."""

    SET_KIND = "set-kind"
    SET_ADDRESS = "set-address"
    SET_ORGANIZATION_NUMBER = "set-organization-number"
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

    """

    code: str
    field: str
    blocking: bool
    fix: FixKind | None = None
    limit: int | None = None


def customer_gaps(
    customer: Customer,
    *,
    required: frozenset[str],
    limits: Mapping[str, int],
    number_twice: bool = False,
) -> tuple[Gap, ...]:
    """
    Name each gap of a customer once, the hindering ones first.

    Args:
        required: Canonical fields that the other side demands (``Capabilities.required``).
        limits: Longest texts it takes, by canonical field.
        number_twice: Another customer of the same side has the same organization number.

    """
    found = [
        *_name_gaps(customer.name),
        *_kind_gaps(customer, required),
        *_number_gaps(customer, twice=number_twice),
        *_address_gaps(customer, required),
        *_length_gaps(customer_texts(customer), limits),
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
        found.append(Gap("project-customer-not-ready", "customer_id", blocking=True))
    return _sorted(found)


def is_ready(gaps: Iterable[Gap]) -> bool:
    """Say whether nothing hinders."""
    return not any(gap.blocking for gap in gaps)


def valid_organization_number(text: str | None) -> bool:
    """Check nine digits by modulus 11 (weights 3 2 7 6 5 4 3 2); blanks and «MVA» are let pass."""
    digits = re.sub(r"[^0-9]", "", text or "")
    if len(digits) != 9:
        return False
    rest = 11 - sum(int(d) * w for d, w in zip(digits, _WEIGHTS, strict=False)) % 11
    return rest != 10 and rest % 11 == int(digits[8])


def is_placeholder(text: str | None) -> bool:
    """Say whether a text is what people type when they know nothing."""
    return (text or "").strip().lower() in _PLACEHOLDERS


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
    values = {"limit": str(gap.limit or ""), "field": gap.field}
    return {
        name: (texts[name].get(language) or texts[name]["nb"]).format_map(values)
        for name in ("text", "remedy")
    }


@cache
def gap_texts() -> Mapping[str, Any]:
    """Read the texts of all gaps, by code."""
    path = Path(__file__).parent / "readiness_texts.json"
    texts: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return texts


def _name_gaps(name: str) -> list[Gap]:
    if _TAGS.sub("", name).strip():
        return []
    return [Gap("name-only-markup", "name", blocking=True, fix=FixKind.LEAVE_OUT)]


def _kind_gaps(customer: Customer, required: frozenset[str]) -> list[Gap]:
    if customer.kind is not None:
        return []
    return [Gap("kind-not-set", "kind", blocking="kind" in required, fix=FixKind.SET_KIND)]


def _number_gaps(customer: Customer, *, twice: bool) -> list[Gap]:
    number = (customer.organization_number or "").strip()
    fix = FixKind.SET_ORGANIZATION_NUMBER
    if not number:
        if customer.kind is not CustomerKind.COMPANY:
            return []
        return [Gap("organization-number-missing", "organization_number", blocking=False, fix=fix)]
    if not valid_organization_number(number):
        return [Gap("organization-number-invalid", "organization_number", blocking=True, fix=fix)]
    if twice:
        return [Gap("organization-number-twice", "organization_number", blocking=False)]
    return []


def _address_gaps(customer: Customer, required: frozenset[str]) -> list[Gap]:
    address = customer.address
    parts = {
        "address.line1": address.line1,
        "address.postal_code": address.postal_code,
        "address.city": address.city,
    }
    missing = [name for name, value in parts.items() if is_placeholder(value)]
    blocking = any(name in required or "address" in required for name in missing)
    if len(missing) == len(parts):
        return [Gap("address-missing", "address", blocking=blocking, fix=FixKind.SET_ADDRESS)]
    return [
        Gap("address-incomplete", name, blocking=blocking, fix=FixKind.SET_ADDRESS)
        for name in missing
    ]


def _length_gaps(texts: Mapping[str, str | None], limits: Mapping[str, int]) -> list[Gap]:
    return [
        Gap("too-long", name, blocking=True, limit=limits[name])
        for name, value in texts.items()
        if name in limits and len((value or "").strip()) > limits[name]
    ]


def _sorted(gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    return tuple(sorted(gaps, key=lambda gap: (not gap.blocking, gap.code, gap.field)))

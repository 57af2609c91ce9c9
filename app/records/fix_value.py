"""Hold a fix, and say which fields it writes to a record."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.canonical import Address, CustomerKind, RecordId, RecordKind, Side
from app.problems import Problem
from app.records.fix_choice import EVERY, Filter
from app.records.matching.identifiers import organization_digits
from app.records.readiness import FixKind, says_something, valid_organization_number
from app.systems.register import Business

_OF_PROJECTS: Final = frozenset({FixKind.LEAVE_OUT, FixKind.SET_NAME})


@dataclass(frozen=True, slots=True)
class Fix:
    """
    Hold a fix and what it is to be carried out on.

    Args:
        record_ids: Which records; ``None`` takes those that ``chosen_by`` names.
        chosen_by: Narrows which records with a finding that this fix closes are taken.
        from_register: The value is what the business register gives for each record's number.

    """

    kind: FixKind
    side: Side
    record_kind: RecordKind
    record_ids: tuple[RecordId, ...] | None
    chosen_by: Filter = EVERY
    customer_kind: str | None = None
    organization_number: str | None = None
    address: Mapping[str, Any] | None = None
    name: str | None = None
    from_register: bool = False


def require_value(fix: Fix) -> None:
    """
    Refuse a fix without its value, before anything is chosen.

    Raises:
        Problem: ``fix-refused``.

    """
    match fix.kind:
        case FixKind.LEAVE_OUT:
            given = True
        case FixKind.SET_KIND:
            given = fix.customer_kind is not None
        case FixKind.SET_ADDRESS:
            given = fix.from_register or (fix.address is not None and bool(fix.record_ids))
        case FixKind.SET_NAME:
            # One name for many records is never meant.
            one = fix.record_ids is not None and len(fix.record_ids) == 1
            given = fix.from_register or (one and says_something(fix.name or ""))
        case FixKind.SET_ORGANIZATION_NUMBER:
            one = fix.record_ids is not None and len(fix.record_ids) == 1
            given = fix.from_register or (
                one and valid_organization_number(fix.organization_number)
            )
    has_field = fix.record_kind is RecordKind.CUSTOMER or fix.kind in _OF_PROJECTS
    if not given or not has_field:
        raise Problem("fix-refused", fix=fix.kind.value)


def changes_of(fix: Fix, business: Business | None) -> dict[str, Any]:
    """
    Give the fields a fix writes; none where the register has no value for the record.

    Args:
        business: What the register knows of the record's number, for a fix from there.

    """
    if fix.from_register:
        return _from_register(fix.kind, business)
    match fix.kind:
        case FixKind.SET_KIND:
            return {"kind": CustomerKind(fix.customer_kind)} if fix.customer_kind else {}
        case FixKind.SET_ADDRESS:
            return {"address": Address(**fix.address)} if fix.address else {}
        case FixKind.SET_NAME:
            return {"name": (fix.name or "").strip()}
        case FixKind.SET_ORGANIZATION_NUMBER:
            return {"organization_number": organization_digits(fix.organization_number)}
        case FixKind.LEAVE_OUT:
            return {}


def _from_register(kind: FixKind, business: Business | None) -> dict[str, Any]:
    if business is None:
        return {}
    values: dict[FixKind, tuple[str, Any]] = {
        FixKind.SET_ADDRESS: ("address", business.address),
        FixKind.SET_NAME: ("name", business.name),
        FixKind.SET_ORGANIZATION_NUMBER: ("organization_number", business.main_unit),
    }
    field, value = values.get(kind, ("", None))
    return {field: value} if value else {}

"""Write records as JSON for our own tables and read them back; pure, loses nothing."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from typing import Any, Final

from app.canonical import Address, Customer, CustomerKind, Project, Record, RecordId, RecordKind

_NAMES: Final = {
    one: tuple(part.name for part in fields(one)) for one in (Customer, Project, Address)
}


def kind_of(record: Record) -> RecordKind:
    """Name a record's kind."""
    return RecordKind.CUSTOMER if isinstance(record, Customer) else RecordKind.PROJECT


def to_json(record: Record) -> dict[str, Any]:
    """Write a record as JSON values, all its fields."""
    # Not ``asdict``: it copies deeply, and ten thousand records are written for one plan.
    found = {name: getattr(record, name) for name in _NAMES[type(record)]}
    if isinstance(record, Project):
        found["start"] = record.start.isoformat() if record.start else None
        found["end"] = record.end.isoformat() if record.end else None
        return found
    found["kind"] = record.kind.value if record.kind else None
    address = record.address
    found["address"] = {name: getattr(address, name) for name in _NAMES[Address]}
    return found


def from_json(kind: RecordKind, data: Mapping[str, Any]) -> Record:
    """Read back what ``to_json`` wrote."""
    found = dict(data)
    if kind is RecordKind.CUSTOMER:
        found["kind"] = CustomerKind(found["kind"]) if found["kind"] else None
        found["address"] = Address(**found["address"])
        return Customer(**found)
    for name in ("start", "end"):
        found[name] = date.fromisoformat(found[name]) if found[name] else None
    return Project(**found)


def tombstone(kind: RecordKind, record_id: RecordId, *, name: str = "") -> Record:
    """Give a record that is not there any more."""
    if kind is RecordKind.CUSTOMER:
        return Customer(record_id, name, gone=True)
    return Project(record_id, name, gone=True)

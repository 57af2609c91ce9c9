"""Write records as JSON for our own tables and read them back; pure, loses nothing."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from app.canonical import Address, Customer, CustomerKind, Project, Record, RecordId, RecordKind


def kind_of(record: Record) -> RecordKind:
    """Name a record's kind."""
    return RecordKind.CUSTOMER if isinstance(record, Customer) else RecordKind.PROJECT


def to_json(record: Record) -> dict[str, Any]:
    """Write a record as JSON values, all its fields."""
    found = asdict(record)
    if isinstance(record, Project):
        found["start"] = record.start.isoformat() if record.start else None
        found["end"] = record.end.isoformat() if record.end else None
    elif record.kind is not None:
        found["kind"] = record.kind.value
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

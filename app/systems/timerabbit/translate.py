"""Read Timerabbit's customers and projects in our words; touches nothing."""

from app.canonical import Address, Customer, CustomerKind, Project, Record, RecordId, RecordKind
from app.systems.ports import Row
from app.systems.reading import (
    UnknownValue,
    fingerprint,
    raw_fingerprint,
    read_id,
    text_or_none,
)
from app.systems.timerabbit import wire

_KINDS = {"company": CustomerKind.COMPANY, "private": CustomerKind.PRIVATE, "unset": None}


def customer_from(seen: wire.Customer) -> Customer:
    """
    Read a customer or its tombstone.

    Raises:
        ValueError: It lives and has no name.
        UnknownValue: Its kind is none we know.

    """
    gone = seen.deleted_at is not None
    merged_into = text_or_none(seen.merged_into_id)
    return Customer(
        id=RecordId(seen.id),
        name=_name(seen.name, gone=gone),
        kind=_kind(seen.kind),
        organization_number=text_or_none(seen.organization_number),
        email=text_or_none(seen.email),
        phone=text_or_none(seen.phone),
        address=_address_from(seen.address),
        active=seen.active is not False,
        number=text_or_none(seen.number),
        mark=_mark(seen.external_refs),
        merged_into=RecordId(merged_into) if merged_into else None,
        gone=gone,
    )


def project_from(seen: wire.Project) -> Project:
    """
    Read a project or its tombstone.

    Raises:
        ValueError: It lives and has no name.

    """
    gone = seen.deleted_at is not None
    return Project(
        id=RecordId(seen.id),
        name=_name(seen.name, gone=gone),
        customer_id=_record_id(seen.customer_id),
        active=seen.active is not False,
        start=seen.start_date,
        end=seen.end_date,
        number=text_or_none(seen.number),
        parent_id=_record_id(seen.parent_project_id),
        mark=_mark(seen.external_refs),
        gone=gone,
    )


def record_from(kind: RecordKind, body: object) -> Record:
    """
    Read a record of a kind from parsed JSON.

    Raises:
        ValueError: It is not what the contract says.

    """
    if kind is RecordKind.CUSTOMER:
        return customer_from(wire.Customer.model_validate(body))
    return project_from(wire.Project.model_validate(body))


def row_from(kind: RecordKind, item: object) -> Row | None:
    """
    Read one item of a list; an unreadable one becomes a thin row, so that the rest goes on.

    Reading a thin row's record by its id then says what is wrong with it. ``None`` when there is
    not even an id.
    """
    try:
        record = record_from(kind, item)
    except ValueError:
        return _thin_row(kind, item)
    return Row(record.id, record, complete=True, fingerprint=fingerprint(record))


def version_of(body: object) -> int | None:
    """Give the version of a record, where it says one."""
    return wire.Versioned.model_validate(body).version


def _thin_row(kind: RecordKind, item: object) -> Row | None:
    if not isinstance(item, dict):
        return None
    try:
        record_id = RecordId(read_id(item.get("id")))
    except ValueError:
        return None
    name = item.get("name")
    named = name.strip() if isinstance(name, str) else ""
    record: Record = (
        Customer(record_id, named) if kind is RecordKind.CUSTOMER else Project(record_id, named)
    )
    return Row(record_id, record, complete=False, fingerprint=raw_fingerprint(item))


def _name(value: str | None, *, gone: bool) -> str:
    name = text_or_none(value)
    if name is None and not gone:
        raise ValueError("a record without a name")
    return name or ""


def _kind(value: str | None) -> CustomerKind | None:
    if value is None:
        return None
    if value not in _KINDS:
        raise UnknownValue("kind")
    return _KINDS[value]


def _record_id(value: str | None) -> RecordId | None:
    text = text_or_none(value)
    return RecordId(text) if text else None


def _mark(refs: wire.ExternalRefs | None) -> str | None:
    return text_or_none(refs.conta) if refs is not None else None


def _address_from(seen: wire.Address | None) -> Address:
    if seen is None:
        return Address()
    country = text_or_none(seen.country)
    return Address(
        line1=text_or_none(seen.line1),
        line2=text_or_none(seen.line2),
        postal_code=text_or_none(seen.postal_code),
        city=text_or_none(seen.city),
        country=country.upper() if country else None,
    )

"""Read Conta's customers, projects, drafts and invoices in our words; touches nothing."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from app.canonical import Address, Customer, CustomerKind, Project, Record, RecordId, RecordKind
from app.systems.conta import wire
from app.systems.conta.countries import country_code
from app.systems.ports import RemoteDraft, RemoteInvoice, RemoteLine, Row
from app.systems.reading import (
    UnknownValue,
    fingerprint,
    ore_from,
    raw_fingerprint,
    read_id,
    text_or_none,
)

KINDS: Mapping[str, CustomerKind] = MappingProxyType(
    {"ORGANIZATION": CustomerKind.COMPANY, "INDIVIDUAL": CustomerKind.PRIVATE}
)
CREDIT_NOTE = "CREDIT"
VAT_CODES = frozenset({"no.vat", "high", "medium", "low", "zero.rate", "exempted", "export"})

_STATES: Mapping[str, str] = MappingProxyType(
    {
        "CLOSED_BY_PAYMENT": "paid",
        "CLOSED_BY_CREDIT_NOTE": "credited",
        "CLOSED_FROM_REGNSKAP": "closed",
        "WRITTEN_OFF_AS_LOSS": "closed",
        "SOLD_TO_EASYBANK": "closed",
        "CLOSED_BY_EASYBANK": "closed",
    }
)
_NORWEGIAN_NUMBER = re.compile(r"(?:NO)?([0-9]{9})(?:MVA)?")


def customer_from(seen: wire.Customer) -> Customer:
    """
    Read a customer in full.

    Raises:
        ValueError: It has no name.
        UnknownValue: Its type is none we know.

    """
    return Customer(
        id=RecordId(seen.id),
        name=_name(seen.name),
        kind=_kind(seen.customer_type),
        organization_number=organization_number(seen.org_no),
        email=text_or_none(seen.email_address),
        phone=text_or_none(seen.phone_no),
        address=Address(
            line1=text_or_none(seen.customer_address_line1),
            line2=text_or_none(seen.customer_address_line2),
            postal_code=text_or_none(seen.customer_address_postcode),
            city=text_or_none(seen.customer_address_city),
            country=country_code(text_or_none(seen.customer_address_country)),
        ),
        active=seen.is_active is not False,
    )


def project_from(seen: wire.Project) -> Project:
    """
    Read a project; a customer id of 0 in a list means none.

    Raises:
        ValueError: It has no name.

    """
    customer_id = text_or_none(seen.customer_id)
    return Project(
        id=RecordId(seen.id),
        name=_name(seen.name),
        customer_id=RecordId(customer_id) if customer_id and customer_id != "0" else None,
        active=not seen.is_hidden,
        start=seen.start_date,
        end=seen.end_date,
    )


def record_from(kind: RecordKind, body: object) -> Record:
    """
    Read a whole record of a kind from parsed JSON.

    Raises:
        ValueError: It cannot be read.

    """
    if kind is RecordKind.CUSTOMER:
        return customer_from(wire.Customer.model_validate(body))
    return project_from(wire.Project.model_validate(body))


def row_from(kind: RecordKind, item: object) -> Row | None:
    """
    Read one row of a list; ``None`` when there is not even an id.

    A customer's row is always thin. An unreadable row becomes a thin one, so that the rest goes
    on; reading its record by id then says what is wrong. It keeps what it says all the same, so
    that its partner is not made beside it.
    """
    try:
        record_id = RecordId(read_id(item.get("id") if isinstance(item, dict) else None))
    except ValueError:
        return None
    try:
        record = _row_record(kind, item)
    except ValueError:
        thin = _thin_record(kind, record_id, item)
        return Row(record_id, thin, complete=False, fingerprint=raw_fingerprint(item))
    complete = kind is RecordKind.PROJECT
    return Row(record_id, record, complete=complete, fingerprint=fingerprint(record))


def organization_number(text: str | None) -> str | None:
    """Give the nine digits of a Norwegian number however it is written; else the text itself."""
    number = text_or_none(text)
    if number is None:
        return None
    written = re.sub(r"[\s.\-]", "", number).upper()
    norwegian = _NORWEGIAN_NUMBER.fullmatch(written)
    return norwegian.group(1) if norwegian else number


def draft_from(seen: wire.Draft) -> RemoteDraft:
    """
    Read a draft.

    Raises:
        ValueError: A sum is no amount of money.

    """
    return RemoteDraft(
        id=seen.id,
        customer_id=RecordId(seen.customer_id) if seen.customer_id else None,
        lines=_lines(seen.invoice_draft_lines),
        net=ore_from(seen.sum_net),
        vat=ore_from(seen.sum_vat),
        total=ore_from(seen.sum_total),
    )


def invoice_from(seen: wire.Invoice) -> RemoteInvoice:
    """
    Read an invoice; a status we do not know counts as open, so that it is looked at again.

    Raises:
        ValueError: A sum is no amount of money.

    """
    return RemoteInvoice(
        id=seen.id,
        number=text_or_none(seen.invoice_no),
        day=seen.invoice_date,
        customer_id=RecordId(seen.customer_id) if seen.customer_id else None,
        lines=_lines(seen.invoice_lines),
        net=ore_from(seen.sum_net),
        total=ore_from(seen.sum_total),
        remaining=ore_from(seen.sum_remaining),
        state=_STATES.get(seen.status or "", "open"),
    )


def _row_record(kind: RecordKind, item: object) -> Record:
    if kind is RecordKind.PROJECT:
        return project_from(wire.Project.model_validate(item))
    hit = wire.CustomerHit.model_validate(item)
    return Customer(
        id=RecordId(hit.id),
        name=_name(hit.customer_name or hit.name),
        kind=_kind(hit.customer_type),
        organization_number=organization_number(hit.org_no),
        email=text_or_none(hit.email_address),
        active=hit.is_active is not False,
    )


def _thin_record(kind: RecordKind, record_id: RecordId, item: object) -> Record:
    """Take from a row what can be read of it: a name, a number and a mail; never its kind."""
    said = {
        name: text_or_none(value)
        for name, value in (item.items() if isinstance(item, dict) else ())
        if isinstance(value, str)
    }
    name = said.get("customerName") or said.get("name") or ""
    if kind is RecordKind.PROJECT:
        return Project(record_id, name)
    number = organization_number(said.get("orgNo"))
    return Customer(record_id, name, organization_number=number, email=said.get("emailAddress"))


def _lines(lines: tuple[wire.Line, ...] | None) -> tuple[RemoteLine, ...]:
    return tuple(
        RemoteLine(
            text=line.description or "",
            net=ore_from(line.sum_net),
            quantity=line.quantity,
            unit_price=ore_from(line.price),
            discount=line.discount,
            vat_code=_vat_code(line.vat_code),
        )
        for line in lines or ()
    )


def _vat_code(code: str | None) -> str | None:
    """Give the short code, also where Conta answers with its internal one (``output.high``)."""
    short = (code or "").removeprefix("output.")
    return short if short in VAT_CODES else None


def _name(value: str | None) -> str:
    name = text_or_none(value)
    if name is None:
        raise ValueError("a record without a name")
    return name


def _kind(value: str | None) -> CustomerKind | None:
    if value is None:
        return None
    kind = KINDS.get(value)
    if kind is None:
        raise UnknownValue("kind")
    return kind

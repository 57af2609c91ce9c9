"""Serve invoice drafts: create, list, read; no update or delete (facts of 2026-11, section 5)."""

from decimal import Decimal
from typing import Any

from app.sandbox.conta.access import Call
from app.sandbox.conta.customers import known_fields
from app.sandbox.conta.errors import foreign_key, invalid, rule
from app.sandbox.conta.listing import page_of
from app.sandbox.conta.money import reckoned, totals
from app.sandbox.conta.store import Kept, Organization, Store
from app.sandbox.openapi import Flaw

Record = dict[str, Any]

DEFAULTS = {"type": "NORMAL", "invoiceLanguage": "NO", "invoiceCurrency": "NOK", "exchangeRate": 1}
NOBODY_HAS = ("customerGroupId", "departmentId", "saleId", "customerReferenceContactId")


def search(call: Call) -> Record:
    """List drafts; a hit tells neither ``customerReference`` nor ``projectId``."""
    rows = filtered(call, list(call.own.drafts.values()))
    return page_of(
        call,
        rows,
        lambda row: _hit(call.own, row),
        searched=("customerName", "personalMessage", "invoiceLineDescription"),
    )


def create(call: Call) -> Record:
    """Create a draft; never idempotent, an ``id`` in the body is not looked at (guessed)."""
    body = call.body
    _check_input(body)
    _check_references(call)
    lines = _numbered(body.get("invoiceDraftLines", []))
    _check_vat(call.own, lines)
    known = known_fields(call, "InvoiceDraftCreate") - {"invoiceDraftLines", "registrationSource"}
    facts = DEFAULTS | {name: value for name, value in body.items() if name in known}
    return write(call.store, call.own, facts, lines, body["registrationSource"]).data


def read(call: Call) -> Record:
    """Read a draft; the registration source is not told, 1.0 comes back as 1 (observed)."""
    return call.one(call.own.drafts).data


def write(store: Store, own: Organization, facts: Record, lines: list[Record], source: str) -> Kept:
    """
    Reckon and keep a draft.

    Raises:
        Refusal: The total is negative, positive on a credit note, or out of range.

    """
    sums = checked_totals(facts["type"], reckoned_lines(lines))
    kept = store.keep(own.drafts, "draft", facts | sums, registrationSource=source)
    kept.data["invoiceDraftLines"] = draft_lines(store, kept.id, lines)
    return kept


def draft_lines(store: Store, draft_id: int, lines: list[Record]) -> list[Record]:
    """Give lines as they are read back: ids, sums, account."""
    return [
        {"id": store.new_id("line"), "invoiceDraftId": draft_id, **line}
        for line in reckoned_lines(lines)
    ]


def reckoned_lines(lines: list[Record]) -> list[Record]:
    """Give the lines with their sums, in the order of their numbers."""
    return [reckoned(line) for line in lines]


def checked_totals(kind: str, lines: list[Record]) -> Record:
    """
    Give the sums of a document of this type.

    Raises:
        Refusal: The total has the wrong sign or is out of range.

    """
    sums = totals(lines)
    if kind != "CREDIT" and sums["sumTotal"] < 0:
        raise rule(
            "InvoiceSumTotalCanNotBeNegativeException",
            "Totalsummen kan ikke være negativ.",
            "The total cannot be negative.",
        )
    if kind == "CREDIT" and sums["sumTotal"] > 0:
        raise rule(
            "CreditNoteSumTotalCanNotBePositiveException",
            "Totalsummen på en kreditnota kan ikke være positiv.",
            "The total of a credit note cannot be positive.",
        )
    return sums


def filtered(call: Call, rows: list[Kept]) -> list[Kept]:
    """
    Keep what the filters of a draft or invoice list ask for.

    Raises:
        Refusal: 422 when a filter's customer, department or project does not exist.

    """
    query, own = call.query, call.own
    shelves: dict[str, tuple[str, dict[int, Kept]]] = {
        "customerId": ("Customer", own.customers),
        "projectId": ("Project", own.projects),
        "departmentId": ("Department", {}),
    }
    for name, (word, shelf) in shelves.items():
        if (wanted := query.get(name)) is None:
            continue
        if wanted not in shelf:
            raise rule(f"{word}NotFoundException", "Finnes ikke.", f"{word} not found.")
        rows = [row for row in rows if row.data.get(name) == wanted]
    if currency := query.get("invoiceCurrency"):
        rows = [row for row in rows if row.data.get("invoiceCurrency") == currency]
    return rows


def _check_input(body: Record) -> None:
    flaws = []
    if "customerId" in body and "customerGroupId" in body:
        key = "useEitherCustomerIdOrCustomerGroupId"
        flaws.append(Flaw("body", ("customerId",), key, "not both"))
    if body.get("invoiceCurrency", "NOK") != "NOK" and "exchangeRateReferenceDate" not in body:
        key = "exchangeRateReferenceDateRequired"
        flaws.append(Flaw("body", ("exchangeRateReferenceDate",), key, "is required"))
    if flaws:
        raise invalid(body, flaws)
    if "attachmentFileId" in body:
        raise rule(
            "InvoiceDraftCreatedWithAttachmentException",
            "En kladd kan ikke lages med vedlegg.",
            "A draft cannot be created with an attachment.",
        )


def _check_references(call: Call) -> None:
    # Guessed (facts 5.4): an unknown customer or project answers as a project's customer does.
    body, own = call.body, call.own
    products = {line.get("productId") for line in body.get("invoiceDraftLines", [])} - {None}
    if (
        any(name in body for name in NOBODY_HAS)
        or ("customerId" in body and body["customerId"] not in own.customers)
        or ("projectId" in body and body["projectId"] not in own.projects)
        or products - set(own.products)
    ):
        raise foreign_key()
    if "projectId" in body and "customerId" in body:
        owner = own.projects[body["projectId"]].data.get("customerId")
        if owner is not None and owner != body["customerId"]:
            raise rule(
                "CustomerIdDoesNotMatchCustomerIdOnProjectException",
                "Kunden er en annen enn prosjektets kunde.",
                "The customer differs from the project's customer.",
            )


def _numbered(lines: list[Record]) -> list[Record]:
    given = [line["lineNo"] for line in lines if "lineNo" in line]
    if given and sorted(given) != list(range(1, len(lines) + 1)):
        raise rule(
            "WrongInvoiceLinesNumberingException",
            "Linjene må nummereres 1, 2, 3 uten hull.",
            "The lines must be numbered 1, 2, 3 without gaps.",
        )
    fields = ("productId", "description", "price", "quantity", "discount", "vatCode")
    numbered = [
        {name: line[name] for name in fields if name in line}
        | {"lineNo": line.get("lineNo", position)}
        for position, line in enumerate(lines, start=1)
    ]
    return sorted(numbered, key=lambda line: line["lineNo"])


def _check_vat(own: Organization, lines: list[Record]) -> None:
    if any(line["vatCode"] not in own.vat_codes for line in lines):
        raise rule(
            "WrongVatCodeException",
            "MVA-koden kan ikke brukes av denne virksomheten.",
            "The VAT code is not available for this organization.",
        )


def _hit(own: Organization, row: Kept) -> Record:
    data = row.data
    customer = own.customers.get(data.get("customerId", 0))
    facts = customer.data if customer else {}
    lines = data["invoiceDraftLines"]
    hit = {
        "id": row.id,
        "customerId": data.get("customerId"),
        "customerName": facts.get("name"),
        "customerOrgNo": facts.get("orgNo"),
        "customerEmailAddress": facts.get("emailAddress"),
        "sumNet": data.get("sumNet", Decimal(0)),
        "sumVAT": data.get("sumVAT"),
        "sumTotal": data.get("sumTotal"),
        "sumRemaining": data.get("sumRemaining"),
        "personalMessage": data.get("personalMessage"),
        "invoiceLineDescription": lines[0]["description"] if lines else None,
        "createdAt": row.whole()["createdAt"],
        "createdByUser": row.hidden.get("createdByUser"),
    }
    return {name: value for name, value in hit.items() if value is not None}

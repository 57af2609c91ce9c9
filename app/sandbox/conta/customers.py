"""Serve customers: thin list hits, whole-record PUT, no delete (facts of 2026-11, section 3)."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from app.sandbox.conta.access import Call
from app.sandbox.conta.errors import invalid, rule
from app.sandbox.conta.listing import ZONE, page_of, within
from app.sandbox.conta.store import Kept, Organization
from app.sandbox.openapi import Flaw
from app.sandbox.seed_words import WEIGHTS

Record = dict[str, Any]

ADDRESSES = ("mailingAddress", "deliveryAddress")
COMPANY_ONLY = ("orgNo", "parentCompanyNameForNuf", "ehfRecipientOrgNo")


def search(call: Call) -> Record:
    """List customers, inactive ones too (likely, facts 3.3)."""
    query, own = call.query, call.own
    rows = list(own.customers.values())
    if kind := query.get("customerType"):
        rows = [row for row in rows if row.data.get("customerType") == kind]
    first, last = query.get("modifiedFromDate"), query.get("modifiedToDate")
    rows = [r for r in rows if within(r.modified_at.astimezone(ZONE).date(), first, last)]
    billed = _billed(own)
    return page_of(
        call,
        rows,
        lambda row: _hit(row, billed),
        searched=("customerName", "orgNo", "emailAddress"),
    )


def create(call: Call) -> Record:
    """Create a customer; equal names and organization numbers are accepted."""
    _check(call.body)
    kept = call.store.keep(call.own.customers, "customer", _written(call, {"isActive": True}))
    _own_contacts(call, kept)
    call.store.tell("customer", "created", call.own, kept.id)
    return kept.data


def read(call: Call) -> Record:
    """Read a whole customer."""
    return call.one(call.own.customers).data


def update(call: Call) -> Record:
    """Replace the whole record: what is left out is cleared, contacts too (guessed, facts 3.4)."""
    kept = call.one(call.own.customers)
    _check(call.body)
    _check_person(call.body)
    # Guessed: isActive left out means the column's default, so a PUT can revive a customer.
    kept.data = {"id": kept.id, **_written(call, {"isActive": True})}
    _own_contacts(call, kept)
    kept.modified_at = call.store.clock.now()
    call.store.tell("customer", "updated", call.own, kept.id)
    return kept.data


def can_receive_ehf(number: str | None) -> bool:
    """Say whether a company can receive EHF: here, each with a valid organization number."""
    digits = re.sub(r"[^0-9]", "", number or "")
    if len(digits) != 9:
        return False
    rest = 11 - sum(int(d) * w for d, w in zip(digits, WEIGHTS, strict=False)) % 11
    return rest != 10 and rest % 11 == int(digits[8])


def known_fields(call: Call, schema: str) -> set[str]:
    """Give the members that Conta keeps; unknown ones are dropped silently."""
    schemas = call.store.contract.document["components"]["schemas"]
    return set(schemas[schema]["properties"]) - {"id"}


def _written(call: Call, defaults: Record) -> Record:
    known = known_fields(call, "CustomerCreate")
    return defaults | {name: value for name, value in call.body.items() if name in known}


def _own_contacts(call: Call, kept: Kept) -> None:
    if "contacts" in kept.data:
        kept.data["contacts"] = [
            {**contact, "id": call.store.new_id("contact"), "customerId": kept.id}
            if "id" not in contact
            else {**contact, "customerId": kept.id}
            for contact in kept.data["contacts"]
        ]


def _check(body: Record) -> None:
    if flaws := list(_address_flaws(body)):
        raise invalid(body, flaws)
    if body.get("invoiceDeliveryMethod") == "EHF" or body.get("ehfRecipientOrgNo"):
        number = body.get("ehfRecipientOrgNo") or body.get("orgNo")
        if not can_receive_ehf(number):
            raise rule(
                "OrgCannotReceiveEhfException",
                "Mottakeren kan ikke motta EHF.",
                "The recipient cannot receive EHF.",
            )


def _address_flaws(body: Record) -> Iterator[Flaw]:
    for name in ADDRESSES:
        parts = [f"{name}{part}" in body for part in ("Line1", "Postcode", "City")]
        if all(parts):
            continue
        if any(parts):
            yield Flaw("body", (f"{name}Line1",), f"{name}IsNotComplete", "is not complete")
        for part in ("Line2", "Country"):
            if (field := f"{name}{part}") in body:
                yield Flaw("body", (field,), f"{name}{part}RequiresCompleteAddress", "needs all")


def _check_person(body: Record) -> None:
    # Guessed (facts 13.13): which fields are meant is not said; PUT only.
    if body["customerType"] != "INDIVIDUAL":
        return
    wrong = [name for name in COMPANY_ONLY if body.get(name)]
    if body.get("invoiceDeliveryMethod") == "EHF":
        wrong.append("invoiceDeliveryMethod")
    if wrong:
        key = "typeOfInformationForbiddenForIndividuals"
        raise invalid(body, [Flaw("body", (name,), key, "is for companies") for name in wrong])


def _billed(own: Organization) -> dict[int, list[Record]]:
    billed: dict[int, list[Record]] = {}
    for invoice in own.invoices.values():
        billed.setdefault(invoice.data.get("customerId", 0), []).append(invoice.data)
    return billed


def _hit(row: Kept, billed: dict[int, list[Record]]) -> Record:
    data, invoices = row.data, billed.get(row.id, [])
    remaining = sum((n["sumRemaining"] for n in invoices), Decimal(0))
    hit = {
        "id": row.id,
        "customerName": data.get("name"),
        "orgNo": data.get("orgNo"),
        "emailAddress": data.get("emailAddress"),
        "customerType": data.get("customerType"),
        "numberOfInvoices": len(invoices),
        "sumTotalInvoiced": sum((n["sumTotal"] for n in invoices), Decimal(0)),
        "sumRemainingInvoices": remaining,
        "numberOfEstimates": 0,
        "numberOfOrders": 0,
        "sumEstimates": 0,
        "sumOrders": 0,
        "accountsReceivable": remaining,
        "invoiceDeliveryMethod": data.get("invoiceDeliveryMethod"),
        "isActive": data.get("isActive"),
    }
    return {name: value for name, value in hit.items() if value is not None}

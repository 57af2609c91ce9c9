"""Serve invoices and their events, read for status only (facts of 2026-11, section 8)."""

from typing import Any

from app.sandbox.conta.access import Call
from app.sandbox.conta.drafts import filtered
from app.sandbox.conta.listing import ZONE, page_of
from app.sandbox.conta.store import Kept, Organization

Record = dict[str, Any]

OPEN = frozenset({"INVOICE_CREATED", "PAYMENT_REMINDER_CREATED"})


def search(call: Call) -> Record:
    """List invoices; ``q`` also looks in reference and message (guessed)."""
    rows = filtered(call, list(call.own.invoices.values()))
    query = call.query
    if number := query.get("invoiceNo"):
        rows = [row for row in rows if row.data["invoiceNo"] == number]
    if query.get("isCreatedInOtherSystem"):
        rows = []
    if wanted := query.get("type"):
        today = call.store.clock.now().astimezone(ZONE).date().isoformat()
        rows = [row for row in rows if _is(wanted, row.data, today)]
    searched = ("customerName", "customerReference", "personalMessage", "invoiceNo")
    return page_of(call, rows, lambda row: _hit(call.own, row), searched=searched)


def read(call: Call) -> Record:
    """Read an invoice with its lines; nothing points back to its draft."""
    return call.one(call.own.invoices).data


def events(call: Call) -> Record:
    """List what happened to an invoice; days only, no paging."""
    happened = call.one(call.own.invoices, "invoiceId").hidden.get("events", [])
    count = {"hitCount": len(happened), "pageCount": min(1, len(happened))}
    return {"hits": happened, **count} if happened else count


def _is(wanted: str, data: Record, today: str) -> bool:
    owed = data["status"] in OPEN and data["sumRemaining"] > 0
    match wanted:
        case "PAID":
            return bool(data["status"] == "CLOSED_BY_PAYMENT")
        case "UNPAID" | "ACTIVE":
            return owed
        case "OVERDUE":
            return owed and data["invoiceDueDate"] < today
        case _:
            return False


def _hit(own: Organization, row: Kept) -> Record:
    customer = own.customers.get(row.data.get("customerId", 0))
    facts = customer.data if customer else {}
    hit = {name: value for name, value in row.data.items() if name != "invoiceLines"} | {
        "customerName": facts.get("name"),
        "customerOrgNo": facts.get("orgNo"),
        "createdAt": row.whole()["createdAt"],
    }
    return {name: value for name, value in hit.items() if value is not None}

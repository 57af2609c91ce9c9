"""Do what a person does in Conta's web app: edit, archive, delete, send, pay, credit."""

from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from app.sandbox.conta.drafts import checked_totals, draft_lines
from app.sandbox.conta.listing import ZONE
from app.sandbox.conta.store import Kept, Organization, Shelf, Store

Record = dict[str, Any]

DUE_DAYS = 14
NEW_LINE = {"discount": 0, "quantity": 1, "vatCode": "high"}
LINE_FIELDS = ("productId", "description", "price", "quantity", "discount", "vatCode")
CARRIED = (
    "type", "customerId", "projectId", "departmentId", "sumNet", "sumVAT", "sumTotal",
    "sumRemaining", "personalMessage", "customerReference", "invoiceLanguage", "invoiceCurrency",
)  # fmt: skip


class NotDone(Exception):  # noqa: N818 - named by what the web app says
    """Say why the web app does not do it."""


def shelf_of(own: Organization, kind: str) -> Shelf:
    """Give the shelf of a kind: customer or project."""
    return own.customers if kind == "customer" else own.projects


def add(store: Store, own: Organization, kind: str, fields: Record) -> Kept:
    """Create a record without any check: old and imported records are incomplete too."""
    defaults = {"isActive": True} if kind == "customer" else {"isHidden": False}
    given = {name: value for name, value in fields.items() if name != "id" and value is not None}
    kept = store.keep(shelf_of(own, kind), kind, defaults | given)
    store.tell(kind, "created", own, kept.id)
    return kept


def edit(store: Store, own: Organization, kind: str, record_id: int, fields: Record) -> Kept:
    """Change single fields; null clears one."""
    kept = shelf_of(own, kind)[record_id]
    merged = kept.data | fields | {"id": record_id}
    kept.data = {name: value for name, value in merged.items() if value is not None}
    kept.modified_at = store.clock.now()
    store.tell(kind, "updated", own, record_id)
    return kept


def delete(store: Store, own: Organization, kind: str, record_id: int) -> None:
    """
    Delete a customer or project; projects and drafts that named it stay, without it.

    Raises:
        NotDone: It has been invoiced.

    """
    name = f"{kind}Id"
    if any(invoice.data.get(name) == record_id for invoice in own.invoices.values()):
        raise NotDone(f"The {kind} {record_id} has invoices.")
    del shelf_of(own, kind)[record_id]
    for other in (*own.projects.values(), *own.drafts.values()):
        if other.data.get(name) == record_id:
            del other.data[name]
    store.tell(kind, "deleted", own, record_id)


def edit_draft(store: Store, own: Organization, draft_id: int, fields: Record) -> Kept:
    """Change a draft's text or lines; sums are reckoned again."""
    kept = own.drafts[draft_id]
    wanted = fields["lines"] if "lines" in fields else kept.data["invoiceDraftLines"]
    lines = [
        {name: line[name] for name in LINE_FIELDS if name in line} | {"lineNo": position}
        for position, given in enumerate(wanted, start=1)
        for line in [NEW_LINE | given]
    ]
    texts = {name: value for name, value in fields.items() if name != "lines"}
    merged = kept.data | texts | {"id": draft_id}
    whole = draft_lines(store, draft_id, lines)
    merged |= {"invoiceDraftLines": whole} | checked_totals(kept.data["type"], whole)
    kept.data = {name: value for name, value in merged.items() if value is not None}
    kept.modified_at = store.clock.now()
    return kept


def send_draft(store: Store, own: Organization, draft_id: int) -> Kept:
    """
    Make an invoice of a draft and send it; the draft is gone, the invoice has a new id.

    Raises:
        NotDone: The draft names no customer.

    """
    draft = own.drafts[draft_id].data
    customer = own.customers.get(draft.get("customerId", 0))
    if customer is None:
        raise NotDone(f"The draft {draft_id} has no customer.")
    days = customer.data.get("daysUntilPaymentReminder", DUE_DAYS)
    facts = {name: draft[name] for name in CARRIED if name in draft}
    lines = [
        {name: value for name, value in line.items() if name != "invoiceDraftId"}
        | {"id": store.new_id("line")}
        for line in draft["invoiceDraftLines"]
    ]
    invoice = _invoice(store, own, facts | {"invoiceLines": lines}, days=days, draft=draft_id)
    del own.drafts[draft_id]
    return invoice


def delete_draft(own: Organization, draft_id: int) -> None:
    """Throw a draft away; from outside it looks as if it had been sent."""
    del own.drafts[draft_id]


def pay(store: Store, own: Organization, invoice_id: int, amount: Decimal | None) -> Kept:
    """
    Register a payment; without an amount all that remains.

    Raises:
        NotDone: The invoice is closed, or less than the amount remains.

    """
    kept = own.invoices[invoice_id]
    remaining = kept.data["sumRemaining"]
    paid = remaining if amount is None else amount
    if not 0 < paid <= remaining:
        raise NotDone(f"The invoice {invoice_id} has {remaining} left, not {paid}.")
    kept.data["sumRemaining"] = remaining - paid
    if kept.data["sumRemaining"] == 0:
        kept.data["status"] = "CLOSED_BY_PAYMENT"
    _happened(store, kept, "PAYMENT_RECEIVED", changed=-paid)
    return kept


def credit(store: Store, own: Organization, invoice_id: int) -> Kept:
    """
    Credit a whole invoice; give the credit note.

    Raises:
        NotDone: It is a credit note, or credited already.

    """
    kept = own.invoices[invoice_id]
    data = kept.data
    if data["type"] == "CREDIT" or data["status"] == "CLOSED_BY_CREDIT_NOTE":
        raise NotDone(f"The invoice {invoice_id} cannot be credited.")
    negative = {name: -data[name] for name in ("sumNet", "sumVAT", "sumTotal")}
    lines = [
        {**line, "id": store.new_id("line"), "quantity": -line["quantity"]}
        | {name: -line[name] for name in ("sumNet", "sumDiscount")}
        for line in data["invoiceLines"]
    ]
    facts = {name: data[name] for name in CARRIED if name in data} | negative
    facts |= {"type": "CREDIT", "sumRemaining": Decimal(0), "invoiceLines": lines}
    facts |= {"creditedInvoiceId": invoice_id, "creditedInvoiceNo": data["invoiceNo"]}
    note = _invoice(store, own, facts, days=0)
    changed = -data["sumRemaining"]
    data["status"], data["sumRemaining"] = "CLOSED_BY_CREDIT_NOTE", Decimal(0)
    _happened(store, kept, "INVOICE_CREDITED", changed=changed)
    return note


def _invoice(
    store: Store, own: Organization, facts: Record, *, days: int, draft: int | None = None
) -> Kept:
    today = store.clock.now().astimezone(ZONE).date()
    credits_one = facts["type"] == "CREDIT"
    head = {
        "invoiceNo": 1 + max((i.data["invoiceNo"] for i in own.invoices.values()), default=1000),
        "invoiceDate": today.isoformat(),
        "invoiceDueDate": (today + timedelta(days=days)).isoformat(),
        "status": "INVOICE_CREATED",
    }
    kept = store.keep(own.invoices, "invoice", head | facts, events=[])
    if draft is not None:
        kept.hidden["fromDraftId"] = draft
    _happened(store, kept, "CREDIT_NOTE_CREATED" if credits_one else "INVOICE_CREATED")
    return kept


def _happened(store: Store, kept: Kept, what: str, *, changed: Decimal = Decimal(0)) -> None:
    kept.hidden["events"].append(
        {
            "id": store.new_id("event"),
            "date": store.clock.now().astimezone(ZONE).date().isoformat(),
            "eventType": what,
            "sumRemaining": kept.data["sumRemaining"],
            "sumRemainingChanged": changed,
        }
    )


def amount_of(value: Any) -> Decimal | None:  # noqa: ANN401 - a number or text from JSON
    """
    Read an amount in kroner.

    Raises:
        ValueError: It is no number.

    """
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is no amount") from error

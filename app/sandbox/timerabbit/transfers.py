"""Serve invoice transfers: reserve before the draft is made, complete after it, release."""

from datetime import timedelta
from typing import Any

from app.sandbox.timerabbit.calls import Call
from app.sandbox.timerabbit.entries import conflict, is_held, settle_lapses
from app.sandbox.timerabbit.listing import page_of
from app.sandbox.timerabbit.problems import Refusal, invalid
from app.sandbox.timerabbit.store import Company, Record, text_of


def list_transfers(call: Call) -> Record:
    """List transfers."""
    settle_lapses(call)
    query = call.query
    rows = [
        row
        for row in call.company.transfers.values()
        if query.get("state") in (None, row["state"])
        and query.get("customerId") in (None, row["customerId"])
    ]
    return page_of(call, rows, lambda row: row)


def read_transfer(call: Call) -> Record:
    """Read a transfer."""
    settle_lapses(call)
    return call.tagged(call.one(call.company.transfers, "transferId"))


def reserve(call: Call) -> Record:
    """Hold entries for a draft, all or none, with a snapshot of minutes and rate."""
    settle_lapses(call)
    body, company = call.body, call.company
    if body["customerId"] not in company.customers:
        raise invalid("/customerId", "is unknown")
    ids = [entry["id"] for entry in body["entries"]]
    if len(set(ids)) != len(ids):
        raise invalid("/entries", "names an entry twice")
    conflicts = [c for c in (_hindrance(company, body, e) for e in body["entries"]) if c]
    if conflicts:
        raise Refusal("entry_conflict", conflicts=conflicts)
    ends = call.store.clock.now() + timedelta(seconds=body.get("ttlSeconds", 900))
    entries = [company.entries[entry_id] for entry_id in ids]
    transfer = call.store.keep(
        company.transfers,
        "transfers",
        {
            "customerId": body["customerId"],
            "target": "conta",
            "state": "reserved",
            "expiresAt": text_of(ends),
            "requestedByEmployeeId": body.get("requestedByEmployeeId"),
            "external": {},
            "entries": [
                {
                    "id": e["id"], "version": e["version"], "minutes": e["minutes"],
                    "hourlyRate": e["hourlyRate"], "released": False,
                }
                for e in entries
            ],
        },
        call.origin,
    )  # fmt: skip
    _mark(call, transfer, entries, state="reserved")
    return call.tagged(transfer, status=201)


def _hindrance(company: Company, body: Record, wanted: Record) -> Record | None:
    entry = company.entries.get(wanted["id"])
    if entry is None or entry["deletedAt"] is not None:
        return conflict(wanted["id"], "deleted")
    approval = company.settings.get("approvalRequired")
    checks = (
        (is_held(entry), "held_by_transfer"),
        (entry["invoiceStatus"] == "invoiced", "already_invoiced"),
        (entry["invoiceStatus"] == "not_billable", "not_billable"),
        (entry["version"] != wanted["version"], "version_mismatch"),
        (entry["customerId"] != body["customerId"], "other_customer"),
        (entry["hourlyRate"] is None, "rate_missing"),
        (bool(approval) and not entry["approval"]["approved"], "not_approved"),
    )
    reason = next((reason for hindered, reason in checks if hindered), None)
    return conflict(wanted["id"], reason, entry) if reason else None


def complete(call: Call) -> Record:
    """Mark the entries as invoiced; again for the same draft changes nothing."""
    settle_lapses(call)
    transfer = call.one(call.company.transfers, "transferId")
    draft_id = call.body.get("draftId")
    if transfer["state"] == "completed":
        if transfer["external"].get("draftId") == draft_id:
            return call.tagged(transfer)
        raise _taken(transfer)
    if transfer["state"] not in ("reserved", "expired"):
        raise _taken(transfer)
    entries = [call.company.entries[part["id"]] for part in transfer["entries"]]
    lost = [e for e in entries if _lost(e, transfer)]
    if lost:
        raise Refusal("entry_conflict", conflicts=[_loss(e) for e in lost])
    changes = {"state": "completed", "external": dict(call.body), "expiresAt": None}
    call.store.touch(transfer, changes, call.origin)
    for entry in entries:
        entry["invoiceStatus"] = "invoiced"
    _mark(call, transfer, entries, state="completed", draft_id=draft_id)
    return call.tagged(transfer)


def _lost(entry: Record, transfer: Record) -> bool:
    held = entry.get("transfer")
    if held is not None:
        return bool(held["transferId"] != transfer["id"])
    return entry["deletedAt"] is not None or entry["invoiceStatus"] != "to_invoice"


def _loss(entry: Record) -> Record:
    if entry["deletedAt"] is not None:
        return conflict(entry["id"], "deleted", entry)
    reason = "held_by_transfer" if is_held(entry) else "already_invoiced"
    return conflict(entry["id"], reason, entry)


def _taken(transfer: Record) -> Refusal:
    reason = "already_invoiced" if transfer["state"] == "completed" else "held_by_transfer"
    return Refusal(
        "entry_conflict", conflicts=[conflict(part["id"], reason) for part in transfer["entries"]]
    )


def release(call: Call) -> Record:
    """Set entries free again; those a person changed since are left as they are."""
    settle_lapses(call)
    transfer = call.one(call.company.transfers, "transferId")
    wanted = set(call.body.get("entryIds") or (part["id"] for part in transfer["entries"]))
    changed = False
    for part in transfer["entries"]:
        if part["id"] in wanted and not part["released"]:
            part["released"] = changed = True
            _free(call, transfer, call.company.entries[part["id"]])
    if changed or transfer["state"] == "expired":
        whole = all(part["released"] for part in transfer["entries"])
        state = "released" if whole else "partly_released"
        call.store.touch(transfer, {"state": state, "expiresAt": None}, call.origin)
    return call.tagged(transfer)


def _free(call: Call, transfer: Record, entry: Record) -> None:
    held = entry.get("transfer")
    if held is None or held["transferId"] != transfer["id"]:
        return
    call.store.touch(entry, {"transfer": None, "invoiceStatus": "to_invoice"}, call.origin)


def patch(call: Call) -> Record:
    """Add what became of the draft: invoice number and date."""
    transfer = call.one(call.company.transfers, "transferId")
    call.expect(transfer)
    external = {**transfer["external"], **call.body}
    call.store.touch(transfer, {"external": external}, call.origin)
    for part in transfer["entries"]:
        held = call.company.entries[part["id"]].get("transfer")
        if held is not None and held["transferId"] == transfer["id"]:
            held["invoiceNumber"] = external.get("invoiceNumber")
    return call.tagged(transfer)


def _mark(
    call: Call,
    transfer: Record,
    entries: list[Record],
    *,
    state: str,
    draft_id: Any = None,  # noqa: ANN401 - as the caller gave it
) -> None:
    for entry in entries:
        held = {
            "transferId": transfer["id"],
            "state": state,
            "draftId": draft_id,
            "invoiceNumber": None,
        }
        call.store.touch(entry, {"transfer": held}, call.origin)

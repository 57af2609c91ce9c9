"""Serve time entries: the filters of «Hent timer», batches by id, and the three-state mark."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from app.sandbox.timerabbit.calls import Call
from app.sandbox.timerabbit.listing import page_of
from app.sandbox.timerabbit.problems import Refusal
from app.sandbox.timerabbit.records import shown
from app.sandbox.timerabbit.store import Company, Record

HELD = ("reserved", "completed", "partly_released")


def list_entries(call: Call) -> Record:
    """List entries; totals are those of the whole selection."""
    query, company = call.query, call.company
    first, last = query.get("dateFrom"), query.get("dateTo")
    if first is not None and last is not None and first > last:
        raise Refusal(
            "validation_failed",
            errors=[{"pointer": "/dateFrom", "message": "is after dateTo"}],
        )
    settle_lapses(call)
    rows = [row for row in company.entries.values() if _wanted(company, row, query)]
    living = [row for row in rows if row["deletedAt"] is None]
    totals = {
        "count": len(living),
        "minutes": sum(row["minutes"] for row in living),
        "amount": str(sum((_amount(row) for row in living), Decimal(0))),
    }
    return page_of(call, rows, shown, by_date=query.get("sort") == "date", totals=totals)


def _amount(row: Record) -> Decimal:
    exact = Decimal(row["hourlyRate"] or 0) * row["minutes"] / 60
    rounded: Decimal = exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return rounded


def _wanted(company: Company, row: Record, query: Record) -> bool:
    if row["deletedAt"] is not None:
        return True
    state, transfer = row["invoiceStatus"], row.get("transfer")
    checks: dict[str, Any] = {
        "customerId": lambda v: row["customerId"] == v,
        "projectId": lambda v: row["projectId"] in _family(company, v, query),
        "employeeId": lambda v: row["employeeId"] == v,
        "dateFrom": lambda v: row["date"] >= v,
        "dateTo": lambda v: row["date"] <= v,
        "invoiceStatus": lambda v: state in v,
        "billable": lambda v: (state != "not_billable") == v,
        "uninvoiced": lambda v: is_free(row) == v,
        "approved": lambda v: row.get("approval", {}).get("approved", False) == v,
        "transferId": lambda v: transfer is not None and transfer["transferId"] == v,
    }
    return all(check(query[name]) for name, check in checks.items() if name in query)


def _family(company: Company, project_id: str, query: Record) -> set[str]:
    family = {project_id}
    while query.get("includeSubprojects", True):
        more = {p["id"] for p in company.projects.values() if p.get("parentProjectId") in family}
        if more <= family:
            break
        family |= more
    return family


def is_held(row: Record) -> bool:
    """Say whether a transfer holds the entry."""
    transfer = row.get("transfer")
    return transfer is not None and transfer["state"] in HELD


def is_free(row: Record) -> bool:
    """Say whether «Conta-faktura» offers the entry."""
    return row["invoiceStatus"] == "to_invoice" and not is_held(row)


def read_entry(call: Call) -> Record:
    """Read an entry or its tombstone."""
    settle_lapses(call)
    record = call.one(call.company.entries, "timeEntryId")
    return call.tagged(record) and shown(record)


def batch_get(call: Call) -> Record:
    """Read many entries by id."""
    settle_lapses(call)
    entries = call.company.entries
    return {
        "items": [shown(entries[key]) for key in call.body["ids"] if key in entries],
        "notFound": [key for key in call.body["ids"] if key not in entries],
    }


def set_status(call: Call) -> Record:
    """Mark entries, all or none."""
    settle_lapses(call)
    wanted = call.body["entries"]
    conflicts = [c for c in (_conflict(call.company, e) for e in wanted) if c]
    if conflicts:
        raise Refusal("entry_conflict", conflicts=conflicts)
    records = [call.company.entries[e["id"]] for e in wanted]
    for record in records:
        if record["invoiceStatus"] != call.body["invoiceStatus"]:
            changes = {"invoiceStatus": call.body["invoiceStatus"]}
            call.store.touch(record, changes, call.origin)
    return {"items": records}


def _conflict(company: Company, wanted: Record) -> Record | None:
    record = company.entries.get(wanted["id"])
    if record is None or record["deletedAt"] is not None:
        return conflict(wanted["id"], "deleted")
    if record["version"] != wanted["version"]:
        return conflict(wanted["id"], "version_mismatch", record)
    if is_held(record):
        return conflict(wanted["id"], "held_by_transfer", record)
    return None


def conflict(entry_id: str, reason: str, record: Record | None = None) -> Record:
    """Say why one entry cannot be taken."""
    transfer = (record or {}).get("transfer")
    return {
        "id": entry_id,
        "reason": reason,
        "currentVersion": record["version"] if record else None,
        "transferId": transfer["transferId"] if transfer else None,
    }


def reprice(company: Company, kind: str, record: Record) -> None:
    """
    Let a customer's or project's new rate be that of its hours; their versions stay.

    An entry's rate is the one that applies now, so nobody edits it. Its own rate stands above.
    """
    narrower = {"customer": ("entry", "project"), "project": ("entry",)}[kind]
    for row in company.entries.values():
        if row[f"{kind}Id"] == record["id"] and row["rateSource"] not in narrower:
            row.update(hourlyRate=record["hourlyRate"], rateSource=kind)


def settle_lapses(call: Call) -> None:
    """Let reservations lapse whose time is over: their entries are free again."""
    now = call.store.now()
    for transfer in call.company.transfers.values():
        if transfer["state"] == "reserved" and transfer["expiresAt"] <= now:
            call.store.touch(transfer, {"state": "expired"}, call.origin)
            for part in transfer["entries"]:
                entry = call.company.entries[part["id"]]
                held = entry.get("transfer")
                if held is not None and held["transferId"] == transfer["id"]:
                    entry["transfer"] = None

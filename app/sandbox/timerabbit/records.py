"""Serve customers, projects and employees: versions, merge patch, tombstones, the customer lock."""

from typing import Any

from app.sandbox.timerabbit.calls import Call
from app.sandbox.timerabbit.listing import page_of
from app.sandbox.timerabbit.problems import Refusal, invalid
from app.sandbox.timerabbit.store import Company, Record, Shelf, Store

CUSTOMER: Record = {
    "number": None, "organizationNumber": None, "email": None, "phone": None, "address": {},
    "invoiceAddress": None, "hourlyRate": None, "notes": None, "active": True, "externalRefs": {},
    "contacts": [],
}  # fmt: skip
PROJECT: Record = {
    "number": None, "customerId": None, "notes": None, "active": True, "externalRefs": {},
    "parentProjectId": None, "startDate": None, "endDate": None, "hourlyRate": None,
}  # fmt: skip
KEPT_OF_TOMBSTONES = ("id", "version", "createdAt", "updatedAt", "deletedAt", "lastChangedBy")


def shown(record: Record) -> Record:
    """Show a record; of a tombstone only what is promised."""
    if record["deletedAt"] is None:
        return record
    told = {name: record[name] for name in KEPT_OF_TOMBSTONES}
    if record.get("mergedIntoId"):
        told["mergedIntoId"] = record["mergedIntoId"]
    return told


def list_customers(call: Call) -> Record:
    """List customers."""
    query = call.query
    rows = [
        row
        for row in call.company.customers.values()
        if _same(row, query, "kind") and _same(row, query, "active")
        and _same(row, query, "organizationNumber") and _found(row, query.get("q"))
    ]  # fmt: skip
    return page_of(call, rows, shown)


def _same(row: Record, query: Record, name: str) -> bool:
    return name not in query or row["deletedAt"] is not None or row.get(name) == query[name]


def _found(row: Record, word: str | None) -> bool:
    texts = (row.get(name) for name in ("name", "number", "email", "organizationNumber"))
    return word is None or any(word.lower() in (text or "").lower() for text in texts)


def create_customer(call: Call) -> Record:
    """Make a customer; a taken organization number is refused unless allowed."""
    body = {**CUSTOMER, **call.body}
    allowed = body.pop("allowDuplicate", False)
    number = body["organizationNumber"]
    for other in call.company.customers.values():
        taken = number and other.get("organizationNumber") == number and not other["deletedAt"]
        if taken and not allowed:
            raise Refusal("duplicate_customer", existingId=other["id"])
    return _made(call, call.company.customers, "customers", body)


def read_customer(call: Call) -> Record:
    """Read a customer or its tombstone."""
    return _read(call, call.company.customers, "customerId")


def update_customer(call: Call) -> Record:
    """Change a customer by merge patch."""
    return _patched(call, call.company.customers, "customerId", "customer")


def list_projects(call: Call) -> Record:
    """List projects; the customer ``none`` chooses those without one."""
    query = call.query
    wanted = query.get("customerId")
    rows = [
        row
        for row in call.company.projects.values()
        if (wanted is None or row.get("customerId") == (None if wanted == "none" else wanted))
        and _same(row, query, "parentProjectId")
        and _same(row, query, "active")
    ]
    return page_of(call, rows, shown)


def create_project(call: Call) -> Record:
    """Make a project; numbers are unique."""
    body = {**PROJECT, **call.body}
    _check_project(call.company, body, own_id=None)
    return _made(call, call.company.projects, "projects", body)


def read_project(call: Call) -> Record:
    """Read a project or its tombstone."""
    return _read(call, call.company.projects, "projectId")


def update_project(call: Call) -> Record:
    """Change a project; its customer is locked while the link to Conta is active."""
    record = call.one(call.company.projects, "projectId")
    if record["deletedAt"] is None:
        _check_lock(call.company, record, call.body)
        _check_project(call.company, {**record, **call.body}, own_id=record["id"])
    return _patched(call, call.company.projects, "projectId", "project")


def _check_lock(company: Company, record: Record, body: Record) -> None:
    moved = "customerId" in body and body["customerId"] != record["customerId"]
    if moved and company.link is not None and company.link["status"] == "active":
        raise Refusal("project_customer_locked")


def _check_project(company: Company, body: Record, *, own_id: str | None) -> None:
    for name, shelf in (
        ("customerId", company.customers),
        ("parentProjectId", company.projects),
    ):
        if body[name] is not None and body[name] not in shelf:
            raise invalid(f"/{name}", "is unknown")
    for other in company.projects.values():
        same = body["number"] and other.get("number") == body["number"]
        if same and other["id"] != own_id and not other["deletedAt"]:
            raise Refusal("duplicate_project_number", existingId=other["id"])


def list_employees(call: Call) -> Record:
    """List employees."""
    rows = [row for row in call.company.employees.values() if _same(row, call.query, "active")]
    return page_of(call, rows, shown)


def read_employee(call: Call) -> Record:
    """Read an employee."""
    return _read(call, call.company.employees, "employeeId")


def merged(old: Any, patch: Any) -> Any:  # noqa: ANN401 - any JSON
    """Lay a merge patch (RFC 7396) over a value; null clears."""
    if not isinstance(patch, dict):
        return patch
    base = dict(old) if isinstance(old, dict) else {}
    return base | {name: merged(base.get(name), value) for name, value in patch.items()}


def event_of(kind: str, before: Record, after: Record) -> str:
    """Name the event of a change; switching off is archiving."""
    archived = before.get("active", True) and after.get("active") is False
    return f"{kind}.{'archived' if archived else 'updated'}"


def change(
    store: Store, company: Company, record: Record, kind: str, patch: Record, origin: Record
) -> None:
    """Change a record as a client or a person does; nothing happens when nothing differs."""
    before = dict(record)
    changes = {name: merged(record.get(name), value) for name, value in patch.items()}
    if all(record.get(name) == value for name, value in changes.items()):
        return
    store.touch(record, changes, origin)
    store.tell_record(
        event_of(kind, before, record), company, record, changedFields=sorted(changes)
    )


def _made(call: Call, shelf: Shelf, kind: str, body: Record) -> Record:
    record = call.store.keep(shelf, kind, body, call.origin)
    call.store.tell_record(f"{kind[:-1]}.created", call.company, record)
    call.answer_headers["Location"] = f"{call.path}/{record['id']}"
    return call.tagged(record, status=201)


def _read(call: Call, shelf: Shelf, name: str) -> Record:
    record = call.one(shelf, name)
    return call.tagged(record) and shown(record)


def _patched(call: Call, shelf: Shelf, name: str, kind: str) -> Record:
    record = call.one(shelf, name)
    if record["deletedAt"] is not None:
        raise Refusal("not_found")
    call.expect(record)
    change(call.store, call.company, record, kind, call.body, call.origin)
    return call.tagged(record)

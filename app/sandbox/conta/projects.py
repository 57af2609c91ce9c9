"""Serve projects: no delete, no modified filter (facts of 2026-11, section 4)."""

from typing import Any

from app.sandbox.conta.access import Call
from app.sandbox.conta.customers import known_fields
from app.sandbox.conta.errors import foreign_key, rule
from app.sandbox.conta.listing import ZONE, page_of
from app.sandbox.conta.store import Kept

Record = dict[str, Any]


def search(call: Call) -> Record:
    """List projects, hidden ones too; ``onlyActive`` (guessed) leaves out hidden and ended ones."""
    rows = list(call.own.projects.values())
    if call.query.get("onlyActive"):
        today = call.store.clock.now().astimezone(ZONE).date().isoformat()
        rows = [r for r in rows if not r.data["isHidden"] and r.data.get("endDate", today) >= today]
    return page_of(call, rows, lambda row: _hit(call, row), searched=("name", "customerName"))


def create(call: Call) -> Record:
    """Create a project."""
    _check(call, None)
    kept = call.store.keep(call.own.projects, "project", _written(call))
    call.store.tell("project", "created", call.own, kept.id)
    return kept.data


def read(call: Call) -> Record:
    """Read a whole project."""
    return call.one(call.own.projects).data


def update(call: Call) -> Record:
    """Replace the whole record; ``isHidden`` left out un-hides the project."""
    kept = call.one(call.own.projects)
    _check(call, kept)
    _check_move(call, kept)
    kept.data = {"id": kept.id, **_written(call)}
    kept.modified_at = call.store.clock.now()
    call.store.tell("project", "updated", call.own, kept.id)
    return kept.data


def _written(call: Call) -> Record:
    known = known_fields(call, "ProjectCreate")
    return {"isHidden": False} | {n: v for n, v in call.body.items() if n in known}


def _check(call: Call, old: Kept | None) -> None:
    body, own = call.body, call.own
    if body.get("startDate", "") > body.get("endDate", "9999"):
        raise rule(
            "PropertyComparisonGreaterThanException",
            "Startdato må være før sluttdato.",
            "The start date must be before the end date.",
            propertyName="startDate",
            comparisonPropertyName="endDate",
        )
    if "customerId" in body and body["customerId"] not in own.customers:
        raise foreign_key()
    if (number := body.get("vismaNo")) is None:
        return
    for other in own.projects.values():
        if other is not old and other.data.get("vismaNo") == number:
            raise rule(
                "AlreadyExistsProjectWithSameVismaNoException",
                "Det finnes alt et prosjekt med dette Visma-nummeret.",
                "A project with this Visma number exists already.",
                projectId=other.id,
                vismaNo=number,
            )


def _check_move(call: Call, kept: Kept) -> None:
    wanted = call.body.get("customerId")
    if wanted == kept.data.get("customerId"):
        return
    invoices = [i.data for i in call.own.invoices.values() if i.data.get("projectId") == kept.id]
    customers = {invoice.get("customerId") for invoice in invoices}
    if not customers - {wanted}:
        return
    several = len(customers) > 1
    raise rule(
        "ProjectCanNotBeUpdatedException",
        "Prosjektet har fakturaer til en annen kunde.",
        "The project has invoices to another customer.",
        errorType="INVOICES_HAVE_DIFFERENT_CUSTOMERS"
        if several
        else "DIFFERENT_CUSTOMER_FROM_THE_INVOICES",
    )


def _hit(call: Call, row: Kept) -> Record:
    data = row.data
    customer = call.own.customers.get(data.get("customerId", 0))
    hit = {
        "id": row.id,
        "name": data.get("name"),
        "startDate": data.get("startDate"),
        "endDate": data.get("endDate"),
        "customerId": data.get("customerId"),
        "customerName": customer.data.get("name") if customer else None,
        "isHidden": data.get("isHidden"),
    }
    return {name: value for name, value in hit.items() if value is not None}

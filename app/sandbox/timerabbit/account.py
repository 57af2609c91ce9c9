"""Serve what concerns the connection: handovers, the test, link state, company and settings."""

from datetime import timedelta

from app.sandbox.timerabbit.calls import Call
from app.sandbox.timerabbit.problems import Refusal
from app.sandbox.timerabbit.store import Record, text_of

HANDOVER_LIFETIME = timedelta(minutes=30)
SCOPES = (
    "company.read", "customers.write", "projects.write", "employees.read", "time.read",
    "time.mark", "link.write", "webhooks.write",
)  # fmt: skip


def create_handover(call: Call) -> Record:
    """Start a log-in or registration; the person's browser goes to ``handoverUrl``."""
    store = call.store
    key = store.new_id("handovers")
    ends = store.clock.now() + HANDOVER_LIFETIME
    handover = {
        "id": key, "status": "pending", "outcome": None, "companyId": None,
        "handoverUrl": f"{store.base_url}/handover/{key}", "expiresAt": text_of(ends),
    }  # fmt: skip
    store.handovers[key] = {"shown": handover, "asked": call.body, "client": call.client_id}
    call.status = 201
    return handover


def read_handover(call: Call) -> Record:
    """Read a handover."""
    held = call.store.handover(call.values["handoverId"])
    if held is None:
        raise Refusal("not_found")
    shown: Record = held["shown"]
    return shown


def cancel_handover(call: Call) -> None:
    """Cancel a handover that is not finished."""
    shown = read_handover(call)
    if shown["status"] == "pending":
        shown["status"] = "cancelled"
    call.status = 204


def ping(call: Call) -> Record:
    """Say that the credentials are good, and for whom."""
    return {
        "ok": True,
        "companyId": call.company.id,
        "companyName": call.company.facts["name"],
        "scopes": list(SCOPES),
        "serverTime": call.store.now(),
    }


def read_link(call: Call) -> Record:
    """Read the link to Conta as it was last told."""
    if call.company.link is None:
        raise Refusal("not_found")
    return call.tagged(call.company.link)


def put_link(call: Call) -> Record:
    """Keep what we are told of the link; while it is active, projects keep their customer."""
    version = (call.company.link or {"version": 0})["version"] + 1
    call.company.link = {**call.body, "version": version, "updatedAt": call.store.now()}
    return call.tagged(call.company.link)


def delete_link(call: Call) -> None:
    """Forget the link; records and marks stay."""
    call.company.link = None
    call.status = 204


def read_company(call: Call) -> Record:
    """Read the company."""
    return call.tagged(call.company.facts)


def read_settings(call: Call) -> Record | None:
    """Read the settings for Timer, or say that they did not change."""
    settings = call.company.settings
    if call.headers.get("if-none-match") == f'"{settings["version"]}"':
        call.status = 304
        return None
    return call.tagged(settings)


def overtime_types(call: Call) -> Record:
    """List the overtime types."""
    return {"items": call.company.overtime_types}

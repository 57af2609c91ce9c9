"""From hours to a paid invoice, credited, released and billed again, by the products' own ways."""

from typing import Any

import pytest

from app.demo.people import fresh_key, wait_for

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("stories")]


def test_hours_become_a_paid_invoice_are_credited_and_billed_again(theatre: Any) -> None:
    """
    Every krone is judged by the twins' stores: what was billed, paid and credited, and what stands.

    Billed, sent, part paid, paid, credited: shown per draft and per hour; the hours are offered
    once; the second invoice bills what they are then, and each hour is on one living invoice.
    """
    theatre.start_service()
    theatre.start_worker()
    theatre.first_sync()
    people = theatre.people
    entries = [e for e in people.ask("GET", "/billable-entries")["items"] if e["billable"]]
    customer = entries[0]["customerId"]
    mine = {"customerId": customer, "grouping": "entry"}
    preview = people.ask("POST", "/invoice-drafts/preview", mine)
    draft = send(people, preview)
    hour = draft["entries"][0]["entryId"]
    assert draft["state"] == "completed"
    assert place(people, hour) == "in-draft"

    people.conta("POST", f"/organizations/1001/drafts/{draft['contaDraftIds'][0]}/send")
    sent = looked(people, draft, "sent")
    invoice = invoices(people)[draft["mark"]]
    people.conta("POST", f"/invoices/{invoice['id']}/pay", {"amount": 1})
    part = looked(people, draft, "part-paid")
    people.conta("POST", f"/invoices/{invoice['id']}/pay")
    paid = looked(people, draft, "paid")
    assert sent["became"]["number"] == paid["became"]["number"]
    assert part["became"]["remainingOre"] == draft["totalOre"] - 100
    assert place(people, hour) == "invoiced"
    refused = release(people, draft)
    assert (refused.status_code, refused.json()["code"]) == (409, "draft-holds-hours")

    people.conta("POST", f"/invoices/{invoice['id']}/credit")
    credited = looked(people, draft, "credited")
    assert credited["offersRelease"] is True
    assert place(people, hour) == "credited"
    assert status(people, hour) == "invoiced"
    assert release(people, draft).json()["state"] == "released"
    assert (place(people, hour), status(people, hour)) == ("free", "to_invoice")
    assert release(people, draft).json()["code"] == "draft-state"

    people.timerabbit("PATCH", f"/companies/cmp_1/entries/{hour}", {"minutes": 75})
    anew = send(people, people.ask("POST", "/invoice-drafts/preview", mine))
    people.conta("POST", f"/organizations/1001/drafts/{anew['contaDraftIds'][0]}/send")
    looked(people, anew, "sent")

    everything = people.books()["invoices"]
    assert sorted(one["type"] for one in everything) == ["CREDIT", "NORMAL", "NORMAL"]
    assert sum(ore(one) for one in everything) == anew["netOre"], "one bill stands, to the øre"
    assert ore(invoices(people)[anew["mark"]]) == anew["netOre"]
    changed = next(line for line in anew["lines"] if hour in line["entryIds"])
    assert changed["minutes"] == 75
    history = people.ask("GET", f"/ledger?entryId={hour}")["items"][0]["history"]
    assert [(one["draftId"], one["place"]) for one in history] == [
        (anew["id"], "invoiced"), (draft["id"], "free"),
    ]  # fmt: skip


def send(people: Any, preview: dict[str, Any]) -> dict[str, Any]:
    body = {"previewId": preview["previewId"]}
    draft: dict[str, Any] = people.ask("POST", "/invoice-drafts", body, key=fresh_key())
    return draft


def looked(people: Any, draft: dict[str, Any], what: str) -> dict[str, Any]:
    """Look in Conta now until that is what became of the draft."""

    def seen() -> dict[str, Any] | None:
        shown: dict[str, Any] = people.ask("POST", f"/invoice-drafts/{draft['id']}/look")
        return shown if shown["became"]["what"] == what else None

    found: dict[str, Any] = wait_for(f"the draft is {what}", seen, every=0.1)
    return found


def release(people: Any, draft: dict[str, Any]) -> Any:
    path = f"/invoice-drafts/{draft['id']}/release"
    return people.call("POST", path, {"reason": "kreditert"})


def place(people: Any, entry: str) -> str:
    return str(people.ask("GET", f"/ledger?entryId={entry}")["items"][0]["place"])


def status(people: Any, entry: str) -> str:
    return str({e["id"]: e["invoiceStatus"] for e in people.hours()["entries"]}[entry])


def ore(invoice: dict[str, Any]) -> int:
    return round(float(invoice["sumNet"]) * 100)


def invoices(people: Any) -> dict[str, dict[str, Any]]:
    """Give the invoices in Conta's store, credit notes apart, by the mark in their lines."""
    found = {}
    for invoice in people.books()["invoices"]:
        if invoice["type"] != "CREDIT":
            text = str(invoice)
            found[text[text.index("TR-") :][:11]] = invoice
    return found

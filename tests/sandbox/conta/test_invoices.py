import httpx
import pytest

from app.sandbox.conta.store import Store

OWN = "/invoice/organizations/1001"


@pytest.fixture
async def invoice(conta: httpx.AsyncClient, person: httpx.AsyncClient) -> int:
    line = {"description": "Timer [TR-7]", "price": 1000, "quantity": 2, "discount": 0}
    body = {
        "registrationSource": "TIMERABBIT",
        "customerId": 10001,
        "projectId": 700001,
        "customerReference": "Bestilling 4",
        "invoiceDraftLines": [line | {"vatCode": "high"}],
    }
    draft = (await conta.post(f"{OWN}/invoice-drafts", json=body)).json()
    return int((await person.post(f"drafts/{draft['id']}/send")).json()["id"])


async def test_a_sent_draft_is_a_new_invoice_with_the_same_lines(
    conta: httpx.AsyncClient, store: Store, invoice: int
) -> None:
    """Facts 5.6: a new id; the mark in a line's text is the only way back to the draft."""
    read = (await conta.get(f"{OWN}/invoices/{invoice}")).json()

    assert invoice not in range(300_001, 400_000)
    assert read["invoiceLines"][0]["description"] == "Timer [TR-7]"
    assert (read["sumNet"], read["sumTotal"], read["status"]) == (2000, 2500, "INVOICE_CREATED")
    assert (read["customerReference"], read["projectId"]) == ("Bestilling 4", 700001)
    assert not {"fromDraftId", "registrationSource", "createdAt"} & set(read)
    assert store.organizations[1001].invoices[invoice].hidden["fromDraftId"] == 300_001


async def test_invoices_are_listed_by_project_and_reference(
    conta: httpx.AsyncClient, invoice: int
) -> None:
    """Facts 8: list by project; ``q`` also looks in the reference (guessed)."""
    by_project = (await conta.get(f"{OWN}/invoices", params={"projectId": 700001})).json()
    by_text = (await conta.get(f"{OWN}/invoices", params={"q": "bestilling 4"})).json()
    elsewhere = (await conta.get(f"{OWN}/invoices", params={"projectId": 700002})).json()

    assert [hit["id"] for hit in by_project["hits"]] == [invoice]
    assert [hit["id"] for hit in by_text["hits"]] == [invoice]
    assert elsewhere["hitCount"] == 0


async def test_a_payment_in_two_parts_closes_an_invoice(
    conta: httpx.AsyncClient, control: httpx.AsyncClient, invoice: int
) -> None:
    """Facts 8: paid is CLOSED_BY_PAYMENT; events tell each payment by day."""
    await control.post(f"invoices/{invoice}/pay", json={"amount": 500.5})
    part = (await conta.get(f"{OWN}/invoices/{invoice}")).json()
    await control.post(f"invoices/{invoice}/pay")

    whole = (await conta.get(f"{OWN}/invoices/{invoice}")).json()
    events = (await conta.get(f"{OWN}/invoices/{invoice}/events")).json()
    paid = (await conta.get(f"{OWN}/invoices", params={"type": "PAID"})).json()

    assert (part["status"], part["sumRemaining"]) == ("INVOICE_CREATED", 1999.5)
    assert (whole["status"], whole["sumRemaining"]) == ("CLOSED_BY_PAYMENT", 0)
    assert [event["eventType"] for event in events["hits"]] == [
        "INVOICE_CREATED",
        "PAYMENT_RECEIVED",
        "PAYMENT_RECEIVED",
    ]
    assert paid["hitCount"] == 1


async def test_a_credit_note_closes_the_invoice_it_credits(
    conta: httpx.AsyncClient, control: httpx.AsyncClient, invoice: int
) -> None:
    """Facts 5.6: type CREDIT with ``creditedInvoiceId``; the original is CLOSED_BY_CREDIT_NOTE."""
    note = (await control.post(f"invoices/{invoice}/credit")).json()
    again = await control.post(f"invoices/{invoice}/credit")

    read = (await conta.get(f"{OWN}/invoices/{note['id']}")).json()
    original = (await conta.get(f"{OWN}/invoices/{invoice}")).json()

    assert (read["type"], read["creditedInvoiceId"], read["sumTotal"]) == ("CREDIT", invoice, -2500)
    assert (original["status"], original["sumRemaining"]) == ("CLOSED_BY_CREDIT_NOTE", 0)
    assert again.status_code == 409


async def test_more_than_what_remains_cannot_be_paid(
    control: httpx.AsyncClient, invoice: int
) -> None:
    """The person in the web app is stopped too."""
    answer = await control.post(f"invoices/{invoice}/pay", json={"amount": "2500.01"})

    assert answer.status_code == 409


async def listed(conta: httpx.AsyncClient, **params: str | int) -> int:
    page = (await conta.get(f"{OWN}/invoices", params=params)).json()
    return int(page["hitCount"])


async def test_named_filters_tell_open_from_overdue(
    conta: httpx.AsyncClient, store: Store, invoice: int
) -> None:
    """Facts 8: list by ``type`` and by number."""
    before = await listed(conta, type="OVERDUE")
    store.clock.advance(15 * 86_400)

    after = await listed(conta, type="OVERDUE")

    assert (before, after) == (0, 1)
    assert (await listed(conta, type="UNPAID"), await listed(conta, type="PAID")) == (1, 0)
    assert (await listed(conta, invoiceNo=1001), await listed(conta, invoiceNo=1)) == (1, 0)
    assert await listed(conta, type="KRAVIA") == 0
    assert await listed(conta, isCreatedInOtherSystem="true") == 0


async def test_a_project_of_invoices_to_others_cannot_be_moved(
    conta: httpx.AsyncClient, store: Store, invoice: int
) -> None:
    """Facts 4: INVOICES_HAVE_DIFFERENT_CUSTOMERS when the invoices disagree among themselves."""
    own = store.organizations[1001]
    other = store.keep(own.invoices, "invoice", dict(own.invoices[invoice].data))
    other.data |= {"id": other.id, "customerId": 10002}

    answer = await conta.put(f"{OWN}/projects/700001", json={"name": "A", "customerId": 10003})

    assert answer.json()["properties"] == {"errorType": "INVOICES_HAVE_DIFFERENT_CUSTOMERS"}

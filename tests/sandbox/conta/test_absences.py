"""What Conta does not offer, is not offered by its twin either."""

import base64
from typing import Any

import httpx
import pytest

from app.sandbox.conta.hooks import Sender
from app.sandbox.conta.money import RATES
from app.sandbox.conta.store import Organization

OWN = "/invoice/organizations/1001"
SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
CUSTOMER = {
    "name": "Oppdiktet AS",
    "customerType": "ORGANIZATION",
    "customerAddressLine1": "Eksempelveien 1",
    "customerAddressPostcode": "0150",
    "customerAddressCity": "Oslo",
}
LINE = {"description": "x", "price": 1, "quantity": 1, "discount": 0, "vatCode": "high"}
DRAFT = {"registrationSource": "CONTA", "customerId": 10001, "invoiceDraftLines": [LINE]}


async def test_the_old_name_of_the_key_header_opens_nothing(conta: httpx.AsyncClient) -> None:
    """Facts 1 and Corrections: clients send ``apiKey``; the older name is as good as no key."""
    del conta.headers["apikey"]

    answer = await conta.get("/invoice/ping", headers={"conta-api-gateway-key": "conta-demo-key"})

    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["customers/10001", "projects/700001"])
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_no_record_is_patched_or_deleted(
    conta: httpx.AsyncClient, own: Organization, path: str, method: str
) -> None:
    """Facts 2: no PATCH anywhere; facts 3 and 4: no DELETE of customers and projects."""
    answer = await conta.request(method, f"{OWN}/{path}", json={"name": "Ny"})

    assert (answer.status_code, answer.json()["name"]) == (405, "UrlMethodNotFoundException")
    assert 10001 in own.customers
    assert 700001 in own.projects


async def test_an_idempotency_key_is_not_looked_at(
    conta: httpx.AsyncClient, own: Organization
) -> None:
    """Facts 2: no idempotency header of any name."""
    for _ in range(2):
        await conta.post(f"{OWN}/invoice-drafts", json=DRAFT, headers={"Idempotency-Key": "one"})

    assert len(own.drafts) == 2


async def test_nothing_is_told_by_webhook_unless_a_test_says_so(
    conta: httpx.AsyncClient, person: httpx.AsyncClient, control: httpx.AsyncClient, twin: Any
) -> None:
    """Facts 2: Conta documents no webhooks; the twin's own are off until switched on."""
    target = {"url": "http://service.test/hooks", "secret": SECRET}
    added = await control.post("webhooks", json=target)
    await person.patch("customers/10001", json={"phoneNo": "40000000"})
    await conta.post(f"{OWN}/projects", json={"name": "Nytt"})

    sender: Sender = twin.state.sender

    assert added.status_code == 200
    assert list(sender.outcomes) == []
    assert (await control.get("webhooks")).json()["held"] == 0


async def test_a_country_is_any_text(conta: httpx.AsyncClient) -> None:
    """Facts 3.2: the country's name, free text, kept as written; never an ISO code by rule."""
    texts = ["Norge", "Norway", "Nor", "NL", "Deutschland"]
    bodies = [CUSTOMER | {"customerAddressCountry": text} for text in texts]

    made = [(await conta.post(f"{OWN}/customers", json=body)).json() for body in bodies]

    assert [one["customerAddressCountry"] for one in made] == texts


@pytest.mark.parametrize("number", ["860 001 382", "NO 860001381 MVA", "123456789"])
async def test_an_organization_number_is_not_checked(conta: httpx.AsyncClient, number: str) -> None:
    """Facts 3.2 and 13 (guessed): blanks, «MVA» and a wrong check digit are all accepted."""
    answer = await conta.post(f"{OWN}/customers", json=CUSTOMER | {"orgNo": number})

    assert answer.json()["orgNo"] == number


async def test_ehf_recipients_are_asked_by_number(conta: httpx.AsyncClient) -> None:
    """Facts 3.4: ``conta-ehf/recipients`` says whether a number can receive EHF."""
    able = (await conta.get("/invoice/conta-ehf/recipients/860001381")).json()
    unable = (await conta.get("/invoice/conta-ehf/recipients/123456789")).json()

    assert (able["canReceiveInvoices"], unable["canReceiveInvoices"]) == (True, False)


@pytest.mark.parametrize("member", sorted(LINE))
async def test_a_draft_line_needs_all_five_members(conta: httpx.AsyncClient, member: str) -> None:
    """Facts 5.2: description, price, quantity, discount and VAT code; discount too."""
    short = {name: value for name, value in LINE.items() if name != member}

    answer = await conta.post(f"{OWN}/invoice-drafts", json=DRAFT | {"invoiceDraftLines": [short]})

    assert (answer.status_code, answer.json()["name"]) == (409, "InputOpException")


async def test_what_a_draft_has_no_place_for_is_lost(conta: httpx.AsyncClient) -> None:
    """Facts 5.1 and 5.2: no dates, no unit, no external id; unknown members are dropped."""
    extra = {"invoiceDate": "2026-12-01", "externalId": "TR-1"}
    body = DRAFT | extra | {"invoiceDraftLines": [LINE | {"unit": "t", "date": "2026-12-01"}]}

    made = (await conta.post(f"{OWN}/invoice-drafts", json=body)).json()

    assert not {*extra, "createdAt", "status", "url"} & set(made)
    assert not {"unit", "date"} & set(made["invoiceDraftLines"][0])


async def test_credit_and_cash_drafts_are_their_own_types(conta: httpx.AsyncClient) -> None:
    """Facts 5.1: NORMAL unless said; language NO, currency NOK, rate 1 by default."""
    made = (await conta.post(f"{OWN}/invoice-drafts", json=DRAFT)).json()
    cash = (await conta.post(f"{OWN}/invoice-drafts", json=DRAFT | {"type": "CASH"})).json()

    defaults = ("type", "invoiceLanguage", "invoiceCurrency", "exchangeRate")
    assert tuple(made[name] for name in defaults) == ("NORMAL", "NO", "NOK", 1)
    assert cash["type"] == "CASH"


def test_the_rates_of_the_codes_are_norways() -> None:
    """Facts 6: 25, 15 and 12 per cent; the others carry none."""
    charged = {code: rate for code, rate in RATES.items() if rate}

    assert charged == {"high": 25, "medium": 15, "low": 12}


@pytest.mark.parametrize(
    "path", ["departments", "bank-accounts", "invoices/unpaid", "invoice-payments"]
)
async def test_what_the_service_never_calls_is_no_path(conta: httpx.AsyncClient, path: str) -> None:
    """Facts 7, 8 and Corrections: offered by Conta, never called by us; a call is noticed."""
    answer = await conta.get(f"{OWN}/{path}")

    assert answer.status_code == 404

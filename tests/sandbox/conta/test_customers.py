from typing import Any

import httpx
import pytest

from app.sandbox.conta.store import Organization, Store

OWN = "/invoice/organizations/1001"
URL = f"{OWN}/customers"
PERSON = {
    "name": "Prøve Prøvesen",
    "customerType": "INDIVIDUAL",
    "customerAddressLine1": "Eksempelveien 1",
    "customerAddressPostcode": "0150",
    "customerAddressCity": "Oslo",
}
COMPANY = PERSON | {"name": "Oppdiktet AS", "customerType": "ORGANIZATION", "orgNo": "860001381"}


def rules(answer: httpx.Response) -> list[str]:
    return [error["id"] for error in answer.json()["errors"]]


async def test_a_create_answers_200_with_the_whole_customer(conta: httpx.AsyncClient) -> None:
    """Facts 1, 2 and 3: all successes are 200; unset fields are left out; active by default."""
    answer = await conta.post(URL, json=PERSON)

    assert answer.status_code == 200
    assert answer.json() == {"id": 10544, **PERSON, "isActive": True}


async def test_list_hits_are_thin_and_call_the_name_differently(conta: httpx.AsyncClient) -> None:
    """Facts 3.3: ``customerName``, not ``name``; no address, phone or dates."""
    hit = (await conta.get(URL, params={"hits": 1})).json()["hits"][0]

    assert "customerName" in hit
    assert not {"name", "phoneNo", "customerAddressLine1", "createdAt"} & set(hit)


async def test_a_customer_has_no_timestamps_and_no_version(conta: httpx.AsyncClient) -> None:
    """Facts 2 and 3.2: no ETag; no createdAt, modifiedAt or version."""
    answer = await conta.get(f"{URL}/10001")

    assert not {"createdAt", "modifiedAt", "version"} & set(answer.json())
    assert "etag" not in answer.headers


async def test_equal_names_and_numbers_are_accepted(conta: httpx.AsyncClient) -> None:
    """Facts 3.4: no error is documented for duplicates."""
    first = await conta.post(URL, json=COMPANY)
    second = await conta.post(URL, json=COMPANY)

    assert (first.status_code, second.status_code) == (200, 200)
    assert second.json()["id"] > first.json()["id"]


async def test_put_replaces_the_whole_record(conta: httpx.AsyncClient) -> None:
    """Facts 3.4 (guessed): optional fields and contacts that are left out are gone."""
    rich = COMPANY | {"phoneNo": "40000000", "contacts": [{"name": "Kari"}], "isActive": False}
    made = (await conta.post(URL, json=rich)).json()
    assert made["contacts"][0]["customerId"] == made["id"]

    answer = await conta.put(f"{URL}/{made['id']}", json=COMPANY)

    assert answer.json() == {"id": made["id"], **COMPANY, "isActive": True}


async def test_put_keeps_contacts_that_are_sent_back(conta: httpx.AsyncClient) -> None:
    """Facts 3.2 and 3.4: reading first and sending everything back is the safe form."""
    made = (await conta.post(URL, json=COMPANY | {"contacts": [{"name": "Kari"}]})).json()
    body = {name: value for name, value in made.items() if name != "id"}

    answer = await conta.put(f"{URL}/{made['id']}", json=body)

    assert answer.json() == made


async def test_archiving_is_a_put_with_is_active_false(conta: httpx.AsyncClient) -> None:
    """Facts 3: no DELETE; inactive customers stay in the list."""
    await conta.put(f"{URL}/10001", json=COMPANY | {"isActive": False})

    page = (await conta.get(URL, params={"hits": 0})).json()

    assert [hit["isActive"] for hit in page["hits"] if hit["id"] == 10001] == [False]


async def test_a_field_error_echoes_the_input(conta: httpx.AsyncClient) -> None:
    """Facts 9: 409, InputOpException, ``input`` is the echo of the request."""
    body = {name: value for name, value in PERSON.items() if name != "customerAddressCity"}

    answer = await conta.post(URL, json=body)

    error = answer.json()
    assert answer.status_code == 409
    assert (error["category"], error["name"], error["input"]) == ("INPUT", "InputOpException", body)
    assert error["errors"][0]["id"] == "required"
    assert error["errors"][0]["property"]["path"] == "customerAddressCity"


@pytest.mark.parametrize("field", ["name", "phoneNo", "customerAddressLine2", "emailAddress"])
async def test_empty_strings_are_too_short(conta: httpx.AsyncClient, field: str) -> None:
    """Facts 3.2: an empty string breaks nearly every field; leave it out instead."""
    answer = await conta.post(URL, json=PERSON | {field: ""})

    assert answer.status_code == 409
    assert answer.json()["errors"][0]["property"]["path"] == field


@pytest.mark.parametrize("address", ["mailingAddress", "deliveryAddress"])
async def test_a_second_address_is_whole_or_absent(conta: httpx.AsyncClient, address: str) -> None:
    """Facts 3.4: line 1, postcode and city together or none."""
    part = await conta.post(URL, json=COMPANY | {f"{address}City": "Oslo"})
    second_line = await conta.post(URL, json=COMPANY | {f"{address}Line2": "B"})
    country = await conta.post(URL, json=COMPANY | {f"{address}Country": "Norge"})

    assert rules(part) == [f"{address}IsNotComplete"]
    assert rules(second_line) == [f"{address}Line2RequiresCompleteAddress"]
    assert rules(country) == [f"{address}CountryRequiresCompleteAddress"]


async def test_a_text_of_tags_only_is_refused(conta: httpx.AsyncClient) -> None:
    """Facts 3.4: 400 RestPropertyContainsOnlyTagsException."""
    tags = await conta.post(URL, json=PERSON | {"name": "<b></b>"})
    mixed = await conta.post(URL, json=PERSON | {"name": "<b>Kari</b>"})

    assert (tags.status_code, mixed.status_code) == (400, 200)
    assert tags.json()["name"] == "RestPropertyContainsOnlyTagsException"


@pytest.mark.parametrize("kind", ["PERSON", "COMPANY", "individual", ""])
async def test_customers_are_of_two_types(conta: httpx.AsyncClient, kind: str) -> None:
    """Facts 3.1: INDIVIDUAL or ORGANIZATION, and no other word."""
    answer = await conta.post(URL, json=PERSON | {"customerType": kind})

    assert answer.status_code == 409
    assert answer.json()["errors"][0]["property"]["path"] == "customerType"


async def test_company_data_on_a_person_is_refused_on_put_only(conta: httpx.AsyncClient) -> None:
    """Facts 3.4: typeOfInformationForbiddenForIndividuals is listed for PUT only."""
    body = PERSON | {"orgNo": "860001381"}
    made = await conta.post(URL, json=body)

    put = await conta.put(f"{URL}/{made.json()['id']}", json=body)

    assert made.status_code == 200
    assert (put.status_code, rules(put)) == (409, ["typeOfInformationForbiddenForIndividuals"])


async def test_ehf_needs_a_company_that_can_receive_it(conta: httpx.AsyncClient) -> None:
    """Facts 3.4: 422 OrgCannotReceiveEhfException."""
    able = await conta.post(URL, json=COMPANY | {"invoiceDeliveryMethod": "EHF"})
    unable = await conta.post(URL, json=COMPANY | {"invoiceDeliveryMethod": "EHF", "orgNo": "1"})
    asked = await conta.get("/invoice/conta-ehf/recipients/860001381")

    assert (able.status_code, unable.status_code) == (200, 422)
    assert unable.json()["name"] == "OrgCannotReceiveEhfException"
    assert asked.json()["canReceiveInvoices"] is True


async def test_unknown_members_and_a_given_id_are_dropped(conta: httpx.AsyncClient) -> None:
    """Corrections: ``id`` is accepted in POST customers; do not send it."""
    answer = await conta.post(URL, json=PERSON | {"id": 5, "favouriteColour": "blue"})

    assert answer.json()["id"] != 5
    assert "favouriteColour" not in answer.json()


async def test_an_unknown_id_is_404(conta: httpx.AsyncClient) -> None:
    """Facts 9: NotFoundIdModelStorageToolException, also for another organization's id."""
    foreign = await conta.get(f"{URL}/10541")

    assert foreign.status_code == 404
    assert foreign.json() == {"category": "API", "name": "NotFoundIdModelStorageToolException"}


async def changed_today(conta: httpx.AsyncClient, store: Store) -> int:
    day = store.clock.now().date().isoformat()
    page = (await conta.get(URL, params={"hits": 0, "modifiedFromDate": day})).json()
    return int(page["hitCount"])


async def test_modified_from_date_has_the_grain_of_a_day(
    conta: httpx.AsyncClient, person: httpx.AsyncClient, store: Store
) -> None:
    """Facts 3 and 10: whole days; a change by API or by a person in the web app both count."""
    store.clock.advance(2 * 86_400)
    await conta.put(f"{URL}/10001", json=COMPANY)
    await person.patch("customers/10002", json={"phoneNo": "40000001"})

    assert await changed_today(conta, store) == 2


async def test_without_the_filter_its_name_is_ignored(
    conta: httpx.AsyncClient, control: httpx.AsyncClient, store: Store, own: Organization
) -> None:
    """Facts 3 and Corrections: absent in December 2025; an unknown parameter changes nothing."""
    store.clock.advance(2 * 86_400)
    await control.put("modified-filter", json={"on": False})

    assert await changed_today(conta, store) == len(own.customers)


async def test_hits_tell_what_was_invoiced(
    conta: httpx.AsyncClient, person: httpx.AsyncClient
) -> None:
    """Facts 3.3: the hit counts invoices and sums."""
    line: dict[str, Any] = {"description": "Timer", "price": 100, "quantity": 1}
    draft = {
        "registrationSource": "CONTA",
        "customerId": 10001,
        "invoiceDraftLines": [line | {"discount": 0, "vatCode": "high"}],
    }
    made = (await conta.post(f"{OWN}/invoice-drafts", json=draft)).json()
    await person.post(f"drafts/{made['id']}/send")

    hit = (await conta.get(URL, params={"q": "Blåtroll"})).json()["hits"][0]

    assert (hit["numberOfInvoices"], hit["sumTotalInvoiced"]) == (1, 125)

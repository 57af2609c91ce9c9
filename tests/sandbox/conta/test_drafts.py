from typing import Any

import httpx
import pytest

from app.sandbox.conta.store import Organization

OWN = "/invoice/organizations/1001"
URL = f"{OWN}/invoice-drafts"
LINE = {
    "description": "Rådgivning",
    "price": 950,
    "quantity": 1.5,
    "discount": 0,
    "vatCode": "high",
}


def draft(*lines: dict[str, Any], **fields: object) -> dict[str, Any]:
    head = {"registrationSource": "TIMERABBIT", "customerId": 10001}
    return head | {"invoiceDraftLines": list(lines or (LINE,))} | fields


def line(**fields: object) -> dict[str, Any]:
    return LINE | fields


async def test_a_draft_is_read_back_without_its_source(conta: httpx.AsyncClient) -> None:
    """Facts 5.1 and 5.3: ``registrationSource`` is required on create and missing on readback."""
    made = await conta.post(URL, json=draft())

    read = await conta.get(f"{URL}/{made.json()['id']}")

    assert made.status_code == 200
    assert read.json() == made.json()
    assert "registrationSource" not in read.json()


async def test_a_draft_without_source_is_refused(conta: httpx.AsyncClient) -> None:
    """Facts 5.1: the source is required, although it has a default."""
    body = {"customerId": 10001, "invoiceDraftLines": [LINE]}

    answer = await conta.post(URL, json=body)

    assert answer.status_code == 409
    assert answer.json()["errors"][0]["property"]["path"] == "registrationSource"


async def test_one_point_zero_comes_back_as_one(conta: httpx.AsyncClient) -> None:
    """Facts 2 and 5.3: 1.0 was read back as 1; other numbers have no binary noise."""
    answer = await conta.post(
        URL,
        content=b'{"registrationSource":"CONTA","invoiceDraftLines":[{"description":"x",'
        b'"price":1.0,"quantity":0.10,"discount":0.0,"vatCode":"high"}]}',
        headers={"content-type": "application/json"},
    )

    assert '"price": 1,' in answer.text
    assert '"quantity": 0.1,' in answer.text


@pytest.mark.parametrize(
    ("lines", "sums"),
    [
        ([line()], (1425, 356.25, 1781.25)),
        ([line(price=0.333, quantity=3)], (1, 0.25, 1.25)),
        ([line(price=0.125, quantity=1)], (0.13, 0.03, 0.16)),
        ([line(price=1.1, quantity=1.1)] * 3, (3.63, 0.9, 4.53)),
        ([line(discount=33.33)], (950.05, 237.51, 1187.56)),
        ([line(), line(vatCode="exempted", price=100)], (1575, 356.25, 1931.25)),
        ([line(quantity=2), line(quantity=-1)], (950, 237.5, 1187.5)),
    ],
)
async def test_sums_are_reckoned_line_by_line(
    conta: httpx.AsyncClient, lines: list[dict[str, Any]], sums: tuple[float, float, float]
) -> None:
    """Facts 5.3: Conta answers sums; rounding half up per line is guessed (facts 13.9)."""
    made = (await conta.post(URL, json=draft(*lines))).json()

    assert (made["sumNet"], made["sumVAT"], made["sumTotal"]) == sums
    assert made["sumRemaining"] == made["sumTotal"]


async def test_hits_lack_reference_and_project(conta: httpx.AsyncClient) -> None:
    """Facts 5.5: a mark in ``customerReference`` cannot be found in the draft list."""
    body = draft(customerReference="TR-1", projectId=700001, personalMessage="Takk [TR-1]")
    await conta.post(URL, json=body)

    hit = (await conta.get(URL, params={"q": "TR-1"})).json()["hits"][0]

    assert not {"customerReference", "projectId", "status"} & set(hit)
    assert hit["personalMessage"] == "Takk [TR-1]"
    assert hit["customerName"] == "Blåtroll Bygg AS"


async def test_drafts_are_listed_by_project(conta: httpx.AsyncClient) -> None:
    """Facts 5.5: the filter tells of a project what no hit says; an unknown one is 422."""
    made = (await conta.post(URL, json=draft(projectId=700001))).json()
    await conta.post(URL, json=draft())

    mine = (await conta.get(URL, params={"projectId": 700001})).json()["hits"]
    other = await conta.get(URL, params={"projectId": 700002})
    unknown = await conta.get(URL, params={"projectId": 5})

    assert [hit["id"] for hit in mine] == [made["id"]]
    assert other.json()["hitCount"] == 0
    assert (unknown.status_code, unknown.json()["name"]) == (422, "ProjectNotFoundException")


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (draft(line(vatCode="no.vat")), "WrongVatCodeException"),
        (
            draft(customerId=10002, projectId=700001),
            "CustomerIdDoesNotMatchCustomerIdOnProjectException",
        ),
        (draft(line(lineNo=1), line(lineNo=3)), "WrongInvoiceLinesNumberingException"),
        (draft(line(lineNo=1), line()), "WrongInvoiceLinesNumberingException"),
        (draft(line(quantity=-1)), "InvoiceSumTotalCanNotBeNegativeException"),
        (draft(type="CREDIT"), "CreditNoteSumTotalCanNotBePositiveException"),
        (draft(line(price=1e11)), "InvoiceSumTotalOutOfRangeException"),
        (draft(line(price=1e300)), "InvoiceSumTotalOutOfRangeException"),
        (draft(attachmentFileId=1), "InvoiceDraftCreatedWithAttachmentException"),
    ],
)
async def test_business_rules_answer_422_in_both_languages(
    conta: httpx.AsyncClient, own: Organization, body: dict[str, Any], name: str
) -> None:
    """Facts 5.2, 5.4 and 9: CUSTOM with ``messages`` NO and EN, an object on the wire."""
    answer = await conta.post(URL, json=body)

    assert answer.status_code == 422
    assert (answer.json()["category"], answer.json()["name"]) == ("CUSTOM", name)
    assert set(answer.json()["messages"]) == {"NO", "EN"}
    assert own.drafts == {}


async def test_vat_codes_are_a_setting_that_no_call_shows(
    conta: httpx.AsyncClient, person: httpx.AsyncClient
) -> None:
    """Facts 5.4 and 6: with VAT invoicing off even ``high`` is refused."""
    await person.post("vat-codes", json={"codes": ["exempted"]})

    high = await conta.post(URL, json=draft())
    exempted = await conta.post(URL, json=draft(line(vatCode="exempted")))

    assert (high.json()["name"], exempted.status_code) == ("WrongVatCodeException", 200)


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"customerGroupId": 1}, "useEitherCustomerIdOrCustomerGroupId"),
        ({"invoiceCurrency": "EUR"}, "exchangeRateReferenceDateRequired"),
    ],
)
async def test_input_rules_answer_409(
    conta: httpx.AsyncClient, fields: dict[str, object], rule: str
) -> None:
    """Facts 5.1 and 5.4: these two are INPUT, not business rules."""
    answer = await conta.post(URL, json=draft(**fields))

    assert answer.status_code == 409
    assert answer.json()["errors"][0]["id"] == rule


@pytest.mark.parametrize("fields", [{"customerId": 5}, {"projectId": 5}, {"customerId": 10541}])
async def test_an_unknown_customer_or_project_is_a_foreign_key_error(
    conta: httpx.AsyncClient, fields: dict[str, int]
) -> None:
    """Facts 5.4 (guessed): as it was seen for projects."""
    answer = await conta.post(URL, json=draft(**fields))

    assert answer.status_code == 409
    assert answer.json()["name"] == "ForeignKeyViolationDatabaseToolException"


async def test_a_filter_on_an_unknown_customer_is_422(conta: httpx.AsyncClient) -> None:
    """Facts 5.5: CustomerNotFoundException, not an empty list."""
    answer = await conta.get(URL, params={"customerId": 5})

    assert answer.status_code == 422
    assert answer.json()["name"] == "CustomerNotFoundException"


async def test_the_same_draft_twice_makes_two(conta: httpx.AsyncClient, own: Organization) -> None:
    """Facts 2 and 5: no idempotency of any kind; an ``id`` in the body updates nothing."""
    first = (await conta.post(URL, json=draft())).json()

    second = (await conta.post(URL, json=draft(id=first["id"]))).json()

    assert second["id"] > first["id"]
    assert len(own.drafts) == 2


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_drafts_cannot_be_changed_or_deleted(conta: httpx.AsyncClient, method: str) -> None:
    """Facts 5: create, list and read only."""
    made = (await conta.post(URL, json=draft())).json()

    answer = await conta.request(method, f"{URL}/{made['id']}", json=draft())

    assert answer.status_code == 405


@pytest.mark.parametrize("deed", ["send", "delete"])
async def test_a_draft_that_is_gone_looks_the_same_sent_or_deleted(
    conta: httpx.AsyncClient, person: httpx.AsyncClient, deed: str
) -> None:
    """Facts 5 and 5.6: GET answers 404 NotFoundIdModelStorageToolException either way."""
    made = (await conta.post(URL, json=draft())).json()
    await person.post(f"drafts/{made['id']}/{deed}")

    answer = await conta.get(f"{URL}/{made['id']}")

    assert answer.status_code == 404
    assert answer.json()["name"] == "NotFoundIdModelStorageToolException"

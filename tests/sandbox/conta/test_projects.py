import httpx
import pytest

OWN = "/invoice/organizations/1001"
URL = f"{OWN}/projects"


async def drafted_and_sent(
    conta: httpx.AsyncClient, person: httpx.AsyncClient, project: int, customer: int
) -> None:
    line = {"description": "Timer", "price": 1, "quantity": 1, "discount": 0, "vatCode": "high"}
    body = {"registrationSource": "TIMERABBIT", "projectId": project, "customerId": customer}
    draft = await conta.post(f"{OWN}/invoice-drafts", json=body | {"invoiceDraftLines": [line]})
    await person.post(f"drafts/{draft.json()['id']}/send")


async def test_only_the_name_is_required(conta: httpx.AsyncClient) -> None:
    """Facts 4: POST needs a name; the answer has no number, status or timestamps."""
    answer = await conta.post(URL, json={"name": "Nytt"})

    assert answer.status_code == 200
    assert set(answer.json()) == {"id", "name", "isHidden"}


async def test_put_without_is_hidden_unhides(conta: httpx.AsyncClient) -> None:
    """Facts 4: ``isHidden`` defaults to false on PUT; the rest is replaced too (guessed)."""
    made = (await conta.post(URL, json={"name": "A", "isHidden": True, "description": "x"})).json()

    answer = await conta.put(f"{URL}/{made['id']}", json={"name": "B"})

    assert answer.json() == {"id": made["id"], "name": "B", "isHidden": False}


async def test_a_hit_has_the_customers_name_and_no_description(conta: httpx.AsyncClient) -> None:
    """Facts 4: ``customerName`` on the hit; description and vismaNo need a detail GET."""
    body = {"name": "Særegent", "customerId": 10001, "description": "x", "vismaNo": 7}
    await conta.post(URL, json=body)

    hit = (await conta.get(URL, params={"q": "Særegent"})).json()["hits"][0]

    assert hit["customerName"] == "Blåtroll Bygg AS"
    assert not {"description", "vismaNo"} & set(hit)


async def test_only_active_leaves_out_hidden_and_ended(conta: httpx.AsyncClient) -> None:
    """Facts 4 (guessed): what ``onlyActive`` leaves out."""
    await conta.post(URL, json={"name": "Skjult", "isHidden": True})
    await conta.post(URL, json={"name": "Avsluttet", "endDate": "2020-01-01"})

    everything = (await conta.get(URL, params={"hits": 0})).json()["hitCount"]
    active = (await conta.get(URL, params={"hits": 0, "onlyActive": "true"})).json()["hitCount"]

    assert everything - active == 2


async def test_projects_have_no_modified_filter(conta: httpx.AsyncClient) -> None:
    """Facts 4: the unknown parameter is ignored."""
    everything = (await conta.get(URL)).json()

    assert (await conta.get(URL, params={"modifiedFromDate": "2999-01-01"})).json() == everything


@pytest.mark.parametrize("customer", [10541, 5])
async def test_a_customer_of_nobody_or_another_is_a_foreign_key_error(
    conta: httpx.AsyncClient, customer: int
) -> None:
    """Facts 4: seen by a client, in no document: 409 ForeignKeyViolationDatabaseToolException."""
    answer = await conta.post(URL, json={"name": "A", "customerId": customer})

    assert answer.status_code == 409
    assert answer.json()["name"] == "ForeignKeyViolationDatabaseToolException"
    assert answer.json()["category"] == "API"


async def test_a_visma_number_is_used_once(conta: httpx.AsyncClient) -> None:
    """Facts 4: AlreadyExistsProjectWithSameVismaNoException with both numbers."""
    made = (await conta.post(URL, json={"name": "A", "vismaNo": 9})).json()

    answer = await conta.post(URL, json={"name": "B", "vismaNo": 9})

    assert answer.status_code == 422
    assert answer.json()["properties"] == {"projectId": made["id"], "vismaNo": 9}


async def test_the_start_is_not_after_the_end(conta: httpx.AsyncClient) -> None:
    """Facts 4: PropertyComparisonGreaterThanException."""
    body = {"name": "A", "startDate": "2026-02-02", "endDate": "2026-02-01"}

    answer = await conta.post(URL, json=body)

    assert answer.status_code == 422
    assert answer.json()["name"] == "PropertyComparisonGreaterThanException"


async def test_an_invoiced_project_keeps_its_customer(
    conta: httpx.AsyncClient, person: httpx.AsyncClient
) -> None:
    """Facts 4: ProjectCanNotBeUpdatedException; other changes still pass."""
    await drafted_and_sent(conta, person, 700001, 10001)

    moved = await conta.put(f"{URL}/700001", json={"name": "A", "customerId": 10002})
    renamed = await conta.put(f"{URL}/700001", json={"name": "A", "customerId": 10001})

    assert (moved.status_code, renamed.status_code) == (422, 200)
    assert moved.json()["name"] == "ProjectCanNotBeUpdatedException"
    assert moved.json()["properties"] == {"errorType": "DIFFERENT_CUSTOMER_FROM_THE_INVOICES"}

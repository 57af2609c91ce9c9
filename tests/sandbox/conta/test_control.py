from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet

from app.sandbox.conta.store import Store

OWN = "/invoice/organizations/1001"
LINE = {"description": "Timer", "price": 100, "quantity": 1, "discount": 0, "vatCode": "high"}


async def state_of_own(control: httpx.AsyncClient) -> dict[str, Any]:
    state = (await control.get("state")).json()
    own: dict[str, Any] = next(o for o in state["organizations"] if o["id"] == 1001)
    return own


async def test_the_state_shows_what_the_api_hides(
    conta: httpx.AsyncClient, control: httpx.AsyncClient
) -> None:
    """Tests judge by the twin's store: times, sources and counts of calls by template."""
    body = {"registrationSource": "TIMERABBIT", "invoiceDraftLines": [LINE]}
    await conta.post(f"{OWN}/invoice-drafts", json=body)

    state = (await control.get("state")).json()

    own = state["organizations"][0]
    assert own["drafts"][0]["registrationSource"] == "TIMERABBIT"
    assert {"createdAt", "modifiedAt", "name"} <= set(own["customers"][0])
    template = "/invoice/organizations/{opContextOrgId}/invoice-drafts"
    assert state["requests"] == {f"POST {template}": 1}


async def test_a_person_creates_edits_and_deletes_records(
    conta: httpx.AsyncClient, person: httpx.AsyncClient, control: httpx.AsyncClient
) -> None:
    """The web app's deeds: any field, null clears, no API rule in the way."""
    made = (await person.post("customers", json={"name": "Halvferdig"})).json()
    await person.patch(f"customers/{made['id']}", json={"isActive": False, "phoneNo": "40000000"})
    edited = await person.patch(f"customers/{made['id']}", json={"phoneNo": None})
    read = (await conta.get(f"{OWN}/customers/{made['id']}")).json()
    await person.post(f"customers/{made['id']}/delete")
    project = (await person.post("projects", json={"name": "P", "customerId": 10001})).json()
    await person.post("customers/10001/delete")

    own = await state_of_own(control)

    assert edited.status_code == 200
    assert read == {"id": made["id"], "name": "Halvferdig", "isActive": False}
    assert not {made["id"], 10001} & {customer["id"] for customer in own["customers"]}
    assert "customerId" not in next(p for p in own["projects"] if p["id"] == project["id"])


async def test_a_person_edits_a_drafts_lines_and_message(
    conta: httpx.AsyncClient, person: httpx.AsyncClient
) -> None:
    """Sums follow the edit; the id stays."""
    body = {"registrationSource": "CONTA", "customerId": 10001, "invoiceDraftLines": [LINE]}
    made = (await conta.post(f"{OWN}/invoice-drafts", json=body)).json()
    lines = [LINE | {"price": 200.5}, {"description": "Kjøring", "price": 10}]

    await person.post(f"drafts/{made['id']}/edit", json={"lines": lines, "personalMessage": "Hei"})

    read = (await conta.get(f"{OWN}/invoice-drafts/{made['id']}")).json()
    assert (read["sumNet"], read["personalMessage"]) == (210.5, "Hei")
    assert [line["lineNo"] for line in read["invoiceDraftLines"]] == [1, 2]


async def test_an_invoiced_customer_cannot_be_deleted(
    conta: httpx.AsyncClient, person: httpx.AsyncClient
) -> None:
    """Facts 4: what was invoiced stays."""
    body = {"registrationSource": "CONTA", "customerId": 10001, "invoiceDraftLines": [LINE]}
    made = (await conta.post(f"{OWN}/invoice-drafts", json=body)).json()
    await person.post(f"drafts/{made['id']}/send")

    answer = await person.post("customers/10001/delete")

    assert answer.status_code == 409


async def test_wrong_control_calls_say_what_is_wrong(
    person: httpx.AsyncClient, control: httpx.AsyncClient
) -> None:
    """404 for an unknown id, 400 for a wrong value; never a trace."""
    unknown = await person.post("drafts/5/send")
    kind = await control.post("faults", json={"kind": "gremlin"})
    member = await control.post("faults", json={"kind": "latency", "colour": "red"})
    nothing = await control.post("seed", json={})

    statuses = [answer.status_code for answer in (unknown, kind, member, nothing)]
    assert statuses == [404, 400, 400, 404]


async def test_requests_are_logged_and_forgotten(
    conta: httpx.AsyncClient, control: httpx.AsyncClient
) -> None:
    """Control calls are not part of the log."""
    await conta.get("/invoice/ping")

    logged = (await control.get("requests")).json()["requests"]
    await control.delete("requests")

    assert [(r["method"], r["path"], r["status"]) for r in logged] == [
        ("GET", "/invoice/ping", 200)
    ]
    assert (await control.get("requests")).json() == {"requests": []}


async def test_violations_name_the_callers_faults_and_not_the_twins(
    conta: httpx.AsyncClient, control: httpx.AsyncClient
) -> None:
    """A call outside the contract is noted, its answer unchanged."""
    await conta.get(f"{OWN}/customers", params={"pageSize": 5})
    await conta.post(f"{OWN}/customers", json={"name": ""})
    await conta.get(f"{OWN}/invoice-drafts/unpaid/extra")

    violations = (await control.get("violations")).json()

    assert violations["answers"] == []
    assert [v["problems"][0] for v in violations["requests"]] == [
        "query/pageSize: is not in the contract",
        'body: "customerType" is a required property',
        "operation: is unknown",
    ]


async def test_the_clock_moves_and_ids_survive_a_new_seed(
    control: httpx.AsyncClient, store: Store
) -> None:
    """A seed replaces records and keys, not the clock."""
    before = store.clock.now()
    await control.post("clock", json={"advanceSeconds": 3600})

    await control.post("seed", json={"size": 100, "seed": 4})

    assert (store.clock.now() - before).total_seconds() >= 3600
    assert len(store.organizations[1001].customers) == 100


async def test_tokens_are_verified_by_the_published_key(control: httpx.AsyncClient) -> None:
    """The issuer is the twin's own address; accounts and role are claims."""
    facts = {"subject": "kari", "accounts": ["1001"], "role": "administrator"}
    token = (await control.post("tokens", json=facts)).json()["token"]
    jwks = (await control.get("http://conta.test/.well-known/jwks.json")).json()

    decoded = jwt.decode(token, KeySet.import_key_set(jwks), algorithms=["ES256"])

    claims = decoded.claims
    assert decoded.header["kid"] == jwks["keys"][0]["kid"]
    assert "d" not in jwks["keys"][0]
    assert (claims["iss"], claims["aud"]) == ("http://conta.test", "timerabbit-conta")
    assert (claims["sub"], claims["accounts"], claims["role"]) == (
        "kari",
        ["1001"],
        "administrator",
    )
    assert claims["exp"] - claims["iat"] == 900


async def test_the_page_lets_a_person_press_the_buttons(
    conta: httpx.AsyncClient, store: Store
) -> None:
    """Plain forms; what is shown is escaped."""
    own = store.organizations[1001]
    body = {"registrationSource": "CONTA", "customerId": 10001, "invoiceDraftLines": [LINE]}
    made = (await conta.post(f"{OWN}/invoice-drafts", json=body)).json()["id"]
    new_name = {"name": "<script>"}
    await conta.post("/_page/1001/rename-customer/10001", data=new_name)
    await conta.post("/_page/1001/archive-customer/10002")
    await conta.post(f"/_page/1001/edit-draft/{made}", data={"text": "Hei"})

    page = await conta.get("/")
    sent = await conta.post(f"/_page/1001/send-draft/{made}")
    gone = await conta.post(f"/_page/1001/delete-draft/{made}")
    invoice = next(iter(own.invoices))
    await conta.post(f"/_page/1001/pay-invoice/{invoice}")

    assert "<script>" not in page.text
    assert f"/_page/1001/send-draft/{made}" in page.text
    assert (sent.status_code, gone.status_code) == (303, 404)
    assert own.customers[10002].data["isActive"] is False
    assert own.invoices[invoice].data["status"] == "CLOSED_BY_PAYMENT"
    assert own.invoices[invoice].data["personalMessage"] == "Hei"


async def test_the_address_of_an_organizations_invoices_is_a_page(
    conta: httpx.AsyncClient, store: Store
) -> None:
    """Where `contaUrl` leads a person sees the drafts; that is no call of the API."""
    body = {"registrationSource": "CONTA", "customerId": 10001, "invoiceDraftLines": [LINE]}
    made = (await conta.post(f"{OWN}/invoice-drafts", json=body)).json()["id"]
    calls = len(store.requests)

    page = await conta.get("/faktura/1001/fakturaer")
    nobodys = await conta.get("/faktura/7/fakturaer")

    assert f"/_page/1001/send-draft/{made}" in page.text
    assert nobodys.status_code == 404
    assert len(store.requests) == calls


async def test_who_comes_back_from_timerabbit_sees_what_was_brought(
    conta: httpx.AsyncClient,
) -> None:
    """The log-in ends on a page, not on an error; what it carries is shown, not run."""
    page = await conta.get("/tilbake", params={"code": "<script>", "state": "s1"})

    assert page.status_code == 200
    assert "&lt;script&gt;" in page.text
    assert "&quot;state&quot;: &quot;s1&quot;" in page.text


async def test_a_draft_to_nobody_cannot_be_sent(
    conta: httpx.AsyncClient, person: httpx.AsyncClient
) -> None:
    """The API accepts a draft without a customer; sending it needs one."""
    body = {"registrationSource": "CONTA", "invoiceDraftLines": [LINE]}
    made = (await conta.post(f"{OWN}/invoice-drafts", json=body)).json()["id"]

    answer = await person.post(f"drafts/{made}/send")

    assert answer.status_code == 409


async def test_settings_faults_and_keys_are_put_and_taken_away(
    conta: httpx.AsyncClient, control: httpx.AsyncClient
) -> None:
    """What a test sets it can clear."""
    fault = (await control.post("faults", json={"kind": "STATUS_BEFORE", "status": 500})).json()
    broken = await conta.get("/invoice/ping")
    board = (await control.get("faults")).json()
    await control.delete("faults")
    whole = await conta.get("/invoice/ping")
    await control.delete("keys/conta-demo-key")
    refused = await conta.get("/invoice/ping")
    await control.delete("violations")

    assert board["faults"][0]["id"] == fault["id"]
    assert board["counters"] == {"status_before": 1}
    assert [a.status_code for a in (broken, whole, refused)] == [500, 200, 401]

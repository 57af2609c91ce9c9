"""Customers and projects of the twin: versions, merge patch, duplicates, the customer lock."""

from typing import Any

import httpx
import pytest

from app.sandbox.timerabbit.store import Company, Store
from tests.sandbox.timerabbit.conftest import Control, StandingClock, refusal

BAKKEN = {"name": "Bakken AS", "kind": "company"}


async def create(api: httpx.AsyncClient, key: str = "key-0001", **more: Any) -> httpx.Response:
    return await api.post("/customers", json=BAKKEN | more, headers={"Idempotency-Key": key})


async def patch(
    api: httpx.AsyncClient, path: str, body: dict[str, Any], version: int | None
) -> httpx.Response:
    headers = {"Content-Type": "application/merge-patch+json"}
    if version is not None:
        headers["If-Match"] = f'"{version}"'
    return await api.patch(path, json=body, headers=headers)


async def test_a_made_customer_is_version_one_and_says_who_made_it(api: httpx.AsyncClient) -> None:
    """The answer carries ETag and Location; the origin names our client."""
    made = await create(api)

    body = made.json()
    assert (made.status_code, body["version"], made.headers["etag"]) == (201, 1, '"1"')
    assert made.headers["location"].endswith(f"/customers/{body['id']}")
    assert body["lastChangedBy"]["clientId"] == "timerabbit-conta"
    read = await api.get(f"/customers/{body['id']}")
    assert (read.json(), read.headers["etag"]) == (body, '"1"')


async def test_the_same_key_makes_one_customer(api: httpx.AsyncClient, own: Company) -> None:
    """A repeat answers as before; another body under the key is refused."""
    before = len(own.customers)
    first = await create(api)

    again = await create(api)
    other = await create(api, name="Dalen AS")

    assert again.json() == first.json()
    assert refusal(other) == (422, "idempotency_key_reused")
    assert len(own.customers) == before + 1


async def test_a_key_is_forgotten_after_a_day(
    api: httpx.AsyncClient, own: Company, time: StandingClock, store: Store
) -> None:
    """What comes later than 24 hours is a new call."""
    first = await create(api)
    time.advance(24 * 3600)
    for held in store.access.values():
        held["ends"] = time.now().replace(year=2027)

    later = await create(api)

    assert later.json()["id"] != first.json()["id"]


async def test_a_taken_organization_number_is_refused(api: httpx.AsyncClient) -> None:
    """The refusal names who has it; a caller may insist."""
    first = await create(api, organizationNumber="923609016")

    taken = await create(api, "key-0002", organizationNumber="923609016")
    allowed = await create(api, "key-0003", organizationNumber="923609016", allowDuplicate=True)

    assert refusal(taken) == (409, "duplicate_customer")
    assert taken.json()["existingId"] == first.json()["id"]
    assert allowed.status_code == 201
    assert "allowDuplicate" not in allowed.json()


async def test_a_patch_changes_what_it_names(api: httpx.AsyncClient) -> None:
    """Merge patch goes into the address and clears by null; the version rises by one."""
    made = (await create(api, email="a@b.no", address={"line1": "Gata 1", "city": "Oslo"})).json()
    path = f"/customers/{made['id']}"

    changed = await patch(api, path, {"email": None, "address": {"city": "Bergen"}}, 1)

    body = changed.json()
    assert (body["version"], changed.headers["etag"]) == (2, '"2"')
    assert body["email"] is None
    assert (body["address"]["line1"], body["address"]["city"]) == ("Gata 1", "Bergen")


async def test_a_patch_that_changes_nothing_is_no_change(api: httpx.AsyncClient) -> None:
    """Equal content keeps version and time."""
    made = (await create(api)).json()

    same = await patch(api, f"/customers/{made['id']}", {"name": "Bakken AS"}, 1)

    assert same.json() == made


async def test_a_change_must_name_the_present_version(api: httpx.AsyncClient) -> None:
    """Without If-Match 428, with an old one 412; neither changes anything."""
    made = (await create(api)).json()
    path = f"/customers/{made['id']}"
    await patch(api, path, {"name": "Ny"}, 1)

    without = await patch(api, path, {"name": "Nyere"}, None)
    stale = await patch(api, path, {"name": "Nyere"}, 1)

    assert refusal(without) == (428, "if_match_required")
    assert refusal(stale) == (412, "version_mismatch")
    assert (await api.get(path)).json()["name"] == "Ny"


async def test_a_deleted_customer_is_a_tombstone(api: httpx.AsyncClient, control: Control) -> None:
    """A tombstone tells only that and when; it cannot be changed."""
    made = (await create(api)).json()
    path = f"/customers/{made['id']}"
    await control("POST", f"/companies/cmp_1{path}/delete")

    read = await api.get(path)
    changed = await patch(api, path, {"name": "Ny"}, 2)

    assert read.status_code == 200
    assert read.json()["deletedAt"] is not None
    assert "name" not in read.json()
    assert refusal(changed) == (404, "not_found")


async def test_a_merged_customer_says_into_whom(api: httpx.AsyncClient, control: Control) -> None:
    """The tombstone of a merge leads to the survivor."""
    one, other = (await create(api)).json(), (await create(api, "key-0002", name="Dalen AS")).json()

    await control("POST", f"/companies/cmp_1/customers/{one['id']}/merge", {"into": other["id"]})

    read = (await api.get(f"/customers/{one['id']}")).json()
    assert read["mergedIntoId"] == other["id"]


async def test_a_project_needs_a_customer_that_is_there(api: httpx.AsyncClient) -> None:
    """Unknown customer or parent is pointed at; a number is taken once."""
    headers = {"Idempotency-Key": "project-1"}
    made = await api.post("/projects", json={"name": "P", "number": "P-77"}, headers=headers)

    nobodys = await api.post(
        "/projects",
        json={"name": "Q", "customerId": "cus_9999"},
        headers={"Idempotency-Key": "project-2"},
    )
    twice = await api.post(
        "/projects", json={"name": "R", "number": "P-77"}, headers={"Idempotency-Key": "project-3"}
    )

    assert made.status_code == 201
    assert refusal(nobodys) == (422, "validation_failed")
    assert nobodys.json()["errors"][0]["pointer"] == "/customerId"
    assert refusal(twice) == (409, "duplicate_project_number")
    assert twice.json()["existingId"] == made.json()["id"]


@pytest.mark.parametrize(("status", "locked"), [("active", True), ("paused", False)])
async def test_a_projects_customer_is_locked_while_the_link_is_active(
    api: httpx.AsyncClient, status: str, locked: bool
) -> None:
    """Fact 7: with an active Conta link a project keeps its customer; all else may change."""
    one, other = (await create(api)).json(), (await create(api, "key-0002", name="Dalen AS")).json()
    body = {"name": "P", "customerId": one["id"]}
    made = await api.post("/projects", json=body, headers={"Idempotency-Key": "project-1"})
    path = f"/projects/{made.json()['id']}"
    told = {"status": status, "contaOrganizationName": "F", "projectSync": True}
    await api.put("/links/conta", json=told)

    renamed = await patch(api, path, {"name": "P2", "customerId": one["id"]}, 1)
    moved = await patch(api, path, {"customerId": other["id"]}, 2)

    assert renamed.json()["name"] == "P2"
    assert moved.status_code == (409 if locked else 200)
    if locked:
        assert refusal(moved) == (409, "project_customer_locked")


async def test_the_link_is_remembered_until_it_is_forgotten(api: httpx.AsyncClient) -> None:
    """Each telling is a version; after forgetting there is nothing to read."""
    told = {"status": "active", "contaOrganizationName": "F", "projectSync": False}
    before = await api.get("/links/conta")
    await api.put("/links/conta", json=told)
    second = await api.put("/links/conta", json=told | {"status": "paused"})
    read = await api.get("/links/conta")
    gone = await api.delete("/links/conta")

    assert refusal(before) == (404, "not_found")
    assert (second.json()["version"], read.json()["status"]) == (2, "paused")
    assert gone.status_code == 204
    assert refusal(await api.get("/links/conta")) == (404, "not_found")


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": "x", "kind": "alien"}, {"name": "x", "unknown": 1}, []]
)
async def test_what_the_contract_forbids_is_pointed_at(api: httpx.AsyncClient, body: Any) -> None:
    """Nothing is made of a body that is not as agreed."""
    answer = await api.post("/customers", json=body, headers={"Idempotency-Key": "wrong-body"})

    assert refusal(answer) == (422, "validation_failed")
    assert answer.json()["errors"]


async def test_settings_that_did_not_change_are_not_sent_again(api: httpx.AsyncClient) -> None:
    """``If-None-Match`` spares the body."""
    first = await api.get("/settings")

    again = await api.get("/settings", headers={"If-None-Match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")


async def test_what_else_is_read(api: httpx.AsyncClient, own: Company) -> None:
    """Company, test, overtime types and employees are as the company has them."""
    ping, company = (await api.get("/ping")).json(), (await api.get("/company")).json()
    overtime = (await api.get("/overtime-types")).json()["items"]
    employees = (await api.get("/employees", params={"active": "true"})).json()["items"]

    assert (ping["companyId"], company["id"]) == ("cmp_1", "cmp_1")
    assert overtime == own.overtime_types
    one = (await api.get(f"/employees/{employees[0]['id']}")).json()
    assert one == employees[0]


async def test_unknown_addresses_and_methods_are_problems(api: httpx.AsyncClient) -> None:
    """What is no operation is answered in the same form as all else."""
    assert refusal(await api.get("/nothing")) == (404, "not_found")
    assert refusal(await api.delete("/customers")) == (405, "method_not_allowed")
    assert refusal(await api.get("/customers/cus_9999")) == (404, "not_found")

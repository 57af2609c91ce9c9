"""Hours of the twin: marks, reservations with their lapse, completion, release, conflicts."""

from itertools import count
from typing import Any

import httpx
import pytest

from app.sandbox.timerabbit.store import Company
from tests.sandbox.timerabbit.conftest import Control, StandingClock, refusal

_keys = count(1)


async def post(api: httpx.AsyncClient, path: str, body: object) -> httpx.Response:
    return await api.post(
        path, json=body, headers={"Idempotency-Key": f"transfer-{next(_keys):04}"}
    )


async def hour(control: Control, **more: Any) -> dict[str, Any]:
    """A person registers an hour for customer 1."""
    body = {"customerId": "cus_1", "minutes": 90, "hourlyRate": "1000"} | more
    made: dict[str, Any] = await control("POST", "/companies/cmp_1/entries", body)
    return made


async def reserve(api: httpx.AsyncClient, *entries: dict[str, Any], **more: Any) -> httpx.Response:
    body = {
        "customerId": "cus_1", "target": "conta",
        "entries": [{"id": e["id"], "version": e["version"]} for e in entries],
    } | more  # fmt: skip
    return await post(api, "/invoice-transfers", body)


async def complete(
    api: httpx.AsyncClient, transfer: dict[str, Any], draft: str = "501"
) -> httpx.Response:
    return await post(api, f"/invoice-transfers/{transfer['id']}/complete", {"draftId": draft})


async def release(api: httpx.AsyncClient, transfer: dict[str, Any], *ids: str) -> httpx.Response:
    body: dict[str, Any] = {"reason": "draft_failed"} | ({"entryIds": list(ids)} if ids else {})
    return await post(api, f"/invoice-transfers/{transfer['id']}/release", body)


async def read(api: httpx.AsyncClient, entry: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await api.get(f"/time-entries/{entry['id']}")).json()
    return found


async def edit(control: Control, entry: dict[str, Any], **fields: Any) -> dict[str, Any]:
    path = f"/companies/cmp_1/entries/{entry['id']}"
    changed: dict[str, Any] = await control("PATCH", path, fields)
    return changed


def reasons(answer: httpx.Response) -> dict[str, str]:
    assert refusal(answer) == (409, "entry_conflict")
    return {c["id"]: c["reason"] for c in answer.json()["conflicts"]}


async def test_a_reservation_holds_hours_with_minutes_and_rate(
    api: httpx.AsyncClient, control: Control
) -> None:
    """What was reserved is frozen; the hours are offered to nobody else."""
    one = await hour(control)

    transfer = (await reserve(api, one, ttlSeconds=600)).json()

    held = await read(api, one)
    assert (transfer["state"], transfer["expiresAt"]) == ("reserved", "2026-11-24T09:10:00.000000Z")
    (part,) = transfer["entries"]
    assert (part["minutes"], part["hourlyRate"], part["released"]) == (90, "1000", False)
    assert held["transfer"]["transferId"] == transfer["id"]
    free = (await api.get("/time-entries", params={"uninvoiced": "true"})).json()["items"]
    assert one["id"] not in {entry["id"] for entry in free}


@pytest.mark.parametrize(("kind", "source"), [("customers", "customer"), ("projects", "project")])
async def test_a_new_rate_is_that_of_the_hours_and_not_of_what_was_reserved(
    api: httpx.AsyncClient, control: Control, kind: str, source: str
) -> None:
    """No hour was edited, so no version says so; an hour's own rate and the snapshot stay."""
    place = {"projectId": "prj_1", "customerId": "cus_1"}
    one, own = await hour(control, **place), await hour(control, rateSource="entry", **place)
    transfer = (await reserve(api, one)).json()
    held = await read(api, one)

    await control(
        "PATCH", f"/companies/cmp_1/{kind}/{place[f'{source}Id']}", {"hourlyRate": "1300"}
    )

    now, kept = await read(api, one), await read(api, own)
    assert (now["hourlyRate"], now["rateSource"]) == ("1300", source)
    assert (now["version"], now["updatedAt"]) == (held["version"], held["updatedAt"])
    assert kept["hourlyRate"] == "1000"
    again = (await api.get(f"/invoice-transfers/{transfer['id']}")).json()
    assert again["entries"][0]["hourlyRate"] == "1000"


async def test_the_same_key_gives_the_same_reservation(
    api: httpx.AsyncClient, control: Control, own: Company
) -> None:
    """A repeated reservation holds nothing twice and meets no conflict with itself."""
    one = await hour(control)
    body = {"customerId": "cus_1", "target": "conta", "entries": [{"id": one["id"], "version": 1}]}
    headers = {"Idempotency-Key": "same-key-1"}

    first = await api.post("/invoice-transfers", json=body, headers=headers)
    again = await api.post("/invoice-transfers", json=body, headers=headers)

    assert again.json() == first.json()
    assert len(own.transfers) == 1


async def test_each_hour_that_cannot_be_held_says_why_and_none_is_held(
    api: httpx.AsyncClient, control: Control, own: Company
) -> None:
    """All or none: one 409 names every entry and its reason."""
    good, held = await hour(control), await hour(control)
    holder = (await reserve(api, held)).json()
    invoiced = await hour(control, invoiceStatus="invoiced")
    marked = await hour(control, invoiceStatus="not_billable")
    changed = await hour(control)
    await edit(control, changed, minutes=30)
    others = await hour(control, customerId="cus_2")
    priceless = await hour(control, hourlyRate=None)
    gone = await hour(control)
    await control("POST", f"/companies/cmp_1/entries/{gone['id']}/delete")
    never = {"id": "ent_99999", "version": 1}
    bad = (held, invoiced, marked, changed, others, priceless, gone, never)
    versions = [e if e is changed else {**e, "version": _now(own, e)} for e in bad]

    answer = await reserve(api, good, *versions)

    assert reasons(answer) == {
        held["id"]: "held_by_transfer", invoiced["id"]: "already_invoiced",
        marked["id"]: "not_billable", changed["id"]: "version_mismatch",
        others["id"]: "other_customer", priceless["id"]: "rate_missing",
        gone["id"]: "deleted", "ent_99999": "deleted",
    }  # fmt: skip
    by_id = {c["id"]: c for c in answer.json()["conflicts"]}
    assert by_id[held["id"]]["transferId"] == holder["id"]
    assert by_id[changed["id"]]["currentVersion"] == 2
    assert (await read(api, good)).get("transfer") is None


def _now(own: Company, entry: dict[str, Any]) -> int:
    return int(own.entries.get(entry["id"], entry)["version"])


async def test_unapproved_hours_wait_where_approval_is_required(
    api: httpx.AsyncClient, control: Control
) -> None:
    """The company's setting decides."""
    one = await hour(control, approval={"approved": False})
    free = await reserve(api, one, ttlSeconds=60)
    await release(api, free.json())
    await control("POST", "/companies/cmp_1/settings", {"approvalRequired": True})

    answer = await reserve(api, await read(api, one))

    assert free.status_code == 201
    assert reasons(answer) == {one["id"]: "not_approved"}


async def test_a_reservation_names_each_hour_once_and_a_customer_that_is_there(
    api: httpx.AsyncClient, control: Control
) -> None:
    """A list with a double, or an unknown customer, is malformed."""
    one = await hour(control)

    twice = await reserve(api, one, one)
    nobodys = await reserve(api, one, customerId="cus_9999")

    assert refusal(twice) == (422, "validation_failed")
    assert refusal(nobodys) == (422, "validation_failed")


async def test_a_completed_transfer_marks_its_hours_as_invoiced(
    api: httpx.AsyncClient, control: Control
) -> None:
    """The mark names the draft; completing again for the same draft changes nothing."""
    one = await hour(control)
    transfer = (await reserve(api, one)).json()

    done = await complete(api, transfer)
    again = await complete(api, transfer)
    other = await complete(api, transfer, "502")

    held = await read(api, one)
    assert done.json()["state"] == "completed"
    assert again.json() == done.json()
    assert reasons(other) == {one["id"]: "already_invoiced"}
    assert held["invoiceStatus"] == "invoiced"
    assert held["transfer"]["draftId"] == "501"


async def test_a_lapsed_reservation_sets_its_hours_free(
    api: httpx.AsyncClient, control: Control, time: StandingClock
) -> None:
    """After its time another draft may take them."""
    one = await hour(control)
    first = (await reserve(api, one, ttlSeconds=60)).json()
    time.advance(60)

    lapsed = (await api.get(f"/invoice-transfers/{first['id']}")).json()
    second = await reserve(api, await read(api, one))

    assert lapsed["state"] == "expired"
    assert second.status_code == 201


async def test_completing_after_a_lapse_works_while_the_hours_are_free(
    api: httpx.AsyncClient, control: Control, time: StandingClock
) -> None:
    """The draft exists in Conta: late is better than twice."""
    one = await hour(control)
    transfer = (await reserve(api, one, ttlSeconds=60)).json()
    time.advance(900)

    done = await complete(api, transfer)

    assert done.json()["state"] == "completed"
    assert (await read(api, one))["invoiceStatus"] == "invoiced"


async def test_completing_after_a_lapse_meets_what_became_of_the_hours(
    api: httpx.AsyncClient, control: Control, time: StandingClock
) -> None:
    """Held by another, invoiced by hand, or deleted: each is named, nothing is marked."""
    taken, by_hand, gone, free = [await hour(control) for _ in range(4)]
    transfer = (await reserve(api, taken, by_hand, gone, free, ttlSeconds=60)).json()
    time.advance(61)
    await reserve(api, await read(api, taken))
    await edit(control, by_hand, invoiceStatus="invoiced")
    await control("POST", f"/companies/cmp_1/entries/{gone['id']}/delete")

    answer = await complete(api, transfer)

    assert reasons(answer) == {
        taken["id"]: "held_by_transfer", by_hand["id"]: "already_invoiced", gone["id"]: "deleted",
    }  # fmt: skip
    assert (await read(api, free))["invoiceStatus"] == "to_invoice"


async def test_a_released_transfer_sets_its_hours_free(
    api: httpx.AsyncClient, control: Control
) -> None:
    """All of them, or those named; again changes nothing."""
    one, other = await hour(control), await hour(control)
    transfer = (await reserve(api, one, other)).json()
    await complete(api, transfer)

    part = await release(api, transfer, one["id"])
    whole = await release(api, transfer)
    again = await release(api, transfer)

    assert (part.json()["state"], whole.json()["state"]) == ("partly_released", "released")
    assert again.json() == whole.json()
    for entry in (one, other):
        freed = await read(api, entry)
        assert (freed["invoiceStatus"], freed["transfer"]) == ("to_invoice", None)


async def test_a_partly_released_transfer_still_holds_the_rest(
    api: httpx.AsyncClient, control: Control
) -> None:
    """What was not released stays taken."""
    one, other = await hour(control), await hour(control)
    transfer = (await reserve(api, one, other)).json()
    await release(api, transfer, one["id"])

    answer = await reserve(api, await read(api, one), await read(api, other))

    assert reasons(answer) == {other["id"]: "held_by_transfer"}


async def test_a_released_transfer_cannot_be_completed(
    api: httpx.AsyncClient, control: Control
) -> None:
    """What was given up does not come back."""
    one = await hour(control)
    transfer = (await reserve(api, one)).json()
    await release(api, transfer)

    assert reasons(await complete(api, transfer)) == {one["id"]: "held_by_transfer"}


async def test_releasing_leaves_what_another_transfer_holds(
    api: httpx.AsyncClient, control: Control, time: StandingClock
) -> None:
    """An hour that lapsed and was taken by another draft is not freed by the first."""
    one = await hour(control)
    first = (await reserve(api, one, ttlSeconds=60)).json()
    time.advance(61)
    second = (await reserve(api, await read(api, one))).json()

    released = await release(api, first)

    assert released.json()["state"] == "released"
    assert (await read(api, one))["transfer"]["transferId"] == second["id"]


async def test_a_completed_transfer_learns_of_the_invoice(
    api: httpx.AsyncClient, control: Control
) -> None:
    """Number and date are added by version, and stand on the hours."""
    one = await hour(control)
    transfer = (await reserve(api, one)).json()
    done = await complete(api, transfer)
    path = f"/invoice-transfers/{transfer['id']}"
    headers = {"Content-Type": "application/merge-patch+json", "If-Match": done.headers["etag"]}
    body = {"invoiceNumber": "10042", "invoicedOn": "2026-11-25"}

    told = await api.patch(path, json=body, headers=headers)
    stale = await api.patch(path, json=body, headers=headers)

    assert told.json()["external"] == {"draftId": "501"} | body
    assert refusal(stale) == (412, "version_mismatch")
    assert (await read(api, one))["transfer"]["invoiceNumber"] == "10042"


async def test_transfers_are_listed_by_state(api: httpx.AsyncClient, control: Control) -> None:
    """What is open can be found without knowing its id."""
    one, other = await hour(control), await hour(control)
    await reserve(api, one)
    done = (await reserve(api, other)).json()
    await complete(api, done)

    query = {"state": "completed", "customerId": "cus_1"}
    listed = (await api.get("/invoice-transfers", params=query)).json()["items"]

    assert [row["id"] for row in listed] == [done["id"]]


async def test_marks_are_set_all_or_none(api: httpx.AsyncClient, control: Control) -> None:
    """A held, changed or missing entry stops the whole call; equal marks are no change."""
    one, other, held = [await hour(control) for _ in range(3)]
    await reserve(api, held)
    wanted = [{"id": e["id"], "version": e["version"]} for e in (one, other)]
    bad = [*wanted, {"id": held["id"], "version": 2}, {"id": "ent_99999", "version": 1}]
    wrong = [{"id": one["id"], "version": 7}]

    path = "/time-entries/invoice-status"
    refused = await post(api, path, {"invoiceStatus": "not_billable", "entries": bad})
    stale = await post(api, path, {"invoiceStatus": "not_billable", "entries": wrong})
    done = await post(api, path, {"invoiceStatus": "not_billable", "entries": wanted})
    now = [{"id": e["id"], "version": e["version"]} for e in done.json()["items"]]
    same = await post(api, path, {"invoiceStatus": "not_billable", "entries": now})

    assert reasons(refused) == {held["id"]: "held_by_transfer", "ent_99999": "deleted"}
    assert reasons(stale) == {one["id"]: "version_mismatch"}
    assert {e["version"] for e in done.json()["items"]} == {2}
    assert same.json() == done.json()


async def test_hours_are_read_by_id(api: httpx.AsyncClient, control: Control) -> None:
    """Many at once, tombstones too; unknown ids are named."""
    one, gone = await hour(control), await hour(control)
    await control("POST", f"/companies/cmp_1/entries/{gone['id']}/delete")

    answer = await post(
        api, "/time-entries/batch-get", {"ids": [one["id"], gone["id"], "ent_99999"]}
    )

    body = answer.json()
    assert [item["id"] for item in body["items"]] == [one["id"], gone["id"]]
    assert body["items"][1]["deletedAt"] is not None
    assert body["notFound"] == ["ent_99999"]


@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ({"customerId": "cus_1"}, True), ({"customerId": "cus_2"}, False),
        ({"employeeId": "emp_1"}, True), ({"employeeId": "emp_2"}, False),
        ({"dateFrom": "2026-11-24"}, True), ({"dateFrom": "2026-11-25"}, False),
        ({"dateTo": "2026-11-24"}, True), ({"dateTo": "2026-11-23"}, False),
        ({"invoiceStatus": "to_invoice"}, True), ({"invoiceStatus": "invoiced"}, False),
        ({"billable": "true"}, True), ({"billable": "false"}, False),
        ({"uninvoiced": "true"}, True), ({"approved": "true"}, True),
        ({"approved": "false"}, False), ({"transferId": "trf_9"}, False),
        ({"projectId": "prj_parent"}, True),
        ({"projectId": "prj_parent", "includeSubprojects": "false"}, False),
    ],
    ids=str,
)  # fmt: skip
async def test_filters_choose_hours(
    api: httpx.AsyncClient, control: Control, own: Company, query: dict[str, str], hits: bool
) -> None:
    """Each filter of «Hent timer», and a project with its subprojects."""
    own.entries.clear()
    own.projects["prj_parent"] = {"id": "prj_parent"}
    own.projects["prj_child"] = {"id": "prj_child", "parentProjectId": "prj_parent"}
    one = await hour(control, projectId="prj_child")

    found = (await api.get("/time-entries", params=query)).json()

    assert [entry["id"] for entry in found["items"]] == ([one["id"]] if hits else [])


async def test_totals_are_of_the_whole_choice(
    api: httpx.AsyncClient, control: Control, own: Company
) -> None:
    """Count, minutes and exact kroner do not depend on the page; the dead do not count."""
    own.entries.clear()
    for minutes in (20, 20, 20):
        await hour(control, minutes=minutes)
    gone = await hour(control, minutes=600)
    await control("POST", f"/companies/cmp_1/entries/{gone['id']}/delete")

    query = {"limit": "1", "includeDeleted": "true", "sort": "date"}
    page = (await api.get("/time-entries", params=query)).json()

    assert page["totals"] == {"count": 3, "minutes": 60, "amount": "999.99"}
    assert page["nextCursor"] is not None


async def test_a_period_that_ends_before_it_begins_is_malformed(api: httpx.AsyncClient) -> None:
    """Nothing is guessed."""
    query = {"dateFrom": "2026-11-24", "dateTo": "2026-11-23"}

    answer = await api.get("/time-entries", params=query)

    assert refusal(answer) == (422, "validation_failed")

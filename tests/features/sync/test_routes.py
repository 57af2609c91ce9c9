"""What people see and decide: pairs, conflicts, status, sync now."""

import json
from typing import Any

import httpx
import pytest
from uuid_utils.compat import uuid7

from app.canonical import Side
from tests.features.conftest import Linked, bearer
from tests.features.sync.conftest import ADDRESS, Hands


@pytest.fixture
async def conflict(hands: Hands, client: httpx.AsyncClient) -> dict[str, Any]:
    """A phone changed differently on both sides."""
    time_id, books_id = await hands.paired()
    await hands.edit_time(time_id, phone="22000001")
    await hands.edit_books(books_id, phoneNo="22000002")
    await hands.hint(Side.TIME, time_id)
    await hands.work()
    answer = await client.get(f"{hands.linked.path}/conflicts", headers=hands.linked.books)
    (found,) = answer.json()["items"]
    return {**found, "timeId": time_id, "booksId": books_id}


async def _decide(
    client: httpx.AsyncClient, linked: Linked, conflict: dict[str, Any], **body: Any
) -> httpx.Response:
    headers = {**linked.books, "If-Match": f'"{conflict["version"]}"'}
    path = f"{linked.path}/conflicts/{conflict['id']}/decision"
    return await client.post(path, headers=headers, json=body)


@pytest.mark.parametrize(
    ("language", "words"), [("nb", "da de ble koblet"), ("nn", "då dei vart kopla"),
                            ("en", "when they were linked")],
)  # fmt: skip
async def test_a_conflict_is_told_truly_where_the_sides_never_agreed(
    hands: Hands, client: httpx.AsyncClient, conflict: dict[str, Any], language: str, words: str
) -> None:
    """Where `base` is null nothing was changed since they were equal; the words fit both."""
    headers = {**hands.linked.books, "Accept-Language": language}
    status = (await client.get(f"{hands.linked.path}/status", headers=headers)).json()

    (need,) = status["needs"]
    assert (conflict["state"], need["why"]["code"]) == ("open", "conflict")
    assert words in need["why"]["detail"]


async def test_a_conflict_shows_base_and_both_values(conflict: dict[str, Any]) -> None:
    """A person sees what was agreed and what each side says now."""
    shown = {name: conflict[name] for name in ("field", "base", "time", "books", "state")}

    assert shown == {
        "field": "phone", "base": "22000000", "time": "22000001", "books": "22000002",
        "state": "open",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ({"side": "time"}, "22000001"),
        ({"side": "books"}, "22000002"),
        ({"value": "22000003"}, "22000003"),
    ],
)
async def test_a_decision_is_carried_out_on_both_sides(
    hands: Hands,
    client: httpx.AsyncClient,
    conflict: dict[str, Any],
    body: dict[str, Any],
    value: str,
) -> None:
    """Whatever was chosen, both sides say it, and the losing values stand in the history."""
    answer = await _decide(client, hands.linked, conflict, **body)
    await hands.work()

    assert (answer.status_code, answer.json()["state"]) == (200, "decided")
    assert (await hands.in_time(conflict["timeId"]))["phone"] == value
    assert (await hands.in_books(conflict["booksId"]))["phoneNo"] == value
    assert await hands.rows("SELECT state FROM conflicts") == [("closed",)]
    lost = await hands.rows("SELECT value, winner, by FROM history WHERE event = 'lost'")
    assert {row[0] for row in lost} == {"22000001", "22000002"} - {value}
    assert {row[1] for row in lost} == {value}
    assert all("kari@1001" in row[2] for row in lost)


async def test_fields_are_named_in_camel_case_like_all_else(
    hands: Hands, client: httpx.AsyncClient
) -> None:
    """Conflict, base and decision say `postalCode`; the store keeps a name of its own."""
    time_id, books_id = await hands.paired()
    await hands.edit_time(time_id, address={**ADDRESS, "postalCode": "0161"}, phone="22000009")
    await hands.edit_books(books_id, customerAddressPostcode="0162")
    await hands.hint(Side.TIME, time_id)
    await hands.work()
    (found,) = await hands.rows("SELECT time_value FROM conflicts")
    listed = await client.get(f"{hands.linked.path}/conflicts", headers=hands.linked.books)
    (conflict,) = listed.json()["items"]
    path = f"{hands.linked.path}/pairs/{conflict['pairId']}"
    pair = (await client.get(path, headers=hands.linked.books)).json()
    chosen = {**ADDRESS, "postalCode": "0163"}

    old = await _decide(
        client, hands.linked, conflict, value={"line1": "Storgata 1", "postal_code": "0163"}
    )
    decided = await _decide(client, hands.linked, conflict, value=chosen)
    await hands.work()

    assert found[0]["postal_code"] == "0161"
    assert [conflict[side]["postalCode"] for side in ("base", "time", "books")] == [
        "0155", "0161", "0162",
    ]  # fmt: skip
    assert pair["base"]["address"]["postalCode"] == "0155"
    assert "organizationNumber" in pair["base"]
    assert old.status_code == 422
    assert decided.json()["decidedValue"]["postalCode"] == "0163"
    assert (await hands.in_books(books_id))["customerAddressPostcode"] == "0163"


async def test_a_decision_about_what_has_changed_is_asked_again(
    hands: Hands, client: httpx.AsyncClient, conflict: dict[str, Any]
) -> None:
    """A decision counts only for the values the person saw."""
    await hands.edit_time(conflict["timeId"], phone="22000009")
    await _decide(client, hands.linked, conflict, side="books")

    await hands.work()

    assert (await hands.in_time(conflict["timeId"]))["phone"] == "22000009"
    found = await hands.rows("SELECT state, time_value, books_value FROM conflicts")
    assert found == [("open", "22000009", "22000002")]


async def test_two_people_do_not_decide_at_once(
    hands: Hands, client: httpx.AsyncClient, conflict: dict[str, Any]
) -> None:
    """Nothing is decided without the version one read; a stale one shows what is there."""
    path = f"{hands.linked.path}/conflicts/{conflict['id']}/decision"
    blind = await client.post(path, headers=hands.linked.books, json={"side": "time"})
    await _decide(client, hands.linked, conflict, side="time")

    stale = await _decide(client, hands.linked, conflict, side="books")

    assert (blind.status_code, stale.status_code) == (428, 412)
    assert stale.json()["present"]["decidedValue"] == "22000001"


async def test_a_conflict_that_is_over_cannot_be_decided(
    hands: Hands, client: httpx.AsyncClient, conflict: dict[str, Any]
) -> None:
    """Where both sides agree there is nothing to decide."""
    await _decide(client, hands.linked, conflict, side="time")
    await hands.work()
    path = f"{hands.linked.path}/conflicts?state=closed"
    (closed,) = (await client.get(path, headers=hands.linked.books)).json()["items"]

    answer = await _decide(client, hands.linked, closed, side="books")

    assert (answer.status_code, answer.json()["code"]) == (409, "conflict-over")


@pytest.mark.parametrize("body", [{}, {"side": "time", "value": "x"}, {"side": None}, {"who": 1}])
async def test_a_decision_names_exactly_one_thing(
    hands: Hands, client: httpx.AsyncClient, conflict: dict[str, Any], body: dict[str, Any]
) -> None:
    """Neither nothing nor two things can be decided."""
    answer = await _decide(client, hands.linked, conflict, **body)

    assert answer.status_code == 422


@pytest.mark.parametrize("value", [17, True, [], {"a": 1}, "a\x00b", "a\nb", "x" * 1001, "\ud800"])
async def test_a_decision_is_a_value_the_field_can_have(
    hands: Hands, client: httpx.AsyncClient, conflict: dict[str, Any], value: object
) -> None:
    """Nonsense is refused at once and neither kept nor sent to a system."""
    headers = {**hands.linked.books, "If-Match": f'"{conflict["version"]}"'}
    path = f"{hands.linked.path}/conflicts/{conflict['id']}/decision"

    answer = await client.post(
        path,
        headers=headers | {"content-type": "application/json"},
        content=json.dumps({"value": value}),
    )
    await hands.work()

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
    assert await hands.rows("SELECT state FROM conflicts") == [("open",)]
    assert (await hands.in_time(conflict["timeId"]))["phone"] == "22000001"


async def test_a_third_change_while_a_conflict_waits_is_what_the_person_sees(
    hands: Hands, client: httpx.AsyncClient, conflict: dict[str, Any]
) -> None:
    """The conflict shows the new values, an answer to the old ones is refused, no side is lost."""
    await hands.edit_books(conflict["booksId"], phoneNo="22000005", emailAddress="ny@bakken.no")
    await hands.hint(Side.BOOKS, conflict["booksId"])
    await hands.work()

    stale = await _decide(client, hands.linked, conflict, side="books")
    path = f"{hands.linked.path}/conflicts"
    (now,) = (await client.get(path, headers=hands.linked.books)).json()["items"]
    decided = await _decide(client, hands.linked, now, side="books")
    await hands.work()

    assert stale.status_code == 412
    assert (now["time"], now["books"], now["id"]) == ("22000001", "22000005", conflict["id"])
    assert decided.status_code == 200
    time = await hands.in_time(conflict["timeId"])
    assert (time["phone"], time["email"]) == ("22000005", "ny@bakken.no")
    assert (await hands.in_books(conflict["booksId"]))["phoneNo"] == "22000005"


async def test_a_decision_can_be_changed_before_it_is_carried_out(
    hands: Hands, client: httpx.AsyncClient, conflict: dict[str, Any]
) -> None:
    """Two people: the first answer's version is over; the second, knowing it, decides otherwise."""
    first = await _decide(client, hands.linked, conflict, side="time")
    blind = await _decide(client, hands.linked, conflict, side="books")
    second = await _decide(client, hands.linked, first.json(), side="books")
    await hands.forget_calls()
    await hands.work()

    assert (first.status_code, blind.status_code, second.status_code) == (200, 412, 200)
    assert (await hands.in_time(conflict["timeId"]))["phone"] == "22000002"
    assert len(await hands.writes()) == 1  # the losing side only


async def test_the_same_change_on_both_sides_is_agreement(hands: Hands) -> None:
    """Two people who corrected the same phone alike are not asked, and nothing is written."""
    time_id, books_id = await hands.paired()
    await hands.edit_time(time_id, phone="22000007")
    await hands.edit_books(books_id, phoneNo="22000007")
    await hands.hint(Side.TIME, time_id)
    await hands.hint(Side.BOOKS, books_id)

    await hands.work()

    assert await hands.writes() == []
    assert await hands.rows("SELECT count(*) FROM conflicts") == [(0,)]
    assert [pair.base["phone"] for pair in await hands.pairs()] == ["22000007"]


async def test_a_postal_code_with_a_space_is_the_same_code(hands: Hands) -> None:
    """«01 55» is 0155: another line that changes is written, and nobody is asked about the code."""
    time_id, books_id = await hands.paired()
    await hands.edit_books(books_id, customerAddressPostcode="01 55")
    await hands.edit_time(time_id, address={**ADDRESS, "line1": "Storgata 2"})
    await hands.hint(Side.TIME, time_id)

    await hands.work()

    assert await hands.rows("SELECT field FROM conflicts") == []
    assert (await hands.in_books(books_id))["customerAddressLine1"] == "Storgata 2"


async def test_a_pair_says_why(
    hands: Hands, client: httpx.AsyncClient, conflict: dict[str, Any]
) -> None:
    """State, reason in the caller's language, agreed values, conflicts and events in one answer."""
    headers = {**hands.linked.time, "Accept-Language": "nn"}
    path = f"{hands.linked.path}/pairs/{conflict['pairId']}"

    answer = await client.get(path, headers=headers)

    found = answer.json()
    assert answer.headers["etag"] == f'"{found["pair"]["version"]}"'
    assert (found["pair"]["state"], found["base"]["phone"]) == ("conflict", "22000000")
    assert found["why"]["title"] == "Ulikt på dei to sidene"
    assert [one["id"] for one in found["conflicts"]] == [conflict["id"]]


async def test_pairs_are_listed_in_pages(hands: Hands, client: httpx.AsyncClient) -> None:
    """Each pair comes once; a cursor belongs to its list."""
    for number in range(3):
        await hands.paired(f"Kunde {number} AS")
    path, headers = f"{hands.linked.path}/pairs", hands.linked.books

    first = (await client.get(f"{path}?limit=2", headers=headers)).json()
    rest = (
        await client.get(f"{path}?limit=2&cursor={first['nextCursor']}", headers=headers)
    ).json()
    wrong = await client.get(f"{path}?kind=project&cursor={first['nextCursor']}", headers=headers)

    names = [pair["name"] for pair in first["items"] + rest["items"]]
    assert names == ["Kunde 0 AS", "Kunde 1 AS", "Kunde 2 AS"]
    assert rest["nextCursor"] is None
    assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid-cursor")


async def test_the_banner_says_what_needs_you(
    hands: Hands, client: httpx.AsyncClient, conflict: dict[str, Any]
) -> None:
    """One question for the front end: in step or not, and what a person must do."""
    path = f"{hands.linked.path}/status"
    headers = {**hands.linked.books, "Accept-Language": "en"}

    before = (await client.get(path, headers=headers)).json()
    await _decide(client, hands.linked, conflict, side="time")
    await hands.work()
    after = (await client.get(path, headers=headers)).json()

    assert (before["inStep"], before["openConflicts"], before["text"]) == (
        False, 1, "One thing needs you.",
    )  # fmt: skip
    assert [need["why"]["code"] for need in before["needs"]] == ["conflict"]
    assert (after["inStep"], after["needs"]) == (True, [])
    assert after["text"] == "Everything is in step on both sides."


async def test_sync_now_sweeps_at_once(hands: Hands, client: httpx.AsyncClient) -> None:
    """A person need not wait for the next sweep."""
    await hands.time_customer("Nyland AS")

    answer = await client.post(f"{hands.linked.path}/sweep", headers=hands.linked.books)
    await hands.work()

    assert (answer.status_code, answer.json()["status"]) == (202, "asked")
    assert [c["name"] for c in (await hands.twins.books())["customers"]] == ["Nyland AS"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/pairs"),
        ("GET", "/pairs/{id}"),
        ("GET", "/conflicts"),
        ("POST", "/conflicts/{id}/decision"),
        ("GET", "/status"),
        ("POST", "/sweep"),
        ("GET", "/changes"),
        ("POST", "/changes/retry"),
        ("POST", "/changes/{id}/ignore"),
    ],
)
async def test_a_foreign_link_looks_like_an_unknown_one(
    hands: Hands, client: httpx.AsyncClient, method: str, path: str
) -> None:
    """Nobody learns that a link of others exists."""
    foreigner = await bearer(hands.twins, "conta", "1002")
    body = {"ids": [str(uuid7())]} if path.endswith("retry") else {"side": "time"}
    path = path.replace("{id}", str(uuid7()))
    known = f"{hands.linked.path}{path}"
    unknown = f"/v1/links/{uuid7()}{path}"

    answers = [
        await client.request(method, url, headers=foreigner, json=body) for url in (known, unknown)
    ]

    documents = [answer.json() for answer in answers]
    for document in documents:
        del document["requestId"], document["instance"]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert documents[0] == documents[1]


async def test_reading_needs_less_than_deciding(
    hands: Hands, client: httpx.AsyncClient, conflict: dict[str, Any]
) -> None:
    """An ordinary user sees the banner and decides nothing."""
    user = await bearer(hands.twins, "conta", "1001", role="user")
    headers = {**user, "If-Match": '"1"'}
    path = f"{hands.linked.path}/conflicts/{conflict['id']}/decision"

    seen = await client.get(f"{hands.linked.path}/status", headers=user)
    decided = await client.post(path, headers=headers, json={"side": "time"})

    assert (seen.status_code, decided.status_code) == (200, 403)

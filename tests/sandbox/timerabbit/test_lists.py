"""Lists of the twin: ordered by (updatedAt, id), paged without a gap, tombstones on request."""

from typing import Any

import httpx
import pytest

from app.sandbox.timerabbit.store import Company, Store, text_of
from tests.sandbox.timerabbit.conftest import Control, StandingClock, refusal


async def pages(api: httpx.AsyncClient, path: str, **query: Any) -> list[list[dict[str, Any]]]:
    """Read a list to its end, page by page."""
    found, cursor = [], None
    while True:
        more: dict[str, Any] = {} if cursor is None else {"cursor": cursor}
        answer = await api.get(path, params=query | more)
        assert answer.status_code == 200, answer.text
        found.append(answer.json()["items"])
        cursor = answer.json()["nextCursor"]
        if cursor is None:
            return found


def ids(found: list[list[dict[str, Any]]]) -> list[str]:
    return [item["id"] for page in found for item in page]


async def test_pages_with_equal_times_lose_nobody(api: httpx.AsyncClient, own: Company) -> None:
    """All seeded records changed at one instant: the id keeps their order, in counted order."""
    assert len({row["updatedAt"] for row in own.customers.values()}) == 1

    found = await pages(api, "/customers", limit=7)

    assert {len(page) for page in found[:-1]} == {7}
    assert ids(found) == sorted(own.customers, key=lambda key: (len(key), key))


async def test_a_record_that_moves_while_someone_pages_comes_again(
    api: httpx.AsyncClient, own: Company, control: Control, time: StandingClock
) -> None:
    """What changes between pages stands at the end: seen twice, never missed."""
    first = (await api.get("/customers", params={"limit": 7})).json()
    moved = first["items"][0]["id"]
    time.advance(1)
    await control("PATCH", f"/companies/cmp_1/customers/{moved}", {"name": "Flyttet AS"})

    rest, cursor = [], first["nextCursor"]
    while cursor is not None:
        page = (await api.get("/customers", params={"limit": 7, "cursor": cursor})).json()
        rest += page["items"]
        cursor = page["nextCursor"]
        assert page["asOf"] == first["asOf"]

    assert rest[-1]["id"] == moved
    assert {row["id"] for row in (*first["items"], *rest)} == set(own.customers)


async def test_changed_since_reads_what_changed(
    api: httpx.AsyncClient, control: Control, time: StandingClock
) -> None:
    """The bound is inclusive, so that a second with several changes is not cut through."""
    time.advance(60)
    since = text_of(time.now())
    await control("PATCH", "/companies/cmp_1/customers/cus_2", {"name": "Endret AS"})

    changed = await pages(api, "/customers", updatedSince=since)
    time.advance(1)
    later = await pages(api, "/customers", updatedSince=text_of(time.now()))

    assert (ids(changed), ids(later)) == (["cus_2"], [])


async def test_tombstones_come_on_request(api: httpx.AsyncClient, control: Control) -> None:
    """A deleted record is listed only for those who ask, and then whatever they filter by."""
    await control("POST", "/companies/cmp_1/customers/cus_2/delete")

    without = ids(await pages(api, "/customers"))
    with_ = await pages(api, "/customers", includeDeleted="true", kind="private")

    (tombstone,) = [row for page in with_ for row in page if row["id"] == "cus_2"]
    assert "cus_2" not in without
    assert set(tombstone) == {
        "id", "version", "createdAt", "updatedAt", "deletedAt", "lastChangedBy"
    }  # fmt: skip


async def test_filters_choose(api: httpx.AsyncClient, own: Company) -> None:
    """Kind, number and words choose customers; customer and parent choose projects."""
    someone = next(row for row in own.customers.values() if row["organizationNumber"])
    number = someone["organizationNumber"]
    by_number = await pages(api, "/customers", organizationNumber=number)
    private = await pages(api, "/customers", kind="private", active="true")
    by_word = await pages(api, "/customers", q=someone["name"][:8].upper())
    homeless = await pages(api, "/projects", customerId="none")
    some = next(row for row in own.projects.values() if row["customerId"])
    of_customer = await pages(api, "/projects", customerId=some["customerId"])

    assert someone["id"] in ids(by_number)
    assert {row["kind"] for page in private for row in page} == {"private"}
    assert someone["id"] in ids(by_word)
    assert all(row["customerId"] is None for page in homeless for row in page)
    assert some["id"] in ids(of_customer)


@pytest.mark.parametrize("cursor", ["x", "e30=", "W10=", "bnVsbA==", "W10", "æ"])
async def test_a_cursor_that_is_none_is_410(api: httpx.AsyncClient, cursor: str) -> None:
    """Begin again: what it means is not guessed."""
    answer = await api.get("/customers", params={"cursor": cursor})

    assert refusal(answer) == (410, "cursor_expired")


async def test_a_cursor_is_of_one_list_and_lives_a_day(
    api: httpx.AsyncClient, time: StandingClock, store: Store
) -> None:
    """Another list refuses it; so does the same one a day later."""
    cursor = (await api.get("/customers", params={"limit": 1})).json()["nextCursor"]
    elsewhere = await api.get("/projects", params={"cursor": cursor})
    time.advance(24 * 3600 + 1)
    for held in store.access.values():
        held["ends"] = time.now().replace(year=2027)

    late = await api.get("/customers", params={"cursor": cursor})

    assert refusal(elsewhere) == (410, "cursor_expired")
    assert refusal(late) == (410, "cursor_expired")


async def test_a_stale_list_hides_what_is_young(
    api: httpx.AsyncClient, control: Control, time: StandingClock
) -> None:
    """A fault on demand: what was made lately is not listed yet, but can be read."""
    time.advance(60)
    made = await control("POST", "/companies/cmp_1/customers", {"name": "Ny AS", "kind": "company"})
    await control("POST", "/faults", {"kind": "stale_list", "path": "/customers", "seconds": 30})

    hidden = ids(await pages(api, "/customers"))
    time.advance(31)
    shown = ids(await pages(api, "/customers"))

    assert made["id"] not in hidden
    assert made["id"] in shown
    assert (await api.get(f"/customers/{made['id']}")).status_code == 200


async def test_a_repeated_page_is_the_first_page_again(
    api: httpx.AsyncClient, control: Control
) -> None:
    """A fault on demand: the cursor is not heeded."""
    first = (await api.get("/customers", params={"limit": 5})).json()
    await control("POST", "/faults", {"kind": "repeat_page", "path": "/customers"})

    query = {"limit": 5, "cursor": first["nextCursor"]}
    again = (await api.get("/customers", params=query)).json()

    assert again["items"] == first["items"]


@pytest.mark.parametrize("limit", ["0", "1001", "x", "-1"])
async def test_a_page_has_a_size(api: httpx.AsyncClient, limit: str) -> None:
    """What is no size of a page is pointed at."""
    answer = await api.get("/customers", params={"limit": limit})

    assert refusal(answer) == (422, "validation_failed")

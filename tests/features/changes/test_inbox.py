"""The inbox: what waits and why, retry, ignore."""

from typing import Any

import httpx
import pytest
from uuid_utils.compat import uuid7

from app.canonical import LinkId, RecordId, RecordKind, Side
from app.changes.settle import Waiting, keep_waiting
from app.changes.store import note
from app.changes.take import take_due
from app.database import CommitPoint
from app.problems import LANGUAGES, catalogue
from app.runtime import Runtime
from app.systems.ports import ChangeNotice
from tests.features.conftest import Linked

PARKED = {"one": "record-gone", "two": "other-system-refused", "three": "record-gone"}


@pytest.fixture
async def inbox(runtime: Runtime, linked: Linked) -> Linked:
    """Three parked changes, one of them refused by the other system."""
    link_id, now = linked.link_id, runtime.clock()
    notices = [ChangeNotice(RecordKind.CUSTOMER, RecordId(id_)) for id_ in PARKED]
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await note(session, link_id, Side.TIME, notices, now=now)
        dues = await take_due(session, link_id, now=now, bite=10)
        facts = {
            "recordId": "one", "name": "Bakken AS",
            "reasons": [{"code": "TooLong", "field": "name", "text": {}}],
        }  # fmt: skip
        waiting = [Waiting(due, PARKED[due.record_id], None, 1, facts) for due, _ in dues]
        await keep_waiting(session, link_id, waiting)
    return linked


async def _list(
    client: httpx.AsyncClient, linked: Linked, query: str = "", language: str = "en"
) -> dict[str, Any]:
    headers = {**linked.books, "Accept-Language": language}
    answer = await client.get(f"{linked.path}/changes{query}", headers=headers)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


async def test_the_inbox_says_why_in_the_callers_language(
    client: httpx.AsyncClient, inbox: Linked
) -> None:
    """Code, texts with their values, and who can fix it."""
    by_id = {
        item["recordId"]: item for item in (await _list(client, inbox, "?state=parked"))["items"]
    }
    norwegian = (await _list(client, inbox, language="nb"))["items"][0]

    why = by_id["two"]["why"]
    assert (why["code"], why["fixableBy"]) == ("other-system-refused", "administrator")
    assert why["detail"] == "Refused: TooLong – name. Nothing was changed there."
    assert "Bakken AS" in by_id["one"]["why"]["detail"]
    assert norwegian["why"]["title"] == "En koblet post er borte"


async def test_filters_and_pages(client: httpx.AsyncClient, inbox: Linked) -> None:
    """Each change comes once; filters narrow."""
    first = await _list(client, inbox, "?limit=2&side=time")
    rest = await _list(client, inbox, f"?limit=2&side=time&cursor={first['nextCursor']}")

    ids = [item["recordId"] for item in first["items"] + rest["items"]]
    assert sorted(ids) == sorted(PARKED)
    assert (await _list(client, inbox, "?state=pending"))["items"] == []
    assert (await _list(client, inbox, "?kind=project"))["items"] == []


@pytest.mark.parametrize("query", ["?limit=0", "?limit=201", "?limit=x", "?state=gone"])
async def test_a_wrong_query_is_a_problem(
    client: httpx.AsyncClient, inbox: Linked, query: str
) -> None:
    """Limits and choices are as documented."""
    answer = await client.get(f"{inbox.path}/changes{query}", headers=inbox.books)

    assert answer.status_code == 422


async def test_a_cursor_that_was_altered_is_refused(
    client: httpx.AsyncClient, inbox: Linked
) -> None:
    """A cursor shows nobody another list."""
    first = await _list(client, inbox, "?limit=2")
    altered = f"?limit=2&state=parked&cursor={first['nextCursor']}"

    answer = await client.get(f"{inbox.path}/changes{altered}", headers=inbox.books)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-cursor")


async def test_a_dry_run_counts_and_does_nothing(client: httpx.AsyncClient, inbox: Linked) -> None:
    """How many would it be, and which."""
    body = {"filter": {"code": "record-gone"}, "dryRun": True}

    answer = await client.post(f"{inbox.path}/changes/retry", headers=inbox.books, json=body)

    assert answer.json()["matched"] == 2
    assert {item["result"] for item in answer.json()["items"]} == {"would-retry"}
    assert len((await _list(client, inbox, "?state=parked"))["items"]) == 3


async def test_retry_by_filter_looks_at_exactly_those(
    client: httpx.AsyncClient, inbox: Linked
) -> None:
    """What fits is due again, the rest stays parked."""
    body = {"filter": {"code": "record-gone"}}

    answer = await client.post(f"{inbox.path}/changes/retry", headers=inbox.books, json=body)

    assert answer.json()["matched"] == 2
    left = (await _list(client, inbox, "?state=parked"))["items"]
    assert [item["recordId"] for item in left] == ["two"]


async def test_retry_by_ids_says_what_became_of_each(
    client: httpx.AsyncClient, inbox: Linked
) -> None:
    """Never all or nothing in silence."""
    (item, *_) = (await _list(client, inbox))["items"]
    unknown = str(uuid7())
    body = {"ids": [item["id"], unknown, "no-uuid"]}

    answer = await client.post(f"{inbox.path}/changes/retry", headers=inbox.books, json=body)

    assert [one["result"] for one in answer.json()["items"]] == [
        "retried", "not-found", "not-found",
    ]  # fmt: skip


@pytest.mark.parametrize("body", [{}, {"ids": ["1"], "filter": {}}, {"ids": []}, {"all": True}])
async def test_retry_takes_ids_or_a_filter(
    client: httpx.AsyncClient, inbox: Linked, body: dict[str, Any]
) -> None:
    """Exactly one of them, and no member we do not know."""
    answer = await client.post(f"{inbox.path}/changes/retry", headers=inbox.books, json=body)

    assert answer.status_code == 422


async def test_an_ignored_change_comes_back_when_its_record_changes(
    client: httpx.AsyncClient, inbox: Linked, runtime: Runtime
) -> None:
    """Putting aside is for now, not for ever."""
    (item, *_) = (await _list(client, inbox))["items"]
    path = f"{inbox.path}/changes/{item['id']}/ignore"
    ignored = await client.post(path, headers=inbox.books)
    again = await client.post(path, headers=inbox.books)
    link_id: LinkId = inbox.link_id
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        notice = ChangeNotice(RecordKind.CUSTOMER, RecordId(item["recordId"]))
        await note(session, link_id, Side.TIME, [notice], now=runtime.clock())

    pending = (await _list(client, inbox, "?state=pending"))["items"]

    assert (ignored.json()["state"], again.status_code) == ("ignored", 200)
    assert [one["recordId"] for one in pending] == [item["recordId"]]


async def test_ignoring_what_is_not_there_is_404(client: httpx.AsyncClient, inbox: Linked) -> None:
    """An unknown id and no id at all look alike."""
    answers = [
        await client.post(f"{inbox.path}/changes/{id_}/ignore", headers=inbox.books)
        for id_ in (uuid7(), "no-uuid")
    ]

    assert [answer.status_code for answer in answers] == [404, 404]


def test_every_code_of_the_inbox_has_texts_in_three_languages() -> None:
    """A person never reads a bare code."""
    from app.changes import why
    from app.sync import follow, take_up, verdicts

    constants = (value for module in (follow, take_up, verdicts) for value in vars(module).values())
    codes = {value for value in constants if isinstance(value, str) and "-" in value}
    codes = {code for code in codes if " " not in code and "." not in code and "/" not in code}
    used = (codes | set(why._WHO)) - {"left-out"}

    for code in used:
        kind = catalogue()[code]
        for texts in (kind.title, kind.detail, kind.remedy):
            assert set(texts) == set(LANGUAGES)

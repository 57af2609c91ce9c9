"""Undoing a run: what it paired is parted, what it made is archived, what is in use is left."""

from collections import Counter
from typing import Any

import httpx
import pytest

from app.database import CommitPoint
from app.queue import Job, defer
from tests.features.conftest import Linked
from tests.features.first_sync.conftest import Died, Review, When, Work, dying_at
from tests.features.first_sync.test_run import Judge, judge

__all__ = ["judge"]


class Undoing:
    """Undo a run as a front end does."""

    def __init__(self, client: httpx.AsyncClient, linked: Linked, run_id: str) -> None:
        self._client, self.linked = client, linked
        self._url = f"{linked.path}/first-sync/runs/{run_id}/undo"

    async def show(self) -> dict[str, Any]:
        answer = await self._client.get(self._url, headers=self.linked.books)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def lines(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        params = {"limit": "30"}
        while True:
            page = await self._client.get(
                f"{self._url}/lines", headers=self.linked.books, params=params
            )
            found += page.json()["items"]
            if page.json()["nextCursor"] is None:
                return found
            params["cursor"] = page.json()["nextCursor"]

    async def ask(self, deed: str = "") -> httpx.Response:
        return await self._client.post(f"{self._url}{deed}", headers=self.linked.books)


@pytest.fixture
async def undoing(client: httpx.AsyncClient, reviewing: Linked, carried_out: str) -> Undoing:
    """A run that has ended and may be undone."""
    return Undoing(client, reviewing, carried_out)


async def active(judge: Judge) -> dict[tuple[str, str], Counter[str]]:
    """Count the records that are in use on each side, by the twins' own stores."""
    books, time = await judge.twins.books(), await judge.twins.time()
    found: dict[tuple[str, str], Counter[str]] = {}
    for kind in ("customers", "projects"):
        found["time", kind] = Counter(one["name"] for one in time[kind] if one["active"])
    found["books", "customers"] = Counter(
        one["name"] for one in books["customers"] if one["isActive"]
    )
    found["books", "projects"] = Counter(
        one["name"] for one in books["projects"] if not one.get("isHidden")
    )
    return found


async def test_everything_is_listed_before_it_happens(
    undoing: Undoing, judge: Judge, work: Work
) -> None:
    """The list names each record; asking does exactly that, and nothing is deleted."""
    shown, lines = await undoing.show(), await undoing.lines()
    before, whole = await active(judge), await judge.names()
    pairs = await judge.pairs()

    asked = await undoing.ask()
    await work()

    after = await active(judge)
    archived = Counter(
        (one["archivedIn"], f"{one['kind']}s", one["name"]) for one in lines if one["archivedIn"]
    )
    gone = Counter(
        (side, kind, name)
        for (side, kind), names in before.items()
        for name in (names - after[side, kind]).elements()
    )
    assert asked.status_code == 202
    assert (shown["state"], (await undoing.show())["state"]) == (None, "done")
    assert sum(shown["parts"].values()) == len(lines) == len(pairs) == shown["total"]
    assert gone == archived != Counter()
    assert all(after[place] - names == Counter() for place, names in before.items())
    assert await judge.names() == whole
    assert await judge.pairs() == []
    assert {one["state"] for one in await undoing.lines()} == {"done"}


async def test_the_sync_leaves_what_was_undone_alone(
    undoing: Undoing, judge: Judge, work: Work
) -> None:
    """Neither the archiving nor a later edit is carried to the record that was there first."""
    await undoing.ask()
    await work()
    before = await active(judge)
    time = await judge.twins.time()
    one = next(c for c in time["customers"] if c["active"])
    path = f"/companies/cmp_1/customers/{one['id']}"
    await judge.twins.control("timerabbit", "PATCH", path, {"phone": "22000001"})
    await judge.forget_requests()

    async with judge.runtime.database.transaction(
        CommitPoint.PLAIN, judge.linked.link_id
    ) as session:
        await defer(session, Job.SWEEP_LINK, judge.linked.link_id)
    await work()

    assert await active(judge) == before
    assert await judge.writes() == []
    marks = [c.get("externalRefs", {}).get("conta") for c in time["customers"]]
    assert set(marks) == {None}


async def made(undoing: Undoing, side: str, kind: str = "customer") -> dict[str, Any]:
    return next(
        one for one in await undoing.lines() if (one["archivedIn"], one["kind"]) == (side, kind)
    )


async def test_what_was_edited_since_is_left_and_says_so(
    undoing: Undoing, judge: Judge, work: Work
) -> None:
    """Edited in Conta's web app after the run made it: it stays, paired and active."""
    line = await made(undoing, "books")
    path = f"/organizations/1001/customers/{line['recordId']}"
    await judge.twins.control("conta", "PATCH", path, {"phoneNo": "99887766"})

    await undoing.ask()
    await work()

    (after,) = [one for one in await undoing.lines() if one["id"] == line["id"]]
    assert (after["state"], after["code"], after["text"]) == (
        "refused", "edited-since", "Er endret siden",
    )  # fmt: skip
    assert line["recordId"] in {pair.books_id for pair in await judge.pairs()}
    assert (await undoing.show())["hindered"] == {"edited-since": 1}


async def test_what_has_hours_since_is_left_and_says_so(
    undoing: Undoing, judge: Judge, work: Work
) -> None:
    """A customer the run made in Timerabbit has hours by now: it stays."""
    line = await made(undoing, "time")
    employee = (await judge.twins.time())["employees"][0]["id"]
    entry = {"customerId": line["recordId"], "employeeId": employee, "minutes": 60}
    await judge.twins.control("timerabbit", "POST", "/companies/cmp_1/entries", entry)

    await undoing.ask()
    await work()

    (after,) = [one for one in await undoing.lines() if one["id"] == line["id"]]
    assert (after["state"], after["code"]) == ("refused", "used-in-hours")


async def bill(client: httpx.AsyncClient, link: Linked, customer_id: str) -> str:
    """Send a customer's hours as a draft through the service; gives the draft's mark."""
    preview = await client.post(
        f"{link.path}/invoice-drafts/preview",
        headers=link.books,
        json={"customerId": customer_id},
    )
    assert preview.status_code == 201, preview.text
    draft = await client.post(
        f"{link.path}/invoice-drafts",
        headers={**link.books, "Idempotency-Key": "draft-1"},
        json={"previewId": preview.json()["previewId"]},
    )
    assert (draft.status_code, draft.json()["state"]) == (201, "completed"), draft.text
    return str(draft.json()["mark"])


async def test_what_stands_on_a_draft_of_ours_is_left_and_says_so(
    undoing: Undoing, judge: Judge, work: Work, client: httpx.AsyncClient
) -> None:
    """Hours were billed on a customer the run made in Conta: it is listed, and it stays."""
    line = await made(undoing, "books")
    pairs = {pair.books_id: pair.time_id for pair in await judge.pairs()}
    employee = (await judge.twins.time())["employees"][0]["id"]
    hour = {
        "customerId": pairs[line["recordId"]], "employeeId": employee, "minutes": 60,
        "hourlyRate": "1000", "billingState": "to_invoice",
    }  # fmt: skip
    await judge.twins.control("timerabbit", "POST", "/companies/cmp_1/entries", hour)
    mark = await bill(client, undoing.linked, hour["customerId"])
    shown = await undoing.show()

    await undoing.ask()
    await work()

    (after,) = [one for one in await undoing.lines() if one["id"] == line["id"]]
    assert shown["hindered"] == {"used-in-draft": 1}
    assert (after["state"], after["code"]) == ("refused", "used-in-draft")
    assert mark in after["facts"].values()
    assert line["recordId"] in {pair.books_id for pair in await judge.pairs()}


async def begin_paper(judge: Judge, **upon: int) -> str:
    """Begin an invoice in Conta by hand; gives the draft's id."""
    paper = {
        "registrationSource": "CONTA",
        **upon,
        "invoiceDraftLines": [
            {"description": "x", "quantity": 1, "price": 100, "discount": 0, "vatCode": "high"}
        ],
    }
    transport = httpx.ASGITransport(judge.twins.conta)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://conta.test", headers={"apiKey": "conta-demo-key"}
    ) as person:
        made_there = await person.post("/invoice/organizations/1001/invoice-drafts", json=paper)
    assert made_there.status_code == 200, made_there.text
    return str(made_there.json()["id"])


async def test_what_has_a_paper_in_conta_is_left_and_says_which(
    undoing: Undoing, judge: Judge, work: Work
) -> None:
    """Somebody in Conta began an invoice on a customer the run made there: it stays."""
    line = await made(undoing, "books")
    paper = await begin_paper(judge, customerId=int(line["recordId"]))

    await undoing.ask()
    await work()

    (after,) = [one for one in await undoing.lines() if one["id"] == line["id"]]
    assert (after["state"], after["code"]) == ("refused", "used-in-books")
    assert after["facts"] == {"papers": paper}


async def test_a_project_that_has_a_paper_in_conta_is_left_in_use(
    judge: Judge, work: Work, client: httpx.AsyncClient
) -> None:
    """Somebody in Conta began an invoice on a project that the run made there."""
    linked = await judge.review.line(category="certain", kind="customer")
    body = {"name": "Nytt tak", "customerId": linked["record"]["id"]}
    await judge.twins.control("timerabbit", "POST", "/companies/cmp_1/projects", body)
    await judge.review.start()
    await work()
    await judge.review.answer_all()
    run_id = str((await judge.review.confirm()).json()["id"])
    await work()
    undoing = Undoing(client, judge.linked, run_id)
    line = await made(undoing, "books", "project")
    paper = await begin_paper(judge, projectId=int(line["recordId"]))

    await undoing.ask()
    await work()

    (after,) = [one for one in await undoing.lines() if one["id"] == line["id"]]
    assert (after["state"], after["code"]) == ("refused", "used-in-books")
    assert after["facts"] == {"papers": paper}
    assert (await active(judge))["books", "projects"]["Nytt tak"] == 1
    assert line["recordId"] in {pair.books_id for pair in await judge.pairs()}


async def test_a_refusal_can_be_looked_at_once_more(
    undoing: Undoing, judge: Judge, work: Work
) -> None:
    """The edit is taken back by hand; asked again, the rest is undone too."""
    line = await made(undoing, "books")
    path = f"/organizations/1001/customers/{line['recordId']}"
    books = await judge.twins.books()
    (own,) = [c for c in books["customers"] if str(c["id"]) == line["recordId"]]
    await judge.twins.control("conta", "PATCH", path, {"phoneNo": "99887766"})
    await undoing.ask()
    await work()
    await judge.twins.control("conta", "PATCH", path, {"phoneNo": own.get("phoneNo")})

    await undoing.ask()
    await work()

    assert {one["state"] for one in await undoing.lines()} == {"done"}


DEATHS = [(when, nth) for when in ("before", "after") for nth in (1, 3, 8)]


@pytest.mark.parametrize(("when", "nth"), DEATHS)
async def test_a_death_undoes_nothing_twice_and_forgets_nothing(
    undoing: Undoing, judge: Judge, work: Work, *, when: When, nth: int
) -> None:
    """Whoever dies around a commit and comes back ends as if nothing had happened."""
    shown, whole = await undoing.show(), await judge.names()
    first = await active(judge)
    await undoing.ask()
    judge.runtime.database._hook = dying_at(CommitPoint.UNDO_STEP, when, nth)
    with pytest.raises(Died):
        await work()

    judge.runtime.database._hook = lambda *_: None
    async with judge.runtime.database.transaction(
        CommitPoint.PLAIN, judge.linked.link_id
    ) as session:
        for job in (Job.UNDO_FIRST_SYNC, Job.DRAIN_LINK, Job.SWEEP_LINK):
            await defer(session, job, judge.linked.link_id)
    await work()

    after = await active(judge)
    archived = sum(sum(kinds.values()) for kinds in shown["archives"].values())
    assert (await undoing.show())["state"] == "done"
    assert await judge.pairs() == []
    assert sum((names - after[place]).total() for place, names in first.items()) == archived
    assert await judge.names() == whole


async def test_an_undoing_rests_and_goes_on(undoing: Undoing, judge: Judge, work: Work) -> None:
    """Paused it parts nothing more; asked again it goes on."""
    await undoing.ask()
    paused = (await undoing.ask("/pause")).json()["state"]
    await work()
    resting = len(await judge.pairs())

    await undoing.ask()
    await work()

    assert (paused, resting > 0, await judge.pairs()) == ("paused", True, [])


async def test_a_run_under_way_cannot_be_undone(
    client: httpx.AsyncClient, reviewing: Linked, review: Review, confirmed: str
) -> None:
    """First it must end."""
    refused = await Undoing(client, reviewing, confirmed).ask()

    assert (refused.status_code, refused.json()["code"]) == (409, "undo-not-now")


async def test_an_undoing_of_a_closed_link_is_refused(
    undoing: Undoing, client: httpx.AsyncClient, reviewing: Linked, work: Work
) -> None:  # fmt: skip
    """Nothing could be asked of the systems: it would seem to run for ever."""
    await client.delete(reviewing.path, headers=reviewing.books)
    await work()

    refused = await undoing.ask()

    shown = await undoing.show()
    assert (refused.status_code, refused.json()["code"]) == (409, "link-closed")
    assert (shown["state"], shown["total"] > 0) == (None, True)

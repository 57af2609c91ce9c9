"""Time passes between the plan and its carrying out; what happens then is neither lost nor made."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from app.canonical import RecordId, RecordKind, Side
from app.changes.store import note
from app.database import CommitPoint
from app.first_sync.reading.sides import open_both
from app.first_sync.run.carry_out import run_first_sync
from app.first_sync.run.newcomers import LONGEST_UNSEEN, look_again
from app.queue import Job, defer
from app.systems.ports import ChangeNotice, Page, RecordKeeper
from tests.features.conftest import Linked, Twins
from tests.features.first_sync.conftest import Died, Review, When, Work, dying_at
from tests.features.first_sync.test_run import Judge, judge, restart

__all__ = ["judge"]


async def test_a_project_is_linked_inside_linked_customers_only(review: Review) -> None:
    """A person cannot link a project into another customer's, however alike they look."""
    first, second = (await review.lines(kind="project", deed="link"))[:2]
    theirs = second["candidates"][0]["id"]
    await review.answer(second, "create")

    got = await review.patch(first, {"answer": "link", "partnerId": theirs})

    assert first["record"]["customerId"] != second["record"]["customerId"]
    assert (got.status_code, got.json()["facts"]) == (422, {"reason": "customers-not-linked"})


async def test_a_project_waits_when_its_customers_were_not_linked_after_all(
    judge: Judge, confirmed: str, work: Work
) -> None:
    """Its customer changed since the plan and was left to the sync: the project is not linked."""
    project = await judge.review.line(kind="project", deed="link")
    path = f"/companies/cmp_1/customers/{project['record']['customerId']}"
    await judge.twins.control("timerabbit", "PATCH", path, {"name": "Et Annet Navn AS"})

    await work()

    (after,) = [one for one in await judge.review.lines() if one["id"] == project["id"]]
    assert (after["outcome"], after["outcomeCode"]) == ("later", "project-customer-not-linked")


async def test_a_run_of_a_paused_link_goes_on_when_the_link_does(
    judge: Judge, confirmed: str, work: Work, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """A person pauses the whole link: nothing is written; resumed, the run goes on by itself."""
    before = await judge.names()
    await client.post(f"{reviewing.path}/pause", headers=reviewing.books)
    await work()
    rested = await judge.names()

    await client.post(f"{reviewing.path}/resume", headers=reviewing.books)
    await work()

    assert rested == before
    assert (await judge.review.run(confirmed))["state"] == "done"


async def test_a_reading_of_a_paused_link_goes_on_when_the_link_does(
    review: Review, work: Work, client: httpx.AsyncClient, reviewing: Linked, twins: Twins
) -> None:
    """Nothing is asked of either system while the link rests."""
    await review.start()
    await client.post(f"{reviewing.path}/pause", headers=reviewing.books)
    await twins.control("conta", "DELETE", "/requests")
    await work()
    asked = (await twins.control("conta", "GET", "/requests"))["requests"]
    waiting = (await review.plan())["state"]

    await client.post(f"{reviewing.path}/resume", headers=reviewing.books)
    await work()

    assert (asked, waiting) == ([], "reading")
    assert (await review.plan())["state"] == "open"


async def test_a_link_that_rests_takes_no_confirmation(
    review: Review, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """A closed or paused link refuses to start a run that could not begin."""
    await review.answer_all()
    await client.delete(reviewing.path, headers=reviewing.books)

    got = await review.confirm()

    assert (got.status_code, got.json()["code"]) == (409, "first-sync-not-now")


def by_hand(line: dict[str, Any]) -> dict[str, Any]:
    """Give what a person types into Conta for a customer of Timerabbit."""
    return {
        "name": line["record"]["name"], "customerType": "ORGANIZATION",
        "orgNo": line["record"]["organizationNumber"], "customerAddressLine1": "Torget 1",
        "customerAddressPostcode": "0150", "customerAddressCity": "Oslo", "isActive": True,
    }  # fmt: skip


DEATHS = [None, ("before", 1), ("after", 1), ("before", 2), ("after", 2)]


@pytest.mark.parametrize("death", DEATHS)
async def test_what_a_person_made_meanwhile_is_not_made_again(
    judge: Judge, confirmed: str, work: Work, death: tuple[When, int] | None
) -> None:
    """The plan would create it, but it stands in Conta by now: the sync links the two instead."""
    line = await judge.review.line(deed="create-in-books", kind="customer", category="only_time")
    made = await judge.twins.control(
        "conta", "POST", "/organizations/1001/customers", by_hand(line)
    )
    if death is not None:
        when, nth = death
        judge.runtime.database._hook = dying_at(CommitPoint.RUN_STEP, when, nth)
        with pytest.raises(Died):
            await work()
        await restart(judge)

    await work()

    (after,) = [one for one in await judge.review.lines() if one["id"] == line["id"]]
    names = await judge.names()
    pairs = {pair.time_id: pair.books_id for pair in await judge.pairs()}
    assert names["books", "customer"][line["record"]["name"]] == 1
    assert (after["outcome"], after["outcomeCode"]) == ("later", "partner-made-since")
    assert pairs[line["record"]["id"]] == str(made["id"])


async def test_a_stranger_made_meanwhile_is_taken_up_afterwards(
    judge: Judge, confirmed: str, work: Work
) -> None:
    """What is nobody's partner is created on the other side by the ordinary sync, once."""
    body = {
        "name": "Helt Ny Kunde AS", "customerType": "ORGANIZATION",
        "customerAddressLine1": "Torget 1", "customerAddressPostcode": "0150",
        "customerAddressCity": "Oslo", "isActive": True,
    }  # fmt: skip
    await judge.twins.control("conta", "POST", "/organizations/1001/customers", body)

    await work()

    names = await judge.names()
    counts = Counter(
        {side: names[side, "customer"]["Helt Ny Kunde AS"] for side in ("books", "time")}
    )
    assert counts == {"books": 1, "time": 1}


async def test_a_customer_deleted_meanwhile_is_asked_about(
    judge: Judge, confirmed: str, work: Work, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """Deleted between plan and confirmation: not linked, not made once more; a person is asked."""
    line = await judge.review.line(deed="link", kind="customer")
    name, partner = line["record"]["name"], line["candidates"][0]["id"]
    before = await judge.names()
    await judge.twins.control("conta", "POST", f"/organizations/1001/customers/{partner}/delete")

    await work()

    (after,) = [one for one in await judge.review.lines() if one["id"] == line["id"]]
    names = await judge.names()
    asked = (await client.get(f"{reviewing.path}/questions", headers=reviewing.books)).json()
    assert (after["outcome"], after["outcomeCode"]) == ("later", "record-gone")
    assert (names["books", "customer"][name], names["time", "customer"][name]) == (
        0, before["time", "customer"][name],
    )  # fmt: skip
    assert line["record"]["id"] in {one["record"]["id"] for one in asked["items"]}


async def test_what_a_person_renamed_meanwhile_is_not_made_again(
    judge: Judge, confirmed: str, work: Work
) -> None:
    """A customer that stood in Conta at the plan has another name and number by now."""
    line = await judge.review.line(deed="create-in-books", kind="customer", category="only_time")
    other = await judge.review.line(deed="create-in-time", kind="customer", category="only_books")
    path = f"/organizations/1001/customers/{other['record']['id']}"
    await judge.twins.control("conta", "PATCH", path, by_hand(line))

    await work()

    after = {one["id"]: one for one in await judge.review.lines()}
    names = await judge.names()
    pairs = {pair.time_id: pair.books_id for pair in await judge.pairs()}
    name = line["record"]["name"]
    assert after[line["id"]]["outcomeCode"] == "partner-made-since"
    assert after[other["id"]]["outcomeCode"] == "changed-since-plan"
    assert (names["books", "customer"][name], names["time", "customer"][name]) == (1, 1)
    assert pairs[line["record"]["id"]] == other["record"]["id"]


async def test_a_partner_that_became_another_is_not_linked_and_not_made_again(
    judge: Judge, confirmed: str, work: Work
) -> None:
    """What the plan would link says by now what the plan would create elsewhere."""
    line = await judge.review.line(deed="create-in-books", kind="customer", category="only_time")
    link = await judge.review.line(deed="link", kind="customer", category="certain")
    theirs = link["candidates"][0]["id"]
    path = f"/organizations/1001/customers/{theirs}"
    await judge.twins.control("conta", "PATCH", path, by_hand(line))

    await work()

    after = {one["id"]: one for one in await judge.review.lines()}
    names = await judge.names()
    pairs = {pair.time_id: pair.books_id for pair in await judge.pairs()}
    assert after[line["id"]]["outcomeCode"] == "partner-made-since"
    assert after[link["id"]]["outcomeCode"] == "changed-since-plan"
    assert names["books", "customer"][line["record"]["name"]] == 1
    assert pairs[line["record"]["id"]] == theirs != pairs.get(link["record"]["id"])


async def test_a_run_that_rested_looks_again_before_it_creates(
    judge: Judge,
    confirmed: str,
    work: Work,
    client: httpx.AsyncClient,
    reviewing: Linked,
    clock: Any,
) -> None:
    """The link rested right after the first look; what was typed in meanwhile is seen."""
    line = await judge.review.line(deed="create-in-books", kind="customer", category="only_time")
    await run_first_sync(judge.runtime, reviewing.link_id)
    await client.post(f"{reviewing.path}/pause", headers=reviewing.books)
    await judge.twins.control("conta", "POST", "/organizations/1001/customers", by_hand(line))
    clock.advance(seconds=LONGEST_UNSEEN.total_seconds() + 1)

    await client.post(f"{reviewing.path}/resume", headers=reviewing.books)
    await work()

    (after,) = [one for one in await judge.review.lines() if one["id"] == line["id"]]
    names = await judge.names()
    assert (await judge.review.run(confirmed))["state"] == "done"
    assert after["outcomeCode"] == "partner-made-since"
    assert names["books", "customer"][line["record"]["name"]] == 1


class Resting:
    """Be a side in whose customers' list a person pauses the run, and resumes it in the next."""

    def __init__(self, keeper: RecordKeeper, review: Review, run_id: str) -> None:
        self._keeper, self._review, self._run_id = keeper, review, run_id

    def __getattr__(self, name: str) -> Any:
        return getattr(self._keeper, name)

    async def pages(
        self, kind: RecordKind, *, changed_since: datetime | None = None
    ) -> AsyncIterator[Page]:
        async for page in self._keeper.pages(kind, changed_since=changed_since):
            yield page
        deed = "pause" if kind is RecordKind.CUSTOMER else "resume"
        await self._review.let(self._run_id, deed)


async def test_a_run_that_rested_within_a_look_looks_again(
    judge: Judge, confirmed: str, work: Work
) -> None:
    """Paused and resumed before the look ends: what it found meanwhile is not forgotten."""
    line = await judge.review.line(deed="create-in-books", kind="customer", category="only_time")
    await judge.twins.control("conta", "POST", "/organizations/1001/customers", by_hand(line))
    keepers: dict[Side, Any] = dict(await open_both(judge.runtime, judge.linked.link_id))
    keepers[Side.BOOKS] = Resting(keepers[Side.BOOKS], judge.review, confirmed)

    await look_again(judge.runtime, judge.linked.link_id, keepers)
    await judge.review.let(confirmed, "resume")
    await work()

    (after,) = [one for one in await judge.review.lines() if one["id"] == line["id"]]
    assert after["outcomeCode"] == "partner-made-since"
    assert (await judge.names())["books", "customer"][line["record"]["name"]] == 1


async def test_an_edit_during_the_review_is_found_before_the_run_writes(
    judge: Judge, work: Work, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """
    Webhooks tell of edits while a person answers: nothing is read by itself meanwhile.

    What the person saw is compared with what both systems say when the run comes to it, so the
    edits are neither linked nor created over, and the ordinary sync takes them up afterwards.
    """
    make = await judge.review.line(deed="create-in-books", kind="customer", category="only_time")
    link = await judge.review.line(deed="link", kind="customer", category="certain")
    ids = [RecordId(one["record"]["id"]) for one in (make, link)]
    for record_id, name in zip(ids, ("Nytt Navn En AS", "Nytt Navn To AS"), strict=True):
        path = f"/companies/cmp_1/customers/{record_id}"
        await judge.twins.control("timerabbit", "PATCH", path, {"name": name})
    await judge.twins.control("conta", "DELETE", "/requests")
    async with judge.runtime.database.transaction(CommitPoint.PLAIN, reviewing.link_id) as session:
        notices = [ChangeNotice(RecordKind.CUSTOMER, one) for one in ids]
        await note(session, reviewing.link_id, Side.TIME, notices, now=judge.runtime.clock())
        for job in (Job.DRAIN_LINK, Job.SWEEP_LINK):
            await defer(session, job, reviewing.link_id)
    await work()
    asked = (await judge.twins.control("conta", "GET", "/requests"))["requests"]
    await judge.review.answer_all()
    await judge.review.confirm()

    await work()

    after = {one["id"]: one for one in await judge.review.lines()}
    names = await judge.names()
    assert asked == []
    assert [after[one["id"]]["outcomeCode"] for one in (make, link)] == ["changed-since-plan"] * 2
    assert names["books", "customer"][make["record"]["name"]] == 0
    assert names["books", "customer"]["Nytt Navn En AS"] == 1


async def test_the_partner_of_what_became_another_is_not_forgotten(
    judge: Judge, confirmed: str, work: Work
) -> None:
    """What the plan would link says something else altogether: each is made on the other side."""
    link = await judge.review.line(deed="link", kind="customer", category="certain")
    theirs = link["candidates"][0]["record"]["name"]
    path = f"/companies/cmp_1/customers/{link['record']['id']}"
    other = {
        "name": "Et Helt Annet Navn AS", "organizationNumber": None, "email": "x@y.example",
        "phone": "99887766", "kind": "company",
        "address": {"line1": "Fjellveien 9", "postalCode": "9008", "city": "Tromsø"},
    }  # fmt: skip
    await judge.twins.control("timerabbit", "PATCH", path, other)

    await work()

    names = await judge.names()
    assert names["time", "customer"][theirs] == 1
    assert names["books", "customer"]["Et Helt Annet Navn AS"] == 1


async def test_the_partner_of_a_customer_deleted_meanwhile_is_asked_about(
    judge: Judge, confirmed: str, work: Work, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """Deleted in Timerabbit: it is not made there once more from its half in Conta."""
    link = await judge.review.line(deed="link", kind="customer", category="certain")
    theirs = link["candidates"][0]
    name, before = theirs["record"]["name"], await judge.names()
    path = f"/companies/cmp_1/customers/{link['record']['id']}"
    await judge.twins.control("timerabbit", "POST", f"{path}/delete")

    await work()

    names = await judge.names()
    asked = (await client.get(f"{reviewing.path}/questions", headers=reviewing.books)).json()
    assert names["time", "customer"][name] == before["time", "customer"][name]
    assert theirs["id"] in {one["record"]["id"] for one in asked["items"]}


async def test_a_link_that_a_person_chose_is_asked_about_after_an_edit(
    judge: Judge, work: Work, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """The two are not alike: nothing but the person's word joins them, so neither is created."""
    review = judge.review
    time = await review.line(deed="create-in-books", kind="customer", category="only_time")
    books = await review.line(deed="create-in-time", kind="customer", category="only_books")
    own, theirs = time["record"], books["record"]
    await review.answer(time, "link", partnerId=theirs["id"])
    await review.answer_all()
    await review.confirm()
    path = f"/companies/cmp_1/customers/{own['id']}"
    await judge.twins.control("timerabbit", "PATCH", path, {"phone": "22 33 44 55"})

    await work()

    names = await judge.names()
    asked = (await client.get(f"{reviewing.path}/questions", headers=reviewing.books)).json()
    named = {
        one["record"]["id"]: [each["id"] for each in one["candidates"]] for one in asked["items"]
    }
    assert (named[own["id"]], named[theirs["id"]]) == ([theirs["id"]], [own["id"]])
    assert (names["books", "customer"][own["name"]], names["time", "customer"][theirs["name"]]) == (
        0, 0,
    )  # fmt: skip

    (question,) = [one for one in asked["items"] if one["record"]["id"] == own["id"]]
    await client.put(
        f"{reviewing.path}/questions/{question['id']}/answer",
        headers={**reviewing.books, "If-Match": f'"{question["version"]}"'},
        json={"answer": "link", "partnerId": theirs["id"]},
    )
    await work()

    pairs = {pair.time_id: pair.books_id for pair in await judge.pairs()}
    left = (await client.get(f"{reviewing.path}/questions", headers=reviewing.books)).json()
    assert pairs[own["id"]] == theirs["id"]
    assert not {own["id"], theirs["id"]} & {one["record"]["id"] for one in left["items"]}

"""The review: read both sides, propose, answer, confirm; nothing is written before."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from app.first_sync.plan import plan as making
from app.records.asked import Refusal
from app.runtime import Runtime
from tests.features.conftest import Linked, Twins
from tests.features.first_sync.conftest import Review, Work


async def test_nothing_is_written_before_the_confirmation(
    reviewing: Linked, client: httpx.AsyncClient, work: Work, twins: Twins
) -> None:
    """Reading, matching and answering leave both systems as they were."""
    before = (await twins.books(), await twins.time())
    review = Review(client, reviewing)
    await review.start()
    await work()

    await review.answer_all()

    after = (await twins.books(), await twins.time())
    assert [one["customers"] for one in after] == [one["customers"] for one in before]
    assert [one["projects"] for one in after] == [one["projects"] for one in before]


async def test_a_reading_says_how_far_it_is_and_how_long_it_takes(
    reviewing: Linked, client: httpx.AsyncClient, work: Work, twins: Twins
) -> None:
    """Conta listed its customers and then asks for a minute: the plan shows both."""
    fault = {"kind": "status_before", "status": 429, "retry_after": 60, "path": "/customers/"}
    await twins.control("conta", "POST", "/faults", fault)
    review = Review(client, reviewing)
    await review.start()
    await work()

    plan = await review.plan()

    there = len((await twins.books())["customers"])
    told = {"listed": there, "total": there, "read": 0}
    assert (plan["state"], plan["progress"]["books"]["customer"]) == ("reading", told)
    assert 50 <= plan["estimatedSeconds"] <= 70


async def test_every_record_has_exactly_one_fate(review: Review, twins: Twins) -> None:
    """Each customer and project of both sides is an anchor or a partner, and only once."""
    books, time = await twins.books(), await twins.time()

    lines = await review.lines()

    fates: list[tuple[str, str, str]] = []
    for line in lines:
        fates.append((line["side"], line["kind"], line["record"]["id"]))
        if line["deed"] in ("link", "ask"):
            fates += [("books", line["kind"], one["id"]) for one in line["candidates"]]
    records = [
        (side, kind, str(record["id"]))
        for side, state in (("books", books), ("time", time))
        for kind in ("customer", "project")
        for record in state[f"{kind}s"]
    ]
    assert sorted(fates) == sorted(records)


async def test_the_plan_counts_and_shows_its_progress(review: Review, twins: Twins) -> None:
    """The plan says how far it read, what its lines come to and what must be answered."""
    plan = await review.plan()
    there = len((await twins.books())["customers"])

    asked = await review.lines(deed="ask")
    assert plan["state"] == "open"
    assert plan["progress"]["books"]["customer"] == dict.fromkeys(
        ("listed", "total", "read"), there
    )
    assert plan["missingAnswers"] == len(asked) > 0
    assert sum(plan["categories"].values()) == len(await review.lines())


async def test_an_answer_needs_the_version_that_was_seen(review: Review) -> None:
    """Without If-Match 428; with an old one 412 and the line as it is now, nothing overwritten."""
    line = await review.line(category="only_time")
    missing = await review.patch(line, {"answer": "leave_out"}, **{"If-Match": ""})
    first = await review.patch(line, {"answer": "leave_out"})

    second = await review.patch(line, {"answer": "create"})

    assert (missing.status_code, first.status_code, second.status_code) == (428, 200, 412)
    assert second.json()["present"]["answer"] == "leave_out"


async def test_an_answer_survives_a_new_reading(review: Review, work: Work) -> None:
    """Reading both sides again keeps ids and the answers of records that did not change."""
    line = await review.line(category="only_time")
    answered = await review.answer(line, "leave_out")

    await review.start()
    await work()

    (again,) = [one for one in await review.lines() if one["id"] == line["id"]]
    assert (again["answer"], again["version"]) == ("leave_out", answered["version"])


async def test_a_record_that_changed_is_asked_again(
    review: Review, work: Work, twins: Twins
) -> None:
    """A create of a record that says something new is dropped, and does not become the default."""
    line = await review.line(category="only_time", kind="customer")
    await review.answer(line, "create")
    path = f"/companies/cmp_1/customers/{line['record']['id']}"
    await twins.control("timerabbit", "PATCH", path, {"name": "Helt Nytt Navn AS"})

    await review.start()
    await work()

    (again,) = [one for one in await review.lines() if one["id"] == line["id"]]
    assert (again["answer"], again["record"]["name"]) == (None, "Helt Nytt Navn AS")
    assert (again["category"], again["deed"]) == ("asked_again", "ask")
    assert again["version"] > line["version"]
    assert (await review.confirm()).json()["code"] == "answers-missing"


@pytest.mark.parametrize(
    "said", [{"partnerId": "free"}, {"partnerId": ""}, {"winners": {"email": "books"}}]
)
@pytest.mark.parametrize("answer", ["create", "leave_out", None])
async def test_a_partner_and_winners_are_said_with_a_link_only(
    review: Review, answer: str | None, said: dict[str, Any]
) -> None:
    """With any other answer they are refused, and nothing of them is kept in the line."""
    line = await review.line(deed="create-in-books", kind="customer", category="only_time")
    free = await review.line(deed="create-in-time", kind="customer", category="only_books")
    named = {"partnerId": free["record"]["id"]} if said.get("partnerId") else {}

    got = await review.patch(line, {"answer": answer, **said, **named})

    assert (got.status_code, got.json()["code"]) == (422, "invalid-request")
    (after,) = [one for one in await review.lines() if one["id"] == line["id"]]
    assert after == line


async def test_winners_of_many_lines_are_said_with_a_link_only(
    review: Review, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """So it is with one answer to many lines."""
    body = {"filter": {"deed": "ask"}, "answer": "create", "winners": {"email": "time"}}

    got = await client.post(
        f"{reviewing.path}/first-sync/answers", headers=reviewing.books, json=body
    )

    assert (got.status_code, got.json()["code"]) == (422, "invalid-request")


async def test_a_freed_partner_gets_its_own_line(review: Review) -> None:
    """Whoever is not the partner any more is to be created on the other side itself."""
    line = await review.line(category="certain", kind="customer")
    partner = line["candidates"][0]["id"]

    await review.answer(line, "create")

    freed = [one for one in await review.lines() if one["record"]["id"] == partner]
    assert [(one["side"], one["deed"]) for one in freed] == [("books", "create-in-time")]


async def test_a_record_is_the_partner_of_one_line_only(review: Review) -> None:
    """A partner that another line links to is refused; taking that back makes it free."""
    line, other = (await review.lines(category="certain", kind="customer"))[:2]
    partner = other["candidates"][0]["id"]

    refused = await review.patch(line, {"answer": "link", "partnerId": partner})
    await review.answer(other, "create")
    accepted = await review.patch(line, {"answer": "link", "partnerId": partner})

    assert refused.json()["facts"]["reason"] == "partner-taken"
    assert (refused.status_code, accepted.status_code) == (422, 200)


async def test_a_line_of_the_books_side_can_name_its_partner(review: Review) -> None:
    """Answering from the other side comes to the same line and puts its own to sleep."""
    time = await review.line(category="only_time", kind="customer")
    books = await review.line(category="only_books", kind="customer")

    got = await review.patch(books, {"answer": "link", "partnerId": time["record"]["id"]})

    assert got.status_code == 200
    lines = await review.lines()
    (linked,) = [one for one in lines if one["id"] == time["id"]]
    assert (linked["deed"], linked["partnerId"]) == ("link", books["record"]["id"])
    assert books["id"] not in {one["id"] for one in lines}


async def test_a_no_is_remembered(review: Review, runtime: Runtime, reviewing: Linked) -> None:
    """A pair a person parted is kept as refused; taking the answer back forgets that."""
    line = await review.line(category="certain", kind="customer")
    answered = await review.answer(line, "create")
    async with runtime.database.reading(reviewing.link_id) as session:
        refused = (await session.scalars(select(Refusal))).all()

    await review.answer(answered, None)

    async with runtime.database.reading(reviewing.link_id) as session:
        after = (await session.scalars(select(Refusal))).all()
    assert [one.time_id for one in refused] == [line["record"]["id"]]
    assert after == []


async def test_projects_follow_their_customers_answers(review: Review) -> None:
    """Parting two customers parts their projects too; linking them again brings them together."""
    project = await review.line(category="certain", kind="project")
    customers = await review.lines(kind="customer", category="certain")
    (customer,) = [c for c in customers if c["record"]["id"] == project["record"]["customerId"]]

    parted = await review.answer(customer, "create")
    lines = await review.lines(kind="project")
    (alone,) = [one for one in lines if one["id"] == project["id"]]
    await review.answer(parted, None)

    (again,) = [one for one in await review.lines(kind="project") if one["id"] == project["id"]]
    assert (alone["category"], again["category"]) == ("only_time", "certain")


async def test_many_lines_take_one_answer(review: Review) -> None:
    """A dry run says how many it hits and changes nothing; the call itself says it of each line."""
    wanted = {"filter": {"category": "only_books", "kind": "customer"}, "answer": "leave_out"}
    count = len(await review.lines(category="only_books", kind="customer"))

    dry = await review.bulk({**wanted, "dryRun": True})
    untouched = await review.lines(category="left_out")
    done = await review.bulk(wanted)

    assert (dry["matched"], dry["dryRun"], untouched) == (count, True, [])
    assert [one["result"] for one in done["items"]] == ["answered"] * count
    assert len(await review.lines(category="left_out")) == count


async def test_lists_go_on_page_by_page(
    review: Review, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """Pages join to the whole list; a cursor is refused by another list."""
    url, params = f"{reviewing.path}/first-sync/proposals", {"limit": "30"}
    seen: list[str] = []
    cursor: str | None = None
    while True:
        more = {**params, **({"cursor": cursor} if cursor else {})}
        page = (await client.get(url, headers=reviewing.books, params=more)).json()
        seen += [one["id"] for one in page["items"]]
        if page["nextCursor"] is None:
            break
        cursor = page["nextCursor"]

    other = await client.get(
        url, headers=reviewing.books, params={"cursor": cursor or "", "kind": "project"}
    )

    assert seen == [one["id"] for one in await review.lines()]
    assert other.status_code == 400


async def test_open_questions_stop_the_confirmation(review: Review) -> None:
    """While a line must be answered nothing starts, and the refusal says how many there are."""
    count = (await review.plan())["missingAnswers"]

    refused = await review.confirm()

    assert (refused.status_code, refused.json()["code"]) == (409, "answers-missing")
    assert refused.json()["facts"]["count"] == str(count)


async def test_a_refused_confirmation_may_be_repeated_with_its_key(review: Review) -> None:
    """The key of a refused call is free again once the reason is gone."""
    await review.confirm("same-key")
    await review.answer_all()

    accepted = await review.confirm("same-key")

    assert accepted.status_code == 202


async def test_a_plan_confirmed_twice_has_one_run(review: Review) -> None:
    """Another key, or the same one again, leads to the run that is there."""
    await review.answer_all()
    first = await review.confirm("one")

    repeated, other = await review.confirm("one"), await review.confirm("two")

    assert {repeated.json()["id"], other.json()["id"]} == {first.json()["id"]}
    assert repeated.headers["Idempotent-Replayed"] == "true"
    assert first.headers["Location"].endswith(first.json()["id"])


async def test_a_confirmed_plan_takes_no_more_answers(review: Review, confirmed: str) -> None:
    """After the confirmation neither answers nor a new reading change what is carried out."""
    line = await review.line(category="certain")

    late = await review.patch(line, {"answer": "create"})

    assert (late.status_code, late.json()["code"]) == (409, "first-sync-not-open")


async def test_strangers_see_no_plan(
    review: Review, reviewing: Linked, client: httpx.AsyncClient, twins: Twins
) -> None:
    """A caller of another organization gets the answer of an unknown link."""
    token = await twins.token("conta", "2002")

    answer = await client.get(
        f"{reviewing.path}/first-sync", headers={"Authorization": f"Bearer {token}"}
    )

    assert answer.status_code == 404


async def test_the_planner_knows_of_a_large_plan_at_once(
    reviewing: Linked,
    client: httpx.AsyncClient,
    work: Work,
    runtime: Runtime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else pages are walked record by record until the database's own housekeeping comes by."""
    monkeypatch.setattr(making, "_MANY_LINES", 10)
    review = Review(client, reviewing)
    await review.start()
    await work()
    lines = len(await review.lines())

    async with runtime.database.reading() as session:
        known = await session.scalar(
            text("SELECT reltuples FROM pg_class WHERE oid = CAST('proposals' AS regclass)")
        )

    assert known is not None
    assert lines <= int(known) < 2 * lines


async def test_a_no_is_taken_back_with_its_answer_after_a_new_reading(
    review: Review, work: Work
) -> None:
    """The line was drawn anew without what was refused: it names it again, and asks."""
    line = await review.line(category="certain", kind="customer")
    await review.answer(line, "create")
    await review.start()
    await work()
    (again,) = [one for one in await review.lines() if one["id"] == line["id"]]

    await review.answer(again, None)

    lines = await review.lines()
    (after,) = [one for one in lines if one["id"] == line["id"]]
    partner = line["candidates"][0]["id"]
    assert (again["answer"], again["candidates"]) == ("create", [])
    assert ([one["id"] for one in after["candidates"]], after["deed"]) == ([partner], "ask")
    assert partner not in {one["record"]["id"] for one in lines}

"""People, programs and processes that act at the very same time: each deed holds once, or not."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from app.database import CommitPoint
from app.first_sync.run.carry_out import run_first_sync
from app.first_sync.store import Run
from app.first_sync.undo.undo import undo_first_sync
from app.runtime import Runtime
from tests.features.conftest import Linked
from tests.features.first_sync.conftest import Review, When, Work, dying_at
from tests.features.first_sync.test_run import Judge, assert_carried_out, judge
from tests.features.first_sync.test_sheet import Sheets, sheets

__all__ = ["judge", "sheets"]

CHOICES = ("leave_out", "create", "link")


@pytest.fixture
async def callers(client: httpx.AsyncClient, reviewing: Linked) -> list[dict[str, str]]:
    """Two people, one of each system, and a program with an API token."""
    made = await client.post(
        "/v1/tokens",
        headers={**reviewing.books, "Idempotency-Key": "token-1"},
        json={"name": "Bot", "account": "1001", "scopes": ["links:read", "sync:decide"]},
    )
    assert made.status_code == 201, made.text
    return [reviewing.books, reviewing.time, {"Authorization": f"Bearer {made.json()['token']}"}]


async def patch(
    client: httpx.AsyncClient, link: Linked, headers: dict[str, str], line: Any, answer: str
) -> httpx.Response:
    body: dict[str, Any] = {"answer": answer}
    if answer == "link":
        body["partnerId"] = line["candidates"][0]["id"]
    return await client.patch(
        f"{link.path}/first-sync/proposals/{line['id']}",
        headers={**headers, "If-Match": f'"{line["version"]}"'},
        json=body,
    )


async def by_id(review: Review) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in await review.lines(kind="customer")}


async def test_of_three_callers_at_once_exactly_one_wins_each_line(
    review: Review, client: httpx.AsyncClient, reviewing: Linked, callers: list[dict[str, str]]
) -> None:
    """The others get 412 with the winner's answer and name; what stands is what was accepted."""
    lines = await review.lines(kind="customer", category="certain")

    answers = await asyncio.gather(
        *(
            patch(client, reviewing, headers, line, choice)
            for line in lines
            for headers, choice in zip(callers, CHOICES, strict=True)
        )
    )

    after = await by_id(review)
    per_line = [answers[n : n + 3] for n in range(0, len(answers), 3)]
    assert len(lines) > 5
    for line, three in zip(lines, per_line, strict=True):
        assert sorted(one.status_code for one in three) == [200, 412, 412]
        (won,) = [one.json() for one in three if one.status_code == 200]
        stands = after[line["id"]]
        said = [(one["answer"], one["answeredBy"], one["answeredAt"]) for one in (won, stands)]
        assert said[0] == said[1]
        for lost in three:
            if lost.status_code == 412:
                present = lost.json()["present"]
                assert (present["answer"], present["answeredBy"]) == said[0][:2]


async def test_single_bulk_and_sheet_answers_at_once_lose_none(
    review: Review,
    client: httpx.AsyncClient,
    reviewing: Linked,
    callers: list[dict[str, str]],
    sheets: Sheets,
) -> None:
    """Whoever is told that an answer was taken finds it there; nobody's is written over."""
    lines = await review.lines(kind="customer", category="only_time")
    rows = [
        {"Linje": one["id"], "Versjon": str(one["version"]), "Svar": "opprett", "Motpart": ""}
        for one in lines[:3]
    ]
    url = f"{reviewing.path}/first-sync"
    filtered = {"filter": {"kind": "customer", "category": "only_time"}, "answer": "leave_out"}

    bulk, uploaded, *single = await asyncio.gather(
        client.post(f"{url}/answers", headers=callers[2], json=filtered),
        sheets.answers(rows),
        *(patch(client, reviewing, callers[0], line, "create") for line in lines[2:]),
    )

    after = await by_id(review)
    told = {one["id"]: one["result"] for one in bulk.json()["items"]}
    took: dict[str, list[str]] = {line["id"]: [] for line in lines}
    for line_id, result in told.items():
        took[line_id] += ["leave_out"] if result == "answered" else []
    for line, answer in zip(lines[2:], single, strict=True):
        took[line["id"]] += ["create"] if answer.status_code == 200 else []
    for line in lines[:3]:
        took[line["id"]] += ["create"] if uploaded.status_code == 200 else []
    assert uploaded.status_code in (200, 422), uploaded.text
    for line_id, answers in took.items():
        # Two who say the same are both right: a sheet's row that agrees is told so.
        assert set(answers) == {after[line_id]["answer"]}, told[line_id]


async def test_one_partner_wanted_by_two_at_once_is_given_once(
    review: Review, client: httpx.AsyncClient, reviewing: Linked, callers: list[dict[str, str]]
) -> None:
    """Two people link two customers to the same one of the other side: one of them is refused."""
    first, second = (await review.lines(kind="customer", category="only_time"))[:2]
    free = await review.line(kind="customer", category="only_books")
    wanted = [{**one, "candidates": [{"id": free["record"]["id"]}]} for one in (first, second)]

    got = await asyncio.gather(
        *(
            patch(client, reviewing, who, line, "link")
            for who, line in zip(callers, wanted, strict=False)
        )
    )

    after = await by_id(review)
    partners = [after[one["id"]]["partnerId"] for one in wanted]
    assert sorted(one.status_code for one in got) == [200, 422]
    assert Counter(partners) == {free["record"]["id"]: 1, None: 1}


async def runs(judge: Judge) -> int:
    async with judge.runtime.database.reading(judge.linked.link_id) as session:
        return await session.scalar(select(func.count()).select_from(Run)) or 0


async def test_a_plan_confirmed_by_many_at_once_is_carried_out_once(
    judge: Judge, work: Work, client: httpx.AsyncClient, callers: list[dict[str, str]]
) -> None:
    """One run, whoever asks with whatever key, and however many workers take it up."""
    await judge.review.answer_all()
    before, lines = await judge.names(), await judge.review.lines()
    url = f"{judge.linked.path}/first-sync/confirm"

    answers = await asyncio.gather(
        *(
            client.post(url, headers={**who, "Idempotency-Key": f"confirm-{n}"})
            for n, who in enumerate([*callers, *callers])
        )
    )
    await side_by_side(judge, [run_first_sync] * 3)
    await work()

    codes = Counter(one["outcomeCode"] for one in await judge.review.lines(outcome="later"))
    assert [one.status_code for one in answers] == [202] * 6
    assert codes["project-customer-not-linked"] == codes["record-already-paired"] == 0, codes
    assert len({one.json()["id"] for one in answers}) == await runs(judge) == 1
    await assert_carried_out(judge, before, lines)
    url = f"{judge.linked.path}/first-sync/runs/{answers[0].json()['id']}/undo"
    undo = (await client.get(url, headers=judge.linked.books)).json()
    assert undo["total"] == len(await judge.pairs())


async def test_a_run_undone_by_many_at_once_is_undone_once(
    judge: Judge, confirmed: str, work: Work, client: httpx.AsyncClient
) -> None:
    """Two workers part and archive the same lines; nothing is archived that was there first."""
    before = await judge.names()
    await work()
    url = f"{judge.linked.path}/first-sync/runs/{confirmed}/undo"
    shown = (await client.get(url, headers=judge.linked.books)).json()

    await asyncio.gather(*(client.post(url, headers=judge.linked.books) for _ in range(3)))
    await side_by_side(judge, [undo_first_sync] * 3)
    await work()

    told = (await client.get(url, headers=judge.linked.books)).json()
    assert (told["state"], told["hindered"], await judge.pairs()) == ("done", {}, [])
    time = await judge.twins.time()
    books = await judge.twins.books()
    archived = {
        "time": [c["name"] for c in time["customers"] if not c["active"]],
        "books": [c["name"] for c in books["customers"] if not c["isActive"]],
    }
    made = {side: sum(kinds.get("customer", 0) for kinds in [shown["archives"].get(side, {})])
            for side in archived}  # fmt: skip
    whole = await judge.names()
    for side, names in archived.items():
        fresh = whole[side, "customer"] - before[side, "customer"]
        assert fresh.total() == made[side]
        assert fresh <= Counter(names)


async def test_an_answer_at_the_moment_of_confirmation_is_kept_or_refused(
    judge: Judge, work: Work, client: httpx.AsyncClient, callers: list[dict[str, str]]
) -> None:
    """Either it was in time and is carried out, or it is refused; it never half counts."""
    await judge.review.answer_all()
    before = await judge.names()
    wanted = await judge.review.lines(kind="customer", deed="create-in-books")
    url = f"{judge.linked.path}/first-sync/confirm"

    confirmed, *answers = await asyncio.gather(
        client.post(url, headers={**callers[1], "Idempotency-Key": "c-1"}),
        *(patch(client, judge.linked, callers[0], line, "leave_out") for line in wanted),
    )
    lines = await judge.review.lines()
    await work()

    assert confirmed.status_code == 202, confirmed.text
    assert {one.status_code for one in answers} <= {200, 409}
    stands = {line["id"]: line for line in lines}
    for line, answer in zip(wanted, answers, strict=True):
        kept = stands[line["id"]]["answer"] == "leave_out"
        assert kept == (answer.status_code == 200)
    await assert_carried_out(judge, before, lines)


async def side_by_side(judge: Judge, jobs: Sequence[Any]) -> None:
    """Let several workers do the same work at once, as after a stalled job was given to another."""
    for _ in range(6):
        await asyncio.gather(*(job(judge.runtime, judge.linked.link_id) for job in jobs))


CLICKS = [(when, nth) for when in ("before", "after") for nth in (1, 2)]


@pytest.mark.parametrize(("when", "nth"), CLICKS)
async def test_a_service_that_dies_in_a_confirmation_starts_one_run(
    judge: Judge, work: Work, runtime: Runtime, *, when: When, nth: int
) -> None:
    """The caller asks again with its key, and another one with theirs: one run."""
    await judge.review.answer_all()
    before, lines = await judge.names(), await judge.review.lines()
    runtime.database._hook = dying_at(CommitPoint.PLAIN, when, nth)

    died = await judge.review.confirm()
    runtime.database._hook = lambda *_: None
    again = await judge.review.confirm()
    other = await judge.review.confirm("confirm-2")
    await work()

    assert died.status_code in (500, 202)
    assert {again.status_code, other.status_code} <= {202, 409}, (again.text, other.text)
    assert other.status_code == 202
    assert await runs(judge) == 1
    await assert_carried_out(judge, before, lines)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_service_that_dies_in_an_answer_kept_it_or_not(
    review: Review, runtime: Runtime, when: When
) -> None:
    """What the caller sees on coming back is wholly one or the other."""
    line = await review.line(kind="customer", category="only_time")
    runtime.database._hook = dying_at(CommitPoint.PLAIN, when, 1)

    died = await review.patch(line, {"answer": "leave_out"})
    runtime.database._hook = lambda *_: None

    (after,) = [one for one in await review.lines() if one["id"] == line["id"]]
    assert died.status_code == 500
    assert after["answer"] == ("leave_out" if when == "after" else None)
    assert after["version"] == line["version"] + (when == "after")

"""Finding lines among thousands: filters, words, orders, counts; and answering many of them."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text
from uuid_utils.compat import uuid7

from app.database import CommitPoint
from app.first_sync import sheet_routes
from app.first_sync.plan import search
from app.first_sync.plan.words import fold, sought
from app.runtime import Runtime
from tests.features.conftest import Linked, Twins
from tests.features.first_sync.conftest import Review, Work

RANK = {"duplicate": 0, "likely": 1, "ambiguous": 2, "certain": 3}


def ids(lines: list[dict[str, Any]]) -> set[str]:
    return {one["id"] for one in lines}


async def test_words_of_either_record_find_a_line(review: Review) -> None:
    """Name, number with blanks, mail, place, in any order and case; of the candidate too."""
    line = next(
        one for one in await review.lines(kind="customer", category="certain")
        if one["record"]["organizationNumber"] and one["record"]["email"]
    )  # fmt: skip
    record, partner = line["record"], line["candidates"][0]
    number = record["organizationNumber"]
    town = record["address"].split()[-1]
    words = " ".join(reversed(record["name"].upper().split())) + f" {town}"

    for q in (words, f"{number[:3]} {number[3:6]} {number[6:]}", record["email"], partner["id"]):
        assert line["id"] in ids(await review.lines(q=q)), q
    assert await review.lines(q=f"{words} finnesikke") == []


@pytest.mark.parametrize(
    ("typed", "stored"), [("ÉCOLE", "ecole"), ("Ｂakken", "bakken"), ("ÅRSTØL", "årstøl")]
)
def test_case_width_and_accents_do_not_matter(typed: str, stored: str) -> None:
    """Norwegian letters stay themselves."""
    assert fold(typed) == stored


def test_signs_of_a_pattern_are_taken_literally() -> None:
    """A per cent sign or an underscore finds itself only."""
    assert sought("100% a_b") == ["%100\\%%", "%a\\_b%"]


async def test_the_order_of_yield_begins_with_what_must_be_answered(
    review: Review, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """Doubles, then questions, each by falling score; pages join without loss after an answer."""
    url = f"{reviewing.path}/first-sync/proposals"
    seen: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        params = {"limit": "7", "sort": "yield", **({"cursor": cursor} if cursor else {})}
        page = (await client.get(url, headers=reviewing.books, params=params)).json()
        if not seen:
            await review.answer(page["items"][0], "leave_out")
        seen += page["items"]
        cursor = page["nextCursor"]
        if cursor is None:
            break

    ranks = [RANK.get(one["category"], 4) for one in seen]
    scores = [one["candidates"][0]["score"] for one in seen if one["category"] == "certain"]
    assert ids(seen) == ids(await review.lines())
    assert len(seen) == len(ids(seen))
    assert ranks == sorted(ranks)
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("name", ["kind", "category", "deed", "rule", "answered"])
async def test_counts_say_what_a_filter_leaves(
    review: Review, client: httpx.AsyncClient, reviewing: Linked, name: str
) -> None:
    """Each count is the length of the list narrowed by it, within the filter that is there."""
    await review.answer(await review.line(category="only_books"), "leave_out")
    url = f"{reviewing.path}/first-sync/facets"
    wanted = {"kind": "customer"}

    counts = (await client.get(url, headers=reviewing.books, params=wanted)).json()

    words = {"yes": "true", "no": "false"}
    for value, count in counts[name].items():
        lines = await review.lines(**{**wanted, name: words.get(value, value)})
        assert len(lines) == count, value
    assert counts["total"] == len(await review.lines(**wanted))


async def test_a_dry_run_says_exactly_what_the_answer_does(review: Review) -> None:
    """Also which lines would not take it and why; nothing of it is kept."""
    body = {"filter": {"deed": "ask"}, "answer": "link"}

    dry = await review.bulk({**body, "dryRun": True})
    untouched = await review.plan()
    done = await review.bulk(body)

    assert untouched["missingAnswers"] == dry["matched"]
    assert (done["answered"], done["passedOver"]) == (dry["answered"], dry["passedOver"])
    assert done["passedOver"]["partner-unknown"] > 0 < done["answered"]


async def test_a_line_that_is_named_twice_is_answered_once(review: Review) -> None:
    """The counts are of lines, whoever put their ids together."""
    line = await review.line(category="only_time")
    body = {"ids": [line["id"], line["id"].upper(), line["id"]], "answer": "leave_out"}

    dry = await review.bulk({**body, "dryRun": True})
    done = await review.bulk(body)

    assert (dry["matched"], dry["answered"]) == (1, 1)
    assert (done["matched"], done["answered"], done["passedOver"]) == (1, 1, {})
    assert [one["id"] for one in done["items"]] == [line["id"]]


async def test_an_answer_to_many_passes_over_what_others_answered(review: Review) -> None:
    """Nothing is overwritten in silence; only when it is asked for."""
    line = await review.line(category="only_books", kind="customer")
    await review.answer(line, "leave_out")
    body = {"filter": {"kind": "customer", "q": line["record"]["name"]}, "answer": "create"}

    careful = await review.bulk(body)
    kept = (await review.lines(q=line["record"]["name"]))[0]["answer"]
    bold = await review.bulk({**body, "replace": True})

    assert (careful["answered"], careful["passedOver"]) == (0, {"answered-before": 1})
    assert (kept, bold["answered"]) == ("leave_out", 1)


async def test_one_side_wins_in_many_lines(review: Review) -> None:
    """«Conta's e-mail counts» for all that are linked, by one call."""
    body = {
        "filter": {"category": "certain", "kind": "customer"}, "answer": "link",
        "winners": {"email": "books"},
    }  # fmt: skip

    done = await review.bulk(body)
    wrong = await review.bulk({**body, "winners": {"shoeSize": "books"}, "dryRun": True})

    lines = await review.lines(category="certain", kind="customer")
    assert done["answered"] == len(lines)
    assert all(one["winners"] == {"email": "books"} for one in lines)
    assert wrong["passedOver"] == {"winner-unknown": len(lines)}


async def test_three_callers_answer_at_once(
    review: Review, client: httpx.AsyncClient, reviewing: Linked, twins: Twins
) -> None:
    """Two people and a program: the first holds, the others see who was first and when."""
    line = await review.line(category="only_time", kind="customer")
    people = {"kari": reviewing.books, "ola": reviewing.time}
    url = f"{reviewing.path}/first-sync/proposals/{line['id']}"

    first = await client.patch(
        url, headers={**people["kari"], "If-Match": '"1"'}, json={"answer": "leave_out"}
    )
    second = await client.patch(
        url, headers={**people["ola"], "If-Match": '"1"'}, json={"answer": "create"}
    )

    present = second.json()["present"]
    assert (first.status_code, second.status_code) == (200, 412)
    assert (present["answer"], present["answeredBy"]) == ("leave_out", "kari@1001")
    assert present["answeredAt"] == first.json()["answeredAt"]


async def test_a_previewed_answer_is_refused_after_another_one(
    review: Review, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """The preview's ETag guards the call that follows it."""
    url = f"{reviewing.path}/first-sync/answers"
    body = {"filter": {"category": "only_books"}, "answer": "create"}
    dry = await client.post(url, headers=reviewing.books, json={**body, "dryRun": True})
    await review.answer(await review.line(category="only_time"), "leave_out")

    stale = await client.post(
        url, headers={**reviewing.books, "If-Match": dry.headers["ETag"]}, json=body
    )

    assert stale.status_code == 412


async def test_who_answered_when_outlives_a_new_reading(
    review: Review, work: Work, clock: Any
) -> None:
    """The instant of an answer is the answer's, not the reading's."""
    line = await review.line(category="only_time")
    answered = await review.answer(line, "leave_out")
    clock.advance(minutes=3)

    await review.start()
    await work()

    (again,) = [one for one in await review.lines() if one["id"] == line["id"]]
    assert again["answeredAt"] == answered["answeredAt"]


async def test_the_list_of_runs_is_paged(
    client: httpx.AsyncClient,
    runtime: Runtime,
    reviewing: Linked,
    review: Review,
    confirmed: str,
    work: Work,
) -> None:
    """Every run of the link once, the newest first."""
    await work()
    ids = [confirmed]
    async with runtime.database.transaction(CommitPoint.PLAIN, reviewing.link_id) as session:
        for _ in range(4):
            ids.append(str(uuid7()))
            copy = {"run": ids[-1], "plan": str(uuid7()), "first": confirmed}
            await session.execute(text(_LIKE_THE_FIRST), copy)
    url = f"{reviewing.path}/first-sync/runs"
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while "cursor" not in query or query["cursor"] is not None:
        page = (await client.get(url, headers=reviewing.books, params=query)).json()
        seen += [one["id"] for one in page["items"]]
        query["cursor"] = page["nextCursor"]

    assert seen == ids[::-1]


_LIKE_THE_FIRST = """
WITH first AS (SELECT * FROM runs WHERE run_id = CAST(:first AS uuid)),
ids AS (
  SELECT jsonb_build_object('run_id', CAST(:run AS text), 'plan_id', CAST(:plan AS text)) AS v),
plan AS (INSERT INTO plans SELECT (jsonb_populate_record(p, ids.v)).*
  FROM plans p JOIN first USING (link_id, plan_id), ids)
INSERT INTO runs SELECT (jsonb_populate_record(r, ids.v)).*
  FROM runs r JOIN first USING (link_id, run_id), ids
"""


async def test_a_filter_that_hits_too_much_is_refused_and_never_cut(
    review: Review, client: httpx.AsyncClient, reviewing: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither an answer nor a sheet leaves lines out in silence; narrowed, both are taken."""
    projects, everything = len(await review.lines(kind="project")), len(await review.lines())
    monkeypatch.setattr(search, "MOST_LINES", projects)
    body = {"filter": {}, "answer": "leave_out", "dryRun": True}

    def urls(end: str) -> dict[str, Any]:
        return {"url": f"{reviewing.path}/first-sync/{end}", "headers": reviewing.books}

    answers = await client.post(**urls("answers"), json=body)
    sheet = await client.get(**urls("sheet"), params={"format": "csv"})
    narrowed = await client.get(**urls("sheet"), params={"format": "csv", "kind": "project"})

    assert projects < everything
    for refused in (answers, sheet):
        assert (refused.status_code, refused.json()["code"]) == (422, "too-many-lines-chosen")
        assert refused.json()["facts"] == {"most": str(projects)}
    assert narrowed.content.count(b"\r\n") == 1 + projects
    narrow = {**body, "filter": {"kind": "project"}}
    assert (await review.bulk(narrow))["matched"] == projects


async def test_a_sheet_of_many_bites_holds_every_line(
    review: Review, client: httpx.AsyncClient, reviewing: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read bite by bite to its end, the last bite full or not."""
    lines = await review.lines()
    for bite in (1, 7, len(lines)):
        monkeypatch.setattr(sheet_routes, "_BITE", bite)

        sheet = await client.get(
            f"{reviewing.path}/first-sync/sheet", headers=reviewing.books, params={"format": "csv"}
        )

        assert sheet.content.count(b"\r\n") == 1 + len(lines)

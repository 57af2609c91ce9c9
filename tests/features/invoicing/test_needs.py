"""Whoever must act on a draft is told: in the status, in the list, and to the operator."""

import io
from datetime import date
from typing import Any

import psycopg
import pytest
from rich.console import Console
from sqlalchemy import event

from app.embedded import EmbeddedServer
from app.invoicing.needs import DraftProblem, ask_people, needs_person
from app.invoicing.unbilled.hindrances import last_in_time
from app.invoicing.words import texts
from app.operating.overview import read_overview
from app.operating.show import show
from app.runtime import Runtime
from tests.features.invoicing.bookkeeper import Bookkeeper
from tests.features.invoicing.test_drafts import drafts_with, previewed
from tests.features.invoicing.test_followed import person, post_late
from tests.features.invoicing.test_protocol import fault, signed_in


async def stood_twice(kari: Bookkeeper, twins: Any, network: Any) -> dict[str, Any]:
    """Let a draft's answer be lost and its POST land twice."""
    preview = await previewed(kari.client, kari.link)
    await fault(twins, "conta", kind="lost_answer", method="POST", path="invoice-drafts", times=1)
    draft = await kari.send(preview)
    kari.clock.advance(seconds=121)
    await kari.work()
    (books,) = await drafts_with(twins, preview["mark"])
    await post_late(network, books)
    for _ in range(3):
        kari.clock.advance(minutes=20)
        await kari.work()
    await signed_in(twins, kari.link)
    return draft


async def status(kari: Bookkeeper, language: str = "en") -> dict[str, Any]:
    headers = {**kari.link.books, "Accept-Language": language}
    answer = await kari.client.get(f"{kari.link.path}/status", headers=headers)
    found: dict[str, Any] = answer.json()
    return found


def of_drafts(status: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in status["needs"] if one["why"]["code"] == "drafts-need-person"]


def of_hours(status: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in status["needs"] if one["why"]["code"] == "hours-close-to-limit"]


async def named(kari: Bookkeeper, path: str) -> list[str]:
    answer = await kari.client.get(path, headers=kari.link.books)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]


async def test_a_draft_that_stands_twice_is_told_until_one_is_left(
    kari: Bookkeeper, twins: Any, network: Any
) -> None:
    """In three languages, with the address of the list that shows it and nothing else."""
    other = await kari.bill(customerId="cus_3")
    draft = await stood_twice(kari, twins, network)

    told = {language: await status(kari, language) for language in ("nb", "nn", "en")}
    (need,) = of_drafts(told["en"])
    shown = await named(kari, need["href"])
    by_code = await named(kari, f"{kari.link.path}/invoice-drafts?problem=duplicate-draft")
    second = (await drafts_with(twins, draft["mark"]))[1]
    await person(twins, f"drafts/{second['id']}/delete")
    kari.clock.advance(minutes=20)
    await kari.work()
    await signed_in(twins, kari.link)

    assert (told["en"]["inStep"], told["en"]["text"]) == (False, "One thing needs you.")
    assert (need["count"], need["why"]["code"]) == (1, "drafts-need-person")
    assert need["why"]["facts"] == {"count": 1, "problems": {"duplicate-draft": 1}}
    assert len({of_drafts(one)[0]["why"]["title"] for one in told.values()}) == 3
    assert shown == by_code == [draft["id"]] != [other["id"]]
    after = await status(kari)
    assert (after["inStep"], of_drafts(after)) == (True, [])
    assert await named(kari, need["href"]) == []


async def test_a_draft_that_was_not_found_is_told_and_counted_for_the_operator(
    kari: Bookkeeper, twins: Any, runtime: Runtime
) -> None:
    """By its problem, with the address that lists it."""
    preview = await previewed(kari.client, kari.link)
    await fault(twins, "conta", kind="reset_before", method="POST", path="invoice-drafts", times=1)
    draft = await kari.send(preview)
    for _ in range(4):
        kari.clock.advance(seconds=121)
        await kari.work()
    await signed_in(twins, kari.link)

    (need,) = of_drafts(await status(kari))
    (link,) = (await read_overview(runtime)).in_need
    paper = io.StringIO()
    show(await read_overview(runtime), Console(file=paper, width=200), "en")

    assert need["why"]["facts"]["problems"] == {"draft-not-found": 1}
    assert await named(kari, need["href"]) == [draft["id"]]
    assert link.drafts == {"draft-not-found": 1}
    assert "drafts with the problem draft-not-found: 1" in paper.getvalue()
    assert "/invoice-drafts?problem=draft-not-found" in paper.getvalue()


async def test_a_draft_deleted_in_conta_is_told_until_its_hours_are_released(
    kari: Bookkeeper,
) -> None:
    draft = await kari.bill()
    await kari.in_conta(draft, "delete")

    before = await status(kari)
    await kari.release(draft)

    assert of_drafts(before)[0]["why"]["facts"]["problems"] == {"draft-deleted": 1}
    assert (await status(kari))["inStep"] is True


async def test_another_sum_in_conta_is_told_until_a_person_sends_the_draft(
    kari: Bookkeeper, twins: Any
) -> None:
    """Whoever sends a draft that was changed has seen it; nobody could take the alarm back."""
    draft = await kari.bill(grouping="entry")
    (books,) = await drafts_with(twins, draft["mark"])
    changed = [{**books["invoiceDraftLines"][0], "price": 1}, *books["invoiceDraftLines"][1:]]
    await person(twins, f"drafts/{books['id']}/edit", lines=changed)
    for _ in range(2):
        kari.clock.advance(minutes=16)
        await kari.work()
    await signed_in(twins, kari.link)

    before = await status(kari)
    await kari.in_conta(draft, "send")

    assert of_drafts(before)[0]["why"]["facts"]["problems"] == {"remote-total-differs": 1}
    shown = await kari.get(f"invoice-drafts/{draft['id']}")
    assert (shown["became"]["what"], shown["problem"]) == ("sent", "remote-total-differs")
    assert (await status(kari))["inStep"] is True
    listed = f"{kari.link.path}/invoice-drafts?problem="
    assert await named(kari, f"{listed}any") == []
    assert await named(kari, f"{listed}remote-total-differs") == [draft["id"]]


@pytest.mark.parametrize("problem", list(DraftProblem)[1:])
def test_each_problem_that_a_list_is_narrowed_to_has_its_text(problem: DraftProblem) -> None:
    assert set(texts()["problems"][problem]) == {"nb", "nn", "en"}


_MANY_DRAFTS = (
    "INSERT INTO drafts SELECT (jsonb_populate_record(d, jsonb_build_object("
    "'draft_id', gen_random_uuid(), 'mark', 'TR-' || lpad(n::text, 8, '0')))).*"
    " FROM drafts d, generate_series(1, 3000) n"
)
_MANY_HOURS = (
    "INSERT INTO hours (link_id, entry_id, version, day, minutes, approved, held)"
    " SELECT link_id, 'many_' || n, 1, DATE '2018-01-01' + n, 60, true, false"
    " FROM drafts, generate_series(1, 3000) n"
)


async def test_what_waits_is_found_by_an_index(
    kari: Bookkeeper, server: EmbeddedServer, database_name: str
) -> None:
    """The status is asked every few seconds, over drafts and hours of many years."""
    await kari.bill()
    of_link = f"WHERE link_id = '{kari.link.link_id}' AND"
    waiting = needs_person().compile(compile_kwargs={"literal_binds": True})

    with psycopg.connect(server.url("postgres", database_name)) as admin:
        for statement in (_MANY_HOURS, _MANY_DRAFTS, "ANALYZE hours", "ANALYZE drafts"):
            admin.execute(statement)
        drafts = admin.execute(f"EXPLAIN SELECT problem FROM drafts {of_link} ({waiting})")
        hours = admin.execute(f"EXPLAIN SELECT 1 FROM hours {of_link} day > '2026-03-01'")
        plans = [str(drafts.fetchall()), str(hours.fetchall())]
        admin.rollback()

    assert "ix_drafts_problem" in plans[0]
    assert "ix_hours_day" in plans[1]


async def seen(kari: Bookkeeper) -> dict[str, Any]:
    """Let the hours be read; gives the money on the table."""
    await kari.get("money-on-the-table")
    await kari.work()
    found: dict[str, Any] = await kari.get("money-on-the-table")
    return found


async def test_hours_close_to_the_laws_month_are_told_while_both_sides_are_in_step(
    kari: Bookkeeper,
) -> None:
    """How many, how many of them too late, and the next day that must not be missed."""
    before = await status(kari)
    table = await seen(kari)

    told = {language: await status(kari, language) for language in ("nb", "nn", "en")}

    (need,) = of_hours(told["en"])
    ages = table["total"]["entriesByAge"]
    assert of_hours(before) == []
    assert ages["close-to-limit"] > 0 < ages["past-limit"]
    assert need["count"] == ages["close-to-limit"] + ages["past-limit"]
    assert need["why"]["facts"]["late"] == ages["past-limit"]
    assert need["href"] == f"{kari.link.path}/money-on-the-table"
    assert told["en"]["inStep"] is True
    assert told["en"]["text"] == ("Everything is in step on both sides. Something waits for you.")
    assert len({of_hours(one)[0]["why"]["detail"] for one in told.values()}) == 3


async def test_hours_that_are_billed_are_no_longer_told(kari: Bookkeeper) -> None:
    """At once, though the hours were not read since."""
    await seen(kari)
    (before,) = of_hours(await status(kari))
    draft = await kari.bill()

    (after,) = of_hours(await status(kari))

    assert 0 < before["count"] - after["count"] <= len(draft["entries"])


async def test_the_last_day_of_each_hour_and_customer_is_told(kari: Bookkeeper) -> None:
    """The same day of the next month, or its last; of a customer that of the oldest hour."""
    items = (await kari.get("billable-entries"))["items"]
    table = await seen(kari)

    last = {one["date"]: one["billBefore"] for one in items}
    assert len(last) > 10
    for day, before in last.items():
        assert before == last_in_time(date.fromisoformat(day)).isoformat()
    for pile in [table["total"], *table["customers"]]:
        assert pile["billBefore"] == (pile["oldest"] and last[pile["oldest"]])
        assert sum(pile["entriesByAge"].values()) == pile["entryCount"]


async def test_the_status_asks_two_questions_of_what_is_stored(
    kari: Bookkeeper, runtime: Runtime
) -> None:
    """It is asked every few seconds, and no other system is."""
    asked: list[str] = []
    engine = runtime.database.engine.sync_engine

    def listen(_: Any, __: Any, statement: str, *___: Any) -> None:
        asked.append(statement)

    async with runtime.database.reading(kari.link.link_id) as session:
        event.listen(engine, "before_cursor_execute", listen)
        await ask_people(session, kari.link.link_id, runtime.clock())
        event.remove(engine, "before_cursor_execute", listen)

    assert [one.split("FROM ")[1].split()[0] for one in asked] == ["drafts", "hours"]

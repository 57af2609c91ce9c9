"""Whoever must act on a draft is told: in the status, in the list, and to the operator."""

import io
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy import text

from app.invoicing.needs import DraftProblem, needs_person
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
    (need,) = told["en"]["needs"]
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
    assert len({one["needs"][0]["why"]["title"] for one in told.values()}) == 3
    assert shown == by_code == [draft["id"]] != [other["id"]]
    after = await status(kari)
    assert (after["inStep"], after["needs"]) == (True, [])
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

    (need,) = (await status(kari))["needs"]
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

    assert before["needs"][0]["why"]["facts"]["problems"] == {"draft-deleted": 1}
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

    assert before["needs"][0]["why"]["facts"]["problems"] == {"remote-total-differs": 1}
    shown = await kari.get(f"invoice-drafts/{draft['id']}")
    assert (shown["became"]["what"], shown["problem"]) == ("sent", "remote-total-differs")
    assert (await status(kari))["inStep"] is True
    listed = f"{kari.link.path}/invoice-drafts?problem="
    assert await named(kari, f"{listed}any") == []
    assert await named(kari, f"{listed}remote-total-differs") == [draft["id"]]


@pytest.mark.parametrize("problem", list(DraftProblem)[1:])
def test_each_problem_that_a_list_is_narrowed_to_has_its_text(problem: DraftProblem) -> None:
    assert set(texts()["problems"][problem]) == {"nb", "nn", "en"}


async def test_what_waits_is_found_by_an_index(kari: Bookkeeper, runtime: Runtime) -> None:
    """The status is asked every few seconds, over drafts of many years."""
    chosen = needs_person().compile(compile_kwargs={"literal_binds": True})

    async with runtime.database.reading(kari.link.link_id) as session:
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = await session.execute(
            text(f"EXPLAIN SELECT problem, count(*) FROM drafts WHERE {chosen} GROUP BY problem")
        )

    assert "ix_drafts_problem" in "\n".join(plan.scalars())

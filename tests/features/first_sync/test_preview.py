"""Before the confirmation a person sees exactly what it will do; and that is what it does."""

from collections import Counter
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.database import CommitPoint
from app.runtime import Runtime
from tests.features.conftest import Linked, Twins
from tests.features.first_sync.conftest import Review, Work


class Page:
    """The last page before the confirmation."""

    def __init__(self, client: httpx.AsyncClient, linked: Linked) -> None:
        self._client, self._linked = client, linked
        self.url = f"{linked.path}/first-sync/confirm"

    async def show(self, language: str = "nb") -> httpx.Response:
        headers = {**self._linked.books, "Accept-Language": language}
        return await self._client.get(self.url, headers=headers)

    async def confirm(self, etag: str, key: str) -> httpx.Response:
        headers = {**self._linked.books, "If-Match": etag, "Idempotency-Key": key}
        return await self._client.post(self.url, headers=headers)


def counted(parts: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    for part in parts:
        counts[part["kind"], part["deed"]] += part["lines"]
    return counts


async def test_the_preview_counts_every_line_once(
    review: Review, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """Writings and what is left add up to the plan; each part names some of its records."""
    shown = (await Page(client, reviewing).show()).json()

    parts = shown["writes"] + shown["leftAsTheyAre"]
    lines = await review.lines()
    assert counted(parts) == Counter((one["kind"], one["deed"]) for one in lines)
    names = {one["record"]["name"] for one in lines}
    assert all(0 < len(part["samples"]) <= min(5, part["lines"]) for part in parts)
    assert {sample["name"] for part in parts for sample in part["samples"]} <= names
    assert shown["hinderedBy"] == "answers-missing"


async def test_what_is_left_says_why_in_three_languages(
    review: Review, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """The reason is a code and a sentence."""
    page = Page(client, reviewing)
    found = {
        language: {
            part["reason"]: part["text"]
            for part in (await page.show(language)).json()["leftAsTheyAre"]
        }
        for language in ("nb", "nn", "en")
    }

    assert found["nb"]["address-missing"] == "Adressen mangler."
    assert found["nn"]["address-missing"] == "Adressa manglar."
    assert found["en"]["likely"] == "One may be the same; must be answered"


async def test_what_was_shown_is_what_is_done(
    review: Review, client: httpx.AsyncClient, reviewing: Linked, twins: Twins, work: Work
) -> None:
    """The twins' stores grow by exactly the creations that the preview counted."""
    await review.answer_all()
    page = Page(client, reviewing)
    shown = await page.show()
    before = {"books": await twins.books(), "time": await twins.time()}

    await page.confirm(shown.headers["ETag"], "one")
    await work()

    after = {"books": await twins.books(), "time": await twins.time()}
    for side in ("books", "time"):
        wanted = Counter(
            {p["kind"]: p["lines"] for p in shown.json()["writes"] if p["writtenIn"] == side}
        )
        grown = {
            kind: len(after[side][f"{kind}s"]) - len(before[side][f"{kind}s"])
            for kind in ("customer", "project")
        }
        assert grown == {kind: wanted[kind] for kind in grown}


@pytest.mark.parametrize("winner", [None, "time"])
async def test_the_values_that_linking_changes_are_shown(
    review: Review,
    client: httpx.AsyncClient,
    reviewing: Linked,
    twins: Twins,
    work: Work,
    winner: str | None,
) -> None:
    """By field and side, as they then stand in the twins; what is to be asked is a conflict."""
    for line in await review.lines(deed="link"):
        if winner and line["kind"] == "customer":
            partner = line["partnerId"] or line["candidates"][0]["id"]
            winners = {"email": winner, "phone": winner, "name": winner}
            await review.answer(line, "link", partnerId=partner, winners=winners)
    await review.answer_all()
    page = Page(client, reviewing)
    shown = (await page.show()).json()
    before = {"books": await twins.books(), "time": await twins.time()}

    await review.confirm()
    await work()

    after = {"books": await twins.books(), "time": await twins.time()}
    expected: Counter[tuple[str, str]] = Counter()
    asked = 0
    for one in shown["values"]:
        asked += one["lines"] if one["change"] == "asked" else 0
        expected[one["writtenIn"], one["field"]] += one["lines"]
    for side in ("books", "time"):
        for field in ("name", "email"):
            assert changed(field, before[side], after[side]) == expected[side, field], (side, field)
    conflicts = await client.get(f"{reviewing.path}/conflicts?limit=200", headers=reviewing.books)
    assert len(conflicts.json()["items"]) == asked
    assert expected.total() > asked


def changed(field: str, before: dict[str, Any], after: dict[str, Any]) -> int:
    """Count the customers that were there before whose field says something else by now."""

    def said(customer: dict[str, Any]) -> str:
        return next((str(v or "") for key, v in customer.items() if key.startswith(field)), "")

    now = {one["id"]: said(one) for one in after["customers"]}
    return sum(now[one["id"]] != said(one) for one in before["customers"])


async def test_a_confirmation_of_another_plan_than_shown_is_refused(
    review: Review, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """Someone answered after the preview: 412, nothing runs; the run itself is never refused."""
    await review.answer_all()
    page = Page(client, reviewing)
    old = (await page.show()).headers["ETag"]
    await review.answer(await review.line(category="only_time"), "leave_out")

    stale = await page.confirm(old, "one")
    fresh = await page.confirm((await page.show()).headers["ETag"], "two")
    repeated = await page.confirm(old, "three")

    assert (stale.status_code, fresh.status_code, repeated.status_code) == (412, 202, 202)
    assert repeated.json()["id"] == fresh.json()["id"]


async def test_a_confirmation_is_refused_when_other_records_are_ready_than_shown(
    review: Review, client: httpx.AsyncClient, reviewing: Linked, runtime: Runtime
) -> None:
    """One stops being ready and another becomes so: the counts are the same, the deeds are not."""
    await review.answer_all()
    ready = await review.line(kind="customer", deed="create-in-books")
    waits = await review.line(kind="customer", deed="wait", category="not_ready")
    page = Page(client, reviewing)
    old = (await page.show()).headers["ETag"]
    async with runtime.database.transaction(CommitPoint.PLAIN, reviewing.link_id) as session:
        ids = [ready["record"]["id"], waits["record"]["id"]]
        await session.execute(
            text("UPDATE records SET ready = NOT ready WHERE record_id = ANY(:ids)"), {"ids": ids}
        )

    stale = await page.confirm(old, "one")
    fresh = await page.confirm((await page.show()).headers["ETag"], "two")

    assert (stale.status_code, fresh.status_code) == (412, 202)

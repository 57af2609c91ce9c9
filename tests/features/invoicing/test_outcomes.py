"""Whatever Conta answers to the one POST, there is one draft at most and no hour is lost."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.features.invoicing.test_drafts import drafts_with, entries_of, previewed, sent
from tests.features.invoicing.test_protocol import fault, ids_of, read, signed_in

Work = Callable[[], Awaitable[int]]


async def posts(twins: Any) -> int:
    """How many drafts Conta was asked to make."""
    asked = (await twins.control("conta", "GET", "/requests"))["requests"]
    return sum(1 for r in asked if r["method"] == "POST" and r["path"].endswith("/invoice-drafts"))


@pytest.mark.parametrize(
    "what",
    [
        {"kind": "lost_answer"}, {"kind": "broken_body"},
        {"kind": "status_after", "status": 500}, {"kind": "status_after", "status": 502},
        {"kind": "status_after", "status": 503}, {"kind": "status_after", "status": 408},
    ],
    ids=lambda what: "-".join(str(v) for v in what.values()),
)  # fmt: skip
async def test_an_effect_without_an_answer_is_adopted(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any, what: dict[str, Any]
) -> None:
    """Lost, half, 5xx after the effect: unknown, looked for, adopted; one POST, one draft."""
    preview = await previewed(client, synced)
    await fault(twins, "conta", **what, method="POST", path="invoice-drafts", times=1)

    answer = await sent(client, synced, preview)
    clock.advance(seconds=121)
    await work()

    await signed_in(twins, synced)
    assert answer.json()["state"] == "unconfirmed"
    assert (await read(client, synced, answer))["state"] == "completed"
    assert len(await drafts_with(twins, preview["mark"])) == 1
    assert await posts(twins) == 1


@pytest.mark.parametrize("kind", ["reset_before", "html_page"])
async def test_no_effect_and_no_clear_answer_asks_a_person(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any, kind: str
) -> None:
    """A reset or a proxy's page says nothing: three looks, then a person; never a second POST."""
    preview = await previewed(client, synced)
    await fault(twins, "conta", kind=kind, method="POST", path="invoice-drafts", times=1)
    before = await posts(twins)

    answer = await sent(client, synced, preview)
    for _ in range(3):
        clock.advance(seconds=121)
        await work()

    await signed_in(twins, synced)
    draft = await read(client, synced, answer)
    assert (draft["state"], draft["problem"]) == ("needs-person", "draft-not-found")
    assert await posts(twins) - before <= 1
    assert (await twins.books())["drafts"] == []


async def test_a_draft_that_shows_late_in_the_lists_is_still_one(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any
) -> None:
    """The answer is lost and the list hides the draft for 150 s: found at the second look."""
    preview = await previewed(client, synced)
    await fault(twins, "conta", kind="lost_answer", method="POST", path="invoice-drafts", times=1)
    await fault(twins, "conta", kind="stale_list", seconds=150, path="invoice-drafts")
    answer = await sent(client, synced, preview)

    looks = []
    for _ in range(2):
        clock.advance(seconds=121)
        await work()
        await signed_in(twins, synced)
        looks.append((await read(client, synced, answer))["state"])

    assert looks == ["unconfirmed", "completed"]
    assert len(await drafts_with(twins, preview["mark"])) == 1


async def test_a_late_list_while_a_person_is_asked_adopts_by_itself(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any
) -> None:
    """Three looks found nothing; within 72 hours the draft turns up and is adopted."""
    preview = await previewed(client, synced)
    await fault(twins, "conta", kind="lost_answer", method="POST", path="invoice-drafts", times=1)
    await fault(twins, "conta", kind="stale_list", seconds=3600, path="invoice-drafts")
    answer = await sent(client, synced, preview)
    for _ in range(3):
        clock.advance(seconds=121)
        await work()
    await signed_in(twins, synced)
    asked = await read(client, synced, answer)

    clock.advance(seconds=3600)
    await work()
    clock.advance(seconds=3600)
    await work()

    await signed_in(twins, synced)
    assert asked["state"] == "needs-person"
    assert (await read(client, synced, answer))["state"] == "completed"
    assert await posts(twins) == 1


async def test_a_draft_that_lands_after_a_release_raises_an_alarm(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any
) -> None:
    """A person set the hours free, then the first POST's draft shows: told, and nothing re-sent."""
    preview = await previewed(client, synced)
    await fault(twins, "conta", kind="lost_answer", method="POST", path="invoice-drafts", times=1)
    await fault(twins, "conta", kind="stale_list", seconds=7200, path="invoice-drafts")
    answer = await sent(client, synced, preview)
    for _ in range(3):
        clock.advance(seconds=121)
        await work()
    await signed_in(twins, synced)
    freed = await client.post(
        f"{answer.headers['location']}/release", headers=synced.books, json={"reason": "ikke der"}
    )

    for _ in range(3):
        clock.advance(hours=2)
        await work()

    await signed_in(twins, synced)
    draft = await read(client, synced, answer)
    assert freed.json()["state"] == "released"
    assert (draft["state"], draft["problem"]) == ("released", "draft-after-release")
    assert len(draft["contaDraftIds"]) == 1


async def test_a_refused_vat_code_is_never_tried_again(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any
) -> None:
    """One POST, terminal, shown with its reason; the hours are free."""
    await twins.control("conta", "POST", "/organizations/1001/vat-codes", {"codes": ["exempted"]})
    preview = await previewed(client, synced)

    answer = await sent(client, synced, preview)
    for _ in range(5):
        clock.advance(minutes=10)
        await work()

    assert answer.json()["reasons"] == ["WrongVatCodeException"]
    assert await posts(twins) == 1
    states = {e["invoiceStatus"] for e in await entries_of(twins, ids_of(preview))}
    assert states == {"to_invoice"}

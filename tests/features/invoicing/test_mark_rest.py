"""An hour lost before it could be marked keeps no other hour of its draft from being marked."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from app.invoicing.drafts import reserve
from app.invoicing.drafts.settle import settle_draft
from app.runtime import Runtime
from tests.features.invoicing.bookkeeper import Bookkeeper
from tests.features.invoicing.test_drafts import drafts_with, entries_of, previewed
from tests.features.invoicing.test_followed import person
from tests.features.invoicing.test_gone import pass_hours, read
from tests.features.invoicing.test_protocol import fault, ids_of


@pytest.fixture
async def lost(kari: Bookkeeper) -> dict[str, Any]:
    """A draft that stands in Conta, whose first hour was deleted before it could be marked."""
    preview = await previewed(kari.client, kari.link, grouping="entry")
    await fault(kari.twins, "timerabbit", kind="status_before", status=503, path="/complete")
    draft = await kari.send(preview)
    assert (draft["state"], draft["problem"]) == ("created", "hours-wait")
    kari.clock.advance(hours=2)
    await delete(kari, ids_of(preview)[0])
    await kari.twins.control("timerabbit", "DELETE", "/faults")
    return {**draft, "hours": ids_of(preview)}


@contextmanager
def both_ask_at_once() -> Iterator[None]:
    """Let who is about to ask for the rest wait for the other one."""
    met, ask = asyncio.Barrier(2), reserve.ask

    async def together(*args: Any) -> None:
        await met.wait()
        await ask(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.invoicing.drafts.mark_rest.ask", together)
        yield


async def delete(kari: Bookkeeper, hour: str) -> None:
    path = f"/companies/cmp_1/entries/{hour}/delete"
    await kari.twins.control("timerabbit", "POST", path)


async def states(kari: Bookkeeper, hours: list[str]) -> set[str]:
    return {one["invoiceStatus"] for one in await entries_of(kari.twins, hours)}


async def test_the_rest_is_marked_and_the_lost_hour_is_told(
    kari: Bookkeeper, lost: dict[str, Any]
) -> None:
    """Completed, with the hour named, for as long as the draft stands; it stays in the ledger."""
    gone, *rest = lost["hours"]

    await pass_hours(kari, 3, minutes=16)

    draft = await read(kari, lost)
    assert (draft["state"], draft["problem"]) == ("completed", "entries-taken-later")
    assert [(one["entryId"], one["reason"]) for one in draft["conflicts"]] == [(gone, "deleted")]
    assert await states(kari, rest) == {"invoiced"}
    assert (await kari.hour(gone))["place"] == "in-draft"


async def test_an_answer_lost_while_the_rest_is_held_anew_loses_no_hold(
    kari: Bookkeeper, lost: dict[str, Any]
) -> None:
    """Repeated by its key: one reservation of the rest, and it is completed."""
    await fault(
        kari.twins, "timerabbit", kind="lost_answer", method="POST",
        path="/invoice-transfers", skip=1, times=2,
    )  # fmt: skip

    await pass_hours(kari, 4, minutes=16)

    draft = await read(kari, lost)
    assert (draft["state"], draft["problem"]) == ("completed", "entries-taken-later")
    assert [one["entryId"] for one in draft["conflicts"]] == lost["hours"][:1]
    assert await states(kari, lost["hours"][1:]) == {"invoiced"}
    held = Counter(one["state"] for one in (await kari.twins.time())["transfers"])
    assert (held["completed"], held["reserved"]) == (1, 0)


async def test_two_workers_at_once_mark_the_rest_and_neither_fails(
    kari: Bookkeeper, lost: dict[str, Any], runtime: Runtime
) -> None:
    """Who comes second finds that the rest is asked for already, and leaves it to the first."""
    with both_ask_at_once():
        await asyncio.gather(
            *(settle_draft(runtime, kari.link.link_id, draft_id=lost["id"]) for _ in range(2))
        )

    await pass_hours(kari, 2, minutes=16)

    assert (await read(kari, lost))["state"] == "completed"
    assert await states(kari, lost["hours"][1:]) == {"invoiced"}
    held = Counter(one["state"] for one in (await kari.twins.time())["transfers"])
    assert (held["completed"], held["reserved"]) == (1, 0)


async def test_a_part_that_lost_nothing_stays_as_it_is(
    kari: Bookkeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of several reservations only the one with the lost hour is made anew."""
    monkeypatch.setattr(reserve, "PART", 2)
    preview = await previewed(kari.client, kari.link, grouping="entry")
    await fault(kari.twins, "timerabbit", kind="status_before", status=503, path="/complete")
    draft = await kari.send(preview)
    kari.clock.advance(hours=2)
    hours = sorted(ids_of(preview))
    await delete(kari, hours[-1])
    await kari.twins.control("timerabbit", "DELETE", "/faults")

    await pass_hours(kari, 3, minutes=16)

    assert (await read(kari, draft))["state"] == "completed"
    assert await states(kari, hours[:-1]) == {"invoiced"}


async def test_lines_and_the_whole_of_such_a_draft_can_be_released(
    kari: Bookkeeper, lost: dict[str, Any]
) -> None:
    """The lost hour's line and another's by themselves; the whole once the draft is deleted."""
    await pass_hours(kari, 3, minutes=16)
    stored = (await drafts_with(kari.twins, lost["mark"]))[0]["invoiceDraftLines"]
    number = lost["contaDraftIds"][0]
    kept = [{**one, "lineNo": n} for n, one in enumerate(stored[2:], 1)]
    await person(kari.twins, f"drafts/{number}/edit", lines=kept)
    await read(kari, lost)

    lines = await kari.post(
        f"invoice-drafts/{lost['id']}/release", reason="ut", lines=[1, 2], lookedInConta=True
    )
    freed = await states(kari, lost["hours"][1:2])
    await kari.in_conta(lost, "delete")
    whole = await kari.release(lost)

    assert (lines.status_code, freed) == (200, {"to_invoice"}), lines.text
    assert (whole.status_code, whole.json()["state"]) == (200, "released"), whole.text
    assert await states(kari, lost["hours"][1:]) == {"to_invoice"}

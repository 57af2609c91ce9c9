"""What is sent is what was reserved: a rate that moves without a new version refuses the draft."""

from typing import Any

import httpx
import pytest

from app.database import CommitPoint
from app.invoicing.drafts import reserve
from tests.features.invoicing.bookkeeper import Bookkeeper, Work
from tests.features.invoicing.test_drafts import drafts_with, entries_of, previewed, sent
from tests.features.invoicing.test_gone import pass_hours, read
from tests.features.invoicing.test_mark_rest import delete
from tests.features.invoicing.test_protocol import Mortal, fault, ids_of
from tests.features.invoicing.test_protocol import mortal as mortal  # noqa: PLC0414 - a fixture


async def reprice(twins: Any, preview: dict[str, Any], rate: str = "1300") -> list[str]:
    """Let the customer's rate be another one; gives which of the preview's hours have it."""
    before = await entries_of(twins, ids_of(preview))
    path = f"/companies/cmp_1/customers/{before[0]['customerId']}"
    await twins.control("timerabbit", "PATCH", path, {"hourlyRate": rate})
    after = await entries_of(twins, ids_of(preview))
    assert [one["version"] for one in before] == [one["version"] for one in after]
    moved = [one["id"] for one in after if one["hourlyRate"] == rate]
    assert moved
    return sorted(moved)


async def free(twins: Any, preview: dict[str, Any]) -> bool:
    """Say whether the hours are nobody's, and no reservation stands."""
    hours = await entries_of(twins, ids_of(preview))
    states = {one["state"] for one in (await twins.time())["transfers"]}
    marked = [one for one in hours if one["transfer"] or one["invoiceStatus"] != "to_invoice"]
    return states == {"released"} and not marked


async def test_a_rate_that_moved_without_a_new_version_refuses_the_draft(
    kari: Bookkeeper,
) -> None:
    """The hold is let go, each hour is named, and a new preview bills the rate of now."""
    preview = await previewed(kari.client, kari.link)
    moved = await reprice(kari.twins, preview)

    draft = await kari.send(preview)

    assert (draft["state"], draft["reasons"]) == ("refused", ["entries-changed"])
    told = sorted(draft["changed"], key=lambda one: str(one["entryId"]))
    assert told == [{"entryId": one, "what": ["rate"]} for one in moved]
    assert await drafts_with(kari.twins, preview["mark"]) == []
    assert await free(kari.twins, preview)
    anew = await previewed(kari.client, kari.link)
    assert (await kari.send(anew))["state"] == "completed"
    assert anew["netOre"] != preview["netOre"]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_death_at_the_refusal_sends_nothing_and_holds_nothing(
    client: httpx.AsyncClient, mortal: Mortal, synced: Any, twins: Any, work: Work, clock: Any,
    when: str,
) -> None:  # fmt: skip
    """Reserved, compared, dead: who goes on asks by the same key and finds the same difference."""
    preview = await previewed(client, synced)
    await reprice(twins, preview)
    await mortal(CommitPoint.DRAFT_REFUSED, sent(client, synced, preview), when)
    assert not await free(twins, preview)
    await reprice(twins, preview, "950")  # what was reserved stays what it was

    clock.advance(seconds=61)
    await work()

    assert await drafts_with(twins, preview["mark"]) == []
    assert await free(twins, preview)


async def test_a_part_that_was_reserved_otherwise_lets_go_the_parts_before_it(
    kari: Bookkeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reserve, "PART", 1)
    preview = await previewed(kari.client, kari.link)
    moved = await reprice(kari.twins, preview)
    assert len(moved) < len(ids_of(preview))

    draft = await kari.send(preview)

    assert (draft["state"], draft["reasons"]) == ("refused", ["entries-changed"])
    assert [one["entryId"] for one in draft["changed"]] == moved[:1]
    assert await drafts_with(kari.twins, preview["mark"]) == []
    assert await free(kari.twins, preview)


async def test_a_draft_that_stands_in_conta_is_marked_and_the_new_rate_told(
    kari: Bookkeeper,
) -> None:
    """It bills what was sent: the rest is held anew, and the difference is one of billed hours."""
    preview = await previewed(kari.client, kari.link, grouping="entry")
    await fault(kari.twins, "timerabbit", kind="status_before", status=503, path="/complete")
    draft = await kari.send(preview)
    kari.clock.advance(hours=2)
    moved = await reprice(kari.twins, preview)
    lost = next(one for one in ids_of(preview) if one not in moved)
    await delete(kari, lost)
    await kari.twins.control("timerabbit", "DELETE", "/faults")

    await pass_hours(kari, 3, minutes=16)

    shown = await read(kari, draft)
    assert (shown["state"], shown["problem"]) == ("completed", "entries-taken-later")
    told = {one["entryId"]: one["what"] for one in await kari.look()}
    assert told == {lost: ["deleted"]} | {one: ["rate"] for one in moved}

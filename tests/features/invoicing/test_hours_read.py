"""Billed hours are read every quarter of an hour, whatever became of their drafts."""

import pytest

from app.systems.ports import Unreachable
from tests.features.invoicing.bookkeeper import Bookkeeper, longer
from tests.features.invoicing.test_followed import person
from tests.features.invoicing.test_protocol import fault, signed_in


async def pass_time(kari: Bookkeeper, **time: int) -> None:
    kari.clock.advance(**time)
    await kari.work()
    await signed_in(kari.twins, kari.link)


@pytest.mark.parametrize("became", ["draft", "invoice", "paid", "credited", "years old"])
async def test_a_change_is_seen_within_a_quarter_of_an_hour(kari: Bookkeeper, became: str) -> None:
    """Of a draft, an invoice, a paid one, a credited one: no look at the draft is waited for."""
    draft = await kari.bill(grouping="entry")
    if became != "draft":
        await kari.in_conta(draft, "send")
    if became == "credited":
        await kari.in_conta(draft, "credit")
    if became in {"paid", "years old"}:
        (invoice,) = (await kari.twins.books())["invoices"]
        await person(kari.twins, f"invoices/{invoice['id']}/pay")
        await pass_time(kari, hours=7)
    if became == "years old":
        for _ in range(3):
            await pass_time(kari, days=401)
    await longer(kari, draft, 30)

    await pass_time(kari, minutes=16)

    assert len((await kari.get("changed-hours"))["items"]) == 1


async def test_without_billed_hours_nothing_is_read(kari: Bookkeeper) -> None:
    """The draft was released: its link is at rest."""
    draft = await kari.bill(grouping="entry")
    await kari.in_conta(draft, "delete")
    await kari.release(draft)
    await kari.get("changed-hours")
    await pass_time(kari, minutes=1)
    asked = (await kari.get("changed-hours"))["asOf"]

    for _ in range(3):
        await pass_time(kari, hours=1)

    assert (await kari.get("changed-hours"))["asOf"] == asked


async def test_asking_for_changed_hours_reads_them(kari: Bookkeeper) -> None:
    """The answer says as of when it is; what is too old is read in the background."""
    first = await kari.get("changed-hours")
    await kari.work()
    second = await kari.get("changed-hours")
    kari.clock.advance(minutes=20)
    await signed_in(kari.twins, kari.link)
    third = await kari.get("changed-hours")

    assert (first["asOf"], first["reading"]) == (None, True)
    assert (second["asOf"] is None, second["reading"]) == (False, False)
    assert (third["asOf"], third["reading"]) == (second["asOf"], True)


async def test_hours_are_asked_for_again_when_timerabbit_was_away(kari: Bookkeeper) -> None:
    """A reading that fails is not the last; nor is it repeated at every tick."""
    draft = await kari.bill(grouping="entry")
    await kari.in_conta(draft, "send")
    await longer(kari, draft, 30)
    await fault(
        kari.twins, "timerabbit", kind="status_before", status=503, path="/time-entries", times=50
    )
    kari.clock.advance(minutes=16)
    with pytest.raises(Unreachable):
        await kari.work()
    await kari.twins.control("timerabbit", "DELETE", "/faults")

    await pass_time(kari, minutes=16)

    assert len((await kari.get("changed-hours"))["items"]) == 1

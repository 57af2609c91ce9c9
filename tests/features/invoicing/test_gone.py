"""What is gone from Conta was sent or deleted: no hour is free before it is known which."""

from typing import Any

import pytest

from tests.features.invoicing.bookkeeper import Bookkeeper
from tests.features.invoicing.test_drafts import drafts_with, previewed
from tests.features.invoicing.test_followed import person, post_late
from tests.features.invoicing.test_protocol import fault, signed_in


async def rewrite(kari: Bookkeeper, draft: dict[str, Any], **fields: Any) -> None:
    """Write over every line of a draft in Conta, its mark too."""
    (stored,) = await drafts_with(kari.twins, draft["mark"])
    lines = [{**line, **fields} for line in stored["invoiceDraftLines"]]
    await person(kari.twins, f"drafts/{draft['contaDraftIds'][0]}/edit", lines=lines)


async def own_invoice(kari: Bookkeeper, network: Any) -> None:
    """Let a person bill the same customer something of their own in Conta."""
    (draft,) = (await kari.twins.books())["drafts"]
    line = {**draft["invoiceDraftLines"][0], "description": "Lisens", "price": 99}
    await post_late(network, {**draft, "invoiceDraftLines": [line]})
    await person(kari.twins, f"drafts/{(await kari.twins.books())['drafts'][-1]['id']}/send")


async def read(kari: Bookkeeper, draft: dict[str, Any]) -> dict[str, Any]:
    """Read a draft anew, signed in again."""
    await signed_in(kari.twins, kari.link)
    shown: dict[str, Any] = await kari.get(f"invoice-drafts/{draft['id']}")
    return shown


async def pass_hours(kari: Bookkeeper, times: int, **step: float) -> None:
    for _ in range(times):
        kari.clock.advance(**step)
        await kari.work()


@pytest.mark.parametrize("looks", [0, 1, 3])
async def test_a_draft_just_sent_is_not_released_while_the_list_of_invoices_lags(
    kari: Bookkeeper, looks: int
) -> None:
    """Looks in the same second prove nothing, however many; once the list has it, it is sent."""
    draft = await kari.bill()
    await person(kari.twins, f"drafts/{draft['contaDraftIds'][0]}/send")
    await fault(kari.twins, "conta", kind="stale_list", path="/invoices", seconds=60)
    for _ in range(looks):
        seen = await kari.post(f"invoice-drafts/{draft['id']}/look")
        assert (seen.json()["became"]["what"], seen.json()["offersRelease"]) == ("missing", False)

    early = await kari.release(draft)
    kari.clock.advance(seconds=int(early.headers["retry-after"]))
    late = await kari.release(draft)

    assert (early.status_code, early.json()["code"]) == (409, "draft-just-gone")
    assert (late.status_code, late.json()["code"]) == (409, "draft-holds-hours")


async def test_a_draft_just_deleted_is_released_a_settle_time_later(kari: Bookkeeper) -> None:
    """The person is told how long, and the release starts the count if no look did."""
    draft = await kari.bill()
    await person(kari.twins, f"drafts/{draft['contaDraftIds'][0]}/delete")

    early = await kari.release(draft)
    kari.clock.advance(seconds=int(early.headers["retry-after"]))
    late = await kari.release(draft)

    assert (early.status_code, early.json()["code"]) == (409, "draft-just-gone")
    assert (late.status_code, late.json()["state"]) == (200, "released")


async def test_an_invoice_that_comes_after_the_release_is_told(kari: Bookkeeper) -> None:
    """A list that lags for longer than we wait: the alarm stands until the invoice is credited."""
    draft = await kari.bill()
    await fault(kari.twins, "conta", kind="stale_list", path="/invoices", seconds=3600)
    await kari.in_conta(draft, "send")
    freed = await kari.release(draft)
    again = await kari.send(await previewed(kari.client, kari.link))

    await pass_hours(kari, 6, minutes=21)
    told = await read(kari, draft)
    invoice = (await kari.twins.books())["invoices"][0]["id"]
    await person(kari.twins, f"invoices/{invoice}/credit")
    await pass_hours(kari, 2, hours=2)
    over = await read(kari, draft)

    assert (freed.json()["state"], again["state"]) == ("released", "completed")
    assert (told["problem"], f"invoice:{invoice}" in told["contaDraftIds"]) == (
        "draft-after-release",
        True,
    )
    assert over["problem"] is None


async def test_a_draft_written_over_and_sent_between_two_looks_is_a_persons_decision(
    kari: Bookkeeper,
) -> None:
    """Nothing in common with our lines is no proof that it was deleted; nobody bills it twice."""
    draft = await kari.bill(grouping="sum")
    await rewrite(kari, draft, description="Konsulentbistand november", quantity=5)

    await kari.in_conta(draft, "send")

    seen = await read(kari, draft)
    refused = await kari.release(draft)
    assert (seen["became"]["what"], seen["offersRelease"]) == ("unclear", False)
    assert (refused.status_code, refused.json()["code"]) == (409, "draft-may-be-invoiced")
    assert refused.json()["candidates"] == seen["became"]["candidates"]
    assert len(seen["became"]["candidates"]) == 1


async def test_a_draft_seen_written_over_is_known_when_it_is_sent(kari: Bookkeeper) -> None:
    """Its invoice has the lines that Conta last showed: sent, and the sum that differs is told."""
    draft = await kari.bill(grouping="sum")
    await rewrite(kari, draft, description="Konsulentbistand november", quantity=5)
    await pass_hours(kari, 1, minutes=16)
    edited = await read(kari, draft)

    await kari.in_conta(draft, "send")

    sent = await read(kari, draft)
    assert edited["became"]["what"] == "edited"
    assert (sent["became"]["what"], sent["became"]["by"]) == ("sent", "lines")
    assert sent["problem"] == "remote-total-differs"
    assert "theirs" not in sent["became"]


async def test_an_invoice_made_while_the_draft_stood_is_not_taken_for_it(
    kari: Bookkeeper, network: Any
) -> None:
    """A draft of the customer's own, sent days before ours was deleted, keeps no hour."""
    draft = await kari.bill()
    await own_invoice(kari, network)
    await pass_hours(kari, 5, days=1)
    await person(kari.twins, f"drafts/{draft['contaDraftIds'][0]}/delete")

    await pass_hours(kari, 3, hours=1)

    seen = await read(kari, draft)
    assert len((await kari.twins.books())["invoices"]) == 1
    assert (seen["became"]["what"], seen["offersRelease"]) == ("deleted", True)
    assert (await kari.release(draft)).json()["state"] == "released"


async def test_a_standing_draft_writes_no_event_at_each_look(kari: Bookkeeper) -> None:
    """When it last stood is kept; that it still stands is nothing that happened."""
    draft = await kari.bill()
    await pass_hours(kari, 1, minutes=16)
    before = await read(kari, draft)

    await pass_hours(kari, 8, minutes=16)

    after = await read(kari, draft)
    assert after["events"] == before["events"]

"""What is gone from Conta was sent or deleted: no hour is free before it is known which."""

from typing import Any

import pytest

from tests.features.invoicing.bookkeeper import Bookkeeper
from tests.features.invoicing.test_drafts import drafts_with, previewed
from tests.features.invoicing.test_followed import person
from tests.features.invoicing.test_protocol import fault, signed_in


async def rewrite(kari: Bookkeeper, draft: dict[str, Any], **fields: Any) -> None:
    """Write over every line of a draft in Conta, its mark too."""
    (stored,) = await drafts_with(kari.twins, draft["mark"])
    lines = [{**line, **fields} for line in stored["invoiceDraftLines"]]
    await person(kari.twins, f"drafts/{draft['contaDraftIds'][0]}/edit", lines=lines)


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

"""A look that was under way never overwrites what a person decided meanwhile."""

from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest

from app.invoicing.drafts.advance import read_draft
from app.invoicing.drafts.follow import follow_draft
from app.invoicing.drafts.record import Overtaken
from tests.features.invoicing.bookkeeper import Bookkeeper
from tests.features.invoicing.test_followed import person
from tests.features.invoicing.test_gone import pass_hours, read, rewrite


@pytest.mark.parametrize("looks", [1, 2])
async def test_a_late_look_leaves_the_invoice_that_a_person_named(
    kari: Bookkeeper, runtime: Any, looks: int
) -> None:
    """Read before, written after: the invoice stays named, the hours held, and it is followed."""
    draft = await kari.bill()
    await rewrite(kari, draft, description="Konsulentbistand", quantity=3)
    await person(kari.twins, f"drafts/{draft['contaDraftIds'][0]}/send")
    await pass_hours(kari, looks, minutes=16)
    before = await read(kari, draft)
    stale = await read_draft(runtime, kari.link.link_id, UUID(draft["id"]))
    invoice = str((await kari.twins.books())["invoices"][0]["id"])
    await kari.post(f"invoice-drafts/{draft['id']}/invoice", invoiceId=invoice)

    with suppress(Overtaken):
        await follow_draft(runtime, kari.link.link_id, stale)

    after = await read(kari, draft)
    freed = await kari.release(draft)
    await person(kari.twins, f"invoices/{invoice}/pay")
    await pass_hours(kari, 2, hours=7)
    paid = await read(kari, draft)
    assert before["became"]["what"] == {1: "missing", 2: "unclear"}[looks]
    assert (after["became"]["what"], after["became"]["by"]) == ("sent", "person")
    assert after["became"]["id"] == invoice
    assert (freed.status_code, freed.json()["code"]) == (409, "draft-holds-hours")
    assert paid["became"]["what"] == "paid"


async def test_an_invoice_that_a_person_named_stays_though_conta_does_not_show_it(
    kari: Bookkeeper,
) -> None:
    """One that cannot be read is no deleted draft: nobody bills its hours twice."""
    draft = await kari.bill()
    await rewrite(kari, draft, description="Konsulentbistand", quantity=3)
    await kari.in_conta(draft, "send")
    invoice = str((await kari.twins.books())["invoices"][0]["id"])
    await kari.post(f"invoice-drafts/{draft['id']}/invoice", invoiceId=invoice)
    kari.twins.conta.state.twin.organizations[1001].invoices.clear()

    await pass_hours(kari, 4, hours=7)

    kept = await read(kari, draft)
    assert (kept["became"]["what"], kept["became"]["id"]) == ("sent", invoice)
    assert kept["offersRelease"] is False

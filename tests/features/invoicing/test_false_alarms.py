"""What happens in an orderly life is no broken invariant, however it came about."""

from typing import Any

import pytest

from app.invoicing.invariants import read_suspects
from app.invoicing.invariants.check import check_link
from app.runtime import Runtime
from tests.features.invoicing.bookkeeper import Bookkeeper
from tests.features.invoicing.test_drafts import drafts_with, previewed, sent
from tests.features.invoicing.test_followed import later, person, post_late
from tests.features.invoicing.test_merged import two
from tests.features.invoicing.test_protocol import fault, signed_in
from tests.features.invoicing.test_release_lines import release, taken


async def test_however_many_drafts_had_lines_released_none_is_a_suspect(
    kari: Bookkeeper, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over the years they are more than are read, and would keep what is wrong from being named."""
    for draft in await two(kari):
        await taken(kari, draft, 1)
        assert (await release(kari, draft, lines=[2])).status_code == 200
    for _ in range(3):
        kari.clock.advance(minutes=17)
        await kari.work()
    monkeypatch.setattr(read_suspects, "MOST", 1)

    checked = await check_link(runtime, kari.link.link_id)

    assert (checked.violations, checked.more) == ((), 0)


async def test_lines_released_one_after_another_are_no_other_sum_while_conta_is_away(
    kari: Bookkeeper, runtime: Runtime, twins: Any
) -> None:
    """What was last seen is of between the two; only the next look says what stands."""
    draft = await kari.bill(grouping="entry")
    for number in (2, 3):
        await taken(kari, draft, 1)
        await signed_in(twins, kari.link)
        assert (await release(kari, draft, lines=[number])).status_code == 200
        if number == 2:
            kari.clock.advance(minutes=16)
            await kari.work()
    await fault(
        twins, "conta", kind="status_before", status=503, method="GET", path="invoice-drafts",
        times=500,
    )  # fmt: skip
    for _ in range(4):
        kari.clock.advance(minutes=11)
        await kari.work()
    kari.clock.advance(minutes=5)

    away = await check_link(runtime, kari.link.link_id)
    await signed_in(twins, kari.link)
    shown = await kari.get(f"invoice-drafts/{draft['id']}")

    assert away.violations == ()
    assert "beforeRelease" not in shown["became"]


@pytest.mark.parametrize("deleted", [True, False])
async def test_one_of_two_drafts_whose_invoice_a_person_named_is_looked_after_still(
    kari: Bookkeeper, runtime: Runtime, twins: Any, network: Any, deleted: bool
) -> None:
    """Once the other is gone one is left, and nothing is found at night; else it is told of."""
    path, both = await twice(kari, network)
    one, other = both["contaDraftIds"]
    if deleted:
        await person(twins, f"drafts/{other}/delete")
    await person(twins, f"drafts/{one}/send")
    (invoice,) = [i["id"] for i in (await twins.books())["invoices"]]
    named = {"invoiceId": str(invoice)}
    await kari.client.post(f"{path}/invoice", headers=kari.link.books, json=named)

    shown = await later(kari.client, kari.link, twins, kari.work, kari.clock, path)
    checked = await check_link(runtime, kari.link.link_id)

    assert shown["problem"] == (None if deleted else "duplicate-draft")
    assert all(broken.told for broken in checked.violations)
    assert len(checked.violations) == (0 if deleted else 1)


async def twice(kari: Bookkeeper, network: Any) -> tuple[str, dict[str, Any]]:
    """Send again what was lost and lands late; gives the draft's address and how it is shown."""
    client, link, twins = kari.client, kari.link, kari.twins
    preview = await previewed(client, link)
    await fault(
        twins, "conta", kind="status_before", status=500, method="POST", path="invoice-drafts",
        times=1,
    )  # fmt: skip
    path = (await sent(client, link, preview)).headers["location"]
    for _ in range(3):
        kari.clock.advance(seconds=121)
        await kari.work()
    await signed_in(twins, link)
    await client.post(f"{path}/resend", headers=link.books)
    (first,) = await drafts_with(twins, preview["mark"])
    await post_late(network, first)
    return path, await later(client, link, twins, kari.work, kari.clock, path)

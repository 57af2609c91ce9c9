"""What happens in an orderly life is no broken invariant, however it came about."""

from typing import Any

import pytest

from app.invoicing.invariants import read_suspects
from app.invoicing.invariants.check import check_link
from app.runtime import Runtime
from tests.features.invoicing.bookkeeper import Bookkeeper
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

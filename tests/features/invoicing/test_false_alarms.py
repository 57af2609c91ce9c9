"""What happens in an orderly life is no broken invariant, however it came about."""

import pytest

from app.invoicing.invariants import read_suspects
from app.invoicing.invariants.check import check_link
from app.runtime import Runtime
from tests.features.invoicing.bookkeeper import Bookkeeper
from tests.features.invoicing.test_merged import two
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

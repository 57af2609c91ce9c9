"""The list of changed hours: page by page, with the sum of all."""

from typing import Any

import httpx

from tests.features.invoicing.test_drafts import previewed, sent
from tests.features.invoicing.test_preview import change
from tests.features.invoicing.test_table import Work, look_again


async def test_changed_hours_come_in_pages_and_their_sum_is_of_all(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any
) -> None:
    """Nothing is cut off in silence, and the sum does not depend on the page."""
    preview = await previewed(client, synced, grouping="entry")
    await sent(client, synced, preview)
    await look_again(synced, twins, work, clock)
    lines = preview["lines"][:3]
    for line in lines:
        await change(twins, line["entryIds"][0], minutes=line["minutes"] + 60)
    await look_again(synced, twins, work, clock)
    path, more, seen, sums = f"{synced.path}/changed-hours", None, [], set()

    for _ in lines:
        asked = {"limit": "1", **({"cursor": more} if more else {})}
        page = (await client.get(path, headers=synced.books, params=asked)).json()
        seen += [one["entryId"] for one in page["items"]]
        sums.add(page["differenceOre"])
        more = page["nextCursor"]

    assert more is None
    assert sorted(seen) == sorted(line["entryIds"][0] for line in lines)
    assert sums == {sum(line["unitPriceOre"] for line in lines)}
    other = await client.get(path, headers=synced.books, params={"choice": "all", "cursor": "eA"})
    assert other.json()["code"] == "invalid-cursor"

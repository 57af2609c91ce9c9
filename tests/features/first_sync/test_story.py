"""The first sync as one story over the API, judged by the twins' own stores."""

from typing import Any

import httpx
import pytest

from app.sandbox.seeds import SeedWorld, demo
from tests.worlds import BEGIN


@pytest.fixture
def world() -> SeedWorld:
    """The whole told world."""
    return demo(BEGIN.date())


async def test_the_whole_review_ends_in_an_active_link(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """After the confirmed run the link works, and no record was made twice on either side."""
    link = (await client.get(synced.path, headers=synced.books)).json()
    pairs = (await client.get(f"{synced.path}/pairs?limit=200", headers=synced.books)).json()
    books, time = await twins.books(), await twins.time()

    assert link["state"] == "active"
    customers = [pair for pair in pairs["items"] if pair["kind"] == "customer"]
    assert len({pair["timeId"] for pair in customers}) == len(customers) > 28
    names = [customer["name"] for customer in books["customers"]]
    marked = [c for c in time["customers"] if c.get("externalRefs", {}).get("conta")]
    assert len(marked) == len(customers)
    assert len(names) >= 40

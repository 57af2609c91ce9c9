"""The review: read both sides, propose, answer, confirm; nothing is written before."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.features.conftest import Linked, Twins

Work = Callable[[], Awaitable[int]]


@pytest.fixture
async def opened(reviewing: Linked, client: httpx.AsyncClient, work: Work) -> Linked:
    """A link whose plan is open."""
    started = await client.post(f"{reviewing.path}/first-sync", headers=reviewing.books)
    assert started.status_code == 202, started.text
    await work()
    return reviewing


async def test_smoke(opened: Linked, client: httpx.AsyncClient) -> None:
    plan = (await client.get(f"{opened.path}/first-sync", headers=opened.books)).json()
    print(plan)
    lines = await client.get(f"{opened.path}/first-sync/proposals?limit=200", headers=opened.books)
    for line in lines.json()["items"]:
        print(line["kind"], line["category"], line["deed"], line["side"], line["record"]["name"], [c["record"]["name"] for c in line["candidates"]], [c["reasons"] for c in line["candidates"]], line["siblings"], [f["code"] for f in line["findings"]])
    assert 0

"""A pair that is parted while the sync reads its records is written to no more."""

from typing import Any

import httpx
import pytest

from app.canonical import LinkId, RecordKind, Side
from app.database import CommitPoint
from app.links.pairs import Pair
from app.records.decisions import leave_out
from app.records.part import part_pair
from tests.features.conftest import Switch
from tests.features.sync.conftest import Hands


class PartedAsItIsRead(httpx.AsyncBaseTransport):
    """Let a pair be parted, as an undo does, and one half be changed right before it is read."""

    def __init__(self, hands: Hands, network: Switch, record_id: str, **fields: Any) -> None:
        self._hands, self._inner, self._id, self._fields = hands, network, record_id, fields
        self._timerabbit = network._timerabbit
        self.parted = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET" and request.url.path.endswith(f"/customers/{self._id}"):
            await self._part()
        return await self._timerabbit.handle_async_request(request)

    async def _part(self) -> None:
        if self.parted:
            return
        self.parted = True
        hands, link_id = self._hands, self._hands.linked.link_id
        (pair,) = await hands.pairs()
        async with hands.runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
            held = await session.get_one(Pair, (LinkId(link_id), pair.pair_id))
            for side in Side:
                await leave_out(session, link_id, side, RecordKind.CUSTOMER, [held.record_id(side)])
            await part_pair(session, held, by="kari", now=hands.runtime.clock())
        await hands.edit_time(self._id, **self._fields)


@pytest.mark.parametrize("fields", [{"active": False}, {"phone": "99999999"}])
async def test_what_was_parted_while_it_was_read_is_not_written(
    hands: Hands, network: Switch, fields: dict[str, Any]
) -> None:
    """As when a first sync is undone beside a drain: the record that was there first stays."""
    time_id, books_id = await hands.paired()
    before = await hands.in_books(books_id)
    parting: Any = PartedAsItIsRead(hands, network, time_id, **fields)
    network._timerabbit = parting
    await hands.hint(Side.TIME, time_id)

    await hands.work()

    assert parting.parted
    assert await hands.pairs() == []
    assert await hands.in_books(books_id) == before

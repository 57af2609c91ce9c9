"""Ask, for all looks of a drain together, whether the pairs still stand as they were read."""

import asyncio
from typing import Final
from uuid import UUID

from app.canonical import LinkId
from app.database import run
from app.links.pairs import Pair
from app.runtime import Runtime

_VERSIONS: Final = """
SELECT pair_id, version FROM pairs WHERE link_id = %(link_id)s AND pair_id = ANY(%(pair_ids)s)
"""


class Standing:
    """
    Gather the questions that come while another is under way: one statement answers them all.

    A drain did 1,084 records a second without it, 633 with one statement each, and 780 to 910 so
    (2026-11).
    """

    def __init__(self, runtime: Runtime, link_id: LinkId) -> None:
        self._runtime, self._link_id = runtime, link_id
        self._one_at_a_time = asyncio.Lock()
        self._wanted: set[UUID] = set()
        self._answer: asyncio.Task[dict[UUID, int]] | None = None

    async def holds(self, pair: Pair) -> bool:
        """
        Say whether a pair is as it was read: neither parted nor written to since.

        To be asked after its records were read: who parts a pair does so before the one half is
        archived, so that what is read of that half after the parting is carried over to nobody.
        """
        self._wanted.add(pair.pair_id)
        if self._answer is None:
            self._answer = asyncio.create_task(self._ask())
        versions = await self._answer
        return versions.get(pair.pair_id) == pair.version

    async def _ask(self) -> dict[UUID, int]:
        async with self._one_at_a_time:
            wanted, self._wanted, self._answer = self._wanted, set(), None
            parameters = {"link_id": self._link_id, "pair_ids": list(wanted)}
            async with self._runtime.database.reading(self._link_id) as session:
                return dict(await (await run(session, _VERSIONS, parameters)).fetchall())

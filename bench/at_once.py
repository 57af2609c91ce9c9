"""Be the two systems in memory, for benches that measure our own speed."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from app.canonical import Record, RecordId, RecordKind, Side
from app.systems.pace import Paces
from app.systems.ports import Capabilities, Page, Row, Sighting
from app.systems.reading import fingerprint
from app.systems.shapes import Demands

PAGE = 200


class AtOnce:
    """
    Be one side's system: everything in memory, every call counted, none of them waits.

    Args:
        paces: What holds the calls back as the transport does; ``None`` holds none.

    """

    demands = Demands(text_limits={}, required=frozenset({"name"}))

    def __init__(
        self, side: Side, records: Sequence[Record], *, paces: Paces | None = None
    ) -> None:
        self._paces = paces
        self._records: dict[RecordId, Record] = {one.id: one for one in records}
        self._whole = side is Side.TIME
        self._next = 10_000_000
        self.calls: Counter[str] = Counter()

    async def _count(self, deed: str) -> None:
        if self._paces is not None:
            await self._paces.of("bench").take(longest_seconds=600)
        self.calls[deed] += 1

    def open(self, *_: object, **__: object) -> "AtOnce":
        """Bind to an account: there is only one."""
        return self

    async def close(self) -> None:
        """Close nothing."""

    async def capabilities(self) -> Capabilities:
        """Say what the real one says."""
        return Capabilities(
            projects=False, changed_since=True, complete_lists=self._whole,
            idempotent_create=self._whole, text_limits={}, required=frozenset({"name"}),
        )  # fmt: skip

    async def pages(
        self, kind: RecordKind, *, changed_since: datetime | None = None
    ) -> AsyncIterator[Page]:
        """List all records, thin where the side's lists are."""
        records = list(self._records.values()) if kind is RecordKind.CUSTOMER else []
        if changed_since is not None:
            records = []
        for start in range(0, max(len(records), 1), PAGE):
            await self._count("list")
            rows = [
                Row(one.id, one, complete=self._whole, fingerprint=fingerprint(one))
                for one in records[start : start + PAGE]
            ]
            yield Page(tuple(rows), total=len(records))

    async def read(self, kind: RecordKind, record_id: RecordId) -> Sighting:
        """Read one record."""
        del kind
        await self._count("read")
        return Sighting(self._records.get(record_id), raw={}, version='"1"')

    async def create(self, kind: RecordKind, record: Record, *, key: str) -> Record:
        """Create a record."""
        del kind, key
        await self._count("write")
        self._next += 1
        made = replace(record, id=RecordId(str(self._next)))
        self._records[made.id] = made
        return made

    async def update(self, kind: RecordKind, seen: Sighting, changes: Mapping[str, Any]) -> Record:
        """Change a record; our mark is kept, for it is asked for again."""
        del kind
        await self._count("write")
        changed = replace(cast("Any", seen.record), **changes)
        self._records[changed.id] = changed
        return cast("Record", changed)

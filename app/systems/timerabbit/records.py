"""Keep one Timerabbit company's customers and projects: list, read, create, change."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, cast

from app.canonical import Record, RecordId, RecordKind
from app.systems.calls import JSON_HEADERS, Call, json_body
from app.systems.ports import Capabilities, Demands, NotFound, Page, Rejected, Sighting
from app.systems.reading import read_json, understood
from app.systems.texts import longest
from app.systems.timerabbit.account import Account
from app.systems.timerabbit.bodies import (
    CUSTOMER_LIMITS,
    PROJECT_LIMITS,
    create_body,
    patch_body,
)
from app.systems.timerabbit.listing import walk
from app.systems.timerabbit.translate import record_from, row_from, version_of

_ROUTES: Mapping[RecordKind, str] = MappingProxyType(
    {RecordKind.CUSTOMER: "/customers", RecordKind.PROJECT: "/projects"}
)
DEMANDS = Demands(
    text_limits={
        RecordKind.CUSTOMER: longest(CUSTOMER_LIMITS),
        RecordKind.PROJECT: longest(PROJECT_LIMITS),
    },
    required=frozenset({"name", "kind"}),
)
_CAPABILITIES = Capabilities(
    projects=True,
    changed_since=True,
    complete_lists=True,
    idempotent_create=True,
    text_limits=DEMANDS.text_limits,
    required=DEMANDS.required,
)


class TimerabbitRecords:
    """Be a ``RecordKeeper`` for one company."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def capabilities(self) -> Capabilities:
        """Say what Timerabbit can do; the same for every company, without a call."""
        return _CAPABILITIES

    async def pages(
        self, kind: RecordKind, *, changed_since: datetime | None = None
    ) -> AsyncIterator[Page]:
        """List all records of a kind, tombstones included, in the order they were changed."""
        query = {"includeDeleted": "true"}
        if changed_since is not None:
            query["updatedSince"] = changed_since.astimezone(UTC).isoformat().replace("+00:00", "Z")
        async for listing in walk(self._account, _ROUTES[kind], query):
            rows = (row_from(kind, item) for item in listing.items)
            yield Page(tuple(row for row in rows if row is not None), as_of=listing.as_of)

    async def read(self, kind: RecordKind, record_id: RecordId) -> Sighting:
        """Read one record with its version; a missing one gives ``record=None``."""
        try:
            answer = await self._account.send(
                Call("GET", f"{_ROUTES[kind]}/{{id}}", {"id": record_id})
            )
        except NotFound:
            return Sighting(None)
        return understood(
            lambda: _sighting(kind, answer.body, answer.headers.get("etag")),
            what=f"a {kind}",
            write=False,
        )

    async def create(self, kind: RecordKind, record: Record, *, key: str) -> Record:
        """Create a record; the same key within 24 hours makes no second one."""
        answer = await self._account.send(
            Call(
                "POST",
                _ROUTES[kind],
                headers={**JSON_HEADERS, "Idempotency-Key": key},
                body=json_body(create_body(record)),
            )
        )
        return understood(
            lambda: record_from(kind, read_json(answer.body)), what=f"a new {kind}", write=True
        )

    async def update(self, kind: RecordKind, seen: Sighting, changes: Mapping[str, Any]) -> Record:
        """
        Change the named fields, unless someone else changed the record since it was seen.

        Raises:
            Rejected: With ``stale`` when it changed since.
            NotFound: It is not there, or was not when it was seen.

        """
        if seen.record is None:
            raise NotFound("there is nothing to change")
        if not changes:
            return seen.record
        if seen.version is None:
            raise Rejected("a record seen without its version", stale=True)
        answer = await self._account.send(
            Call(
                "PATCH",
                f"{_ROUTES[kind]}/{{id}}",
                {"id": seen.record.id},
                headers={
                    "Content-Type": "application/merge-patch+json",
                    "If-Match": seen.version,
                },
                body=json_body(patch_body(kind, changes)),
            )
        )
        return understood(
            lambda: record_from(kind, read_json(answer.body)), what=f"a changed {kind}", write=True
        )


def _sighting(kind: RecordKind, body: bytes, etag: str | None) -> Sighting:
    parsed = read_json(body)
    record = record_from(kind, parsed)
    if etag is None or not etag.isascii():
        version = version_of(parsed)
        # The contract makes the strong validator from the version.
        etag = f'"{version}"' if version is not None else etag
    return Sighting(record, raw=cast("dict[str, Any]", parsed), version=etag)

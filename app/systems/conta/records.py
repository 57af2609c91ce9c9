"""Keep one Conta organization's customers and projects: list, read, create, change."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, cast
from zoneinfo import ZoneInfo

from app.canonical import Record, RecordId, RecordKind
from app.systems.calls import JSON_HEADERS, Answer, Call, json_body
from app.systems.conta import wire
from app.systems.conta.access import PROJECT_FEATURE
from app.systems.conta.account import Account
from app.systems.conta.bodies import (
    CUSTOMER_LIMITS,
    PROJECT_LIMITS,
    REQUIRED_OF_CUSTOMERS,
    create_body,
    overlay,
)
from app.systems.conta.listing import walk
from app.systems.conta.translate import record_from, row_from
from app.systems.ports import (
    Capabilities,
    Demands,
    NotFound,
    Page,
    Reason,
    Rejected,
    Sighting,
)
from app.systems.reading import read_json, understood
from app.systems.texts import longest

# In which zone Conta cuts the day, and whether the day itself counts, is not documented.
_ZONE = ZoneInfo("Europe/Oslo")
_OVERLAP = timedelta(days=1)

DEMANDS = Demands(
    text_limits={
        RecordKind.CUSTOMER: longest(CUSTOMER_LIMITS),
        RecordKind.PROJECT: longest(PROJECT_LIMITS),
    },
    required=REQUIRED_OF_CUSTOMERS,
)

_ROUTES: Mapping[RecordKind, str] = MappingProxyType(
    {RecordKind.CUSTOMER: "/customers", RecordKind.PROJECT: "/projects"}
)


class ContaRecords:
    """Be a ``RecordKeeper`` for one organization."""

    def __init__(self, account: Account, *, modified_filter: bool) -> None:
        self._account = account
        self._modified_filter = modified_filter

    async def capabilities(self) -> Capabilities:
        """Read the plan and say what the organization can do."""
        answer = await self._account.send_here(Call("GET", "/subscription-plan"))
        plan = understood(
            lambda: wire.SubscriptionPlan.model_validate(read_json(answer.body)),
            what="the plan",
            write=False,
        )
        return Capabilities(
            projects=PROJECT_FEATURE in (plan.allowed_features or ()),
            changed_since=self._modified_filter,
            complete_lists=False,
            idempotent_create=False,
            text_limits=DEMANDS.text_limits,
            required=DEMANDS.required,
        )

    async def pages(
        self, kind: RecordKind, *, changed_since: datetime | None = None
    ) -> AsyncIterator[Page]:
        """
        List all records of a kind, each once, by rising id; inactive ones too.

        Customers are narrowed by whole days, a day more than asked, and only where the filter is
        switched on; projects never are.
        """
        query = {"sort": "id"}
        narrowed = changed_since is not None and self._modified_filter
        if kind is RecordKind.CUSTOMER and narrowed and changed_since is not None:
            day = (changed_since.astimezone(_ZONE) - _OVERLAP).date()
            query["modifiedFromDate"] = day.isoformat()
        async for items, total in walk(self._account, _ROUTES[kind], query):
            rows = (row_from(kind, item) for item in items)
            yield Page(tuple(row for row in rows if row is not None), total=total)

    async def read(self, kind: RecordKind, record_id: RecordId) -> Sighting:
        """Read one record with its raw body; a missing one gives ``record=None``."""
        try:
            answer = await self._account.send_here(
                Call("GET", f"{_ROUTES[kind]}/{{id}}", {"id": record_id})
            )
        except NotFound:
            return Sighting(None)
        return understood(lambda: _sighting(kind, answer), what=f"a {kind}", write=False)

    async def create(self, kind: RecordKind, record: Record, *, key: str) -> Record:
        """Create a record; Conta knows no idempotency key, so ``key`` guards nothing here."""
        del key
        return await self._write(
            kind, Call("POST", _ROUTES[kind], body=json_body(create_body(record)))
        )

    async def update(self, kind: RecordKind, seen: Sighting, changes: Mapping[str, Any]) -> Record:
        """
        Write the named fields over the whole record as it was seen.

        Conta has no versions: a change made by someone else since it was seen is written over, so
        callers read just before.

        Raises:
            NotFound: It is not there, or was not when it was seen.

        """
        if seen.record is None:
            raise NotFound("there is nothing to change")
        if not changes:
            return seen.record
        body = json_body(overlay(kind, seen.raw, changes))
        return await self._write(
            kind, Call("PUT", f"{_ROUTES[kind]}/{{id}}", {"id": seen.record.id}, body=body)
        )

    async def _write(self, kind: RecordKind, call: Call) -> Record:
        answer = await write_once(self._account, call)
        return understood(
            lambda: record_from(kind, read_json(answer.body)), what=f"a {kind}", write=True
        )


async def write_once(account: Account, call: Call) -> Answer:
    """
    Send a write with a body below the organization.

    Raises:
        Rejected: Nothing was made; a POST that names something unknown (404) is one too.

    """
    called = Call(
        call.method,
        call.route,
        call.values,
        headers=JSON_HEADERS,
        body=call.body,
        timeout_seconds=call.timeout_seconds,
    )
    try:
        return await account.send_here(called)
    except NotFound as err:
        if call.method != "POST":
            raise
        raise Rejected(str(err), reasons=(Reason("reference-not-found"),)) from err


def _sighting(kind: RecordKind, answer: Answer) -> Sighting:
    raw = read_json(answer.body)
    record = record_from(kind, raw)
    return Sighting(record, raw=cast("dict[str, Any]", raw))

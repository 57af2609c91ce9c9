"""Be one Timerabbit company's hours and link, beside its customers and projects."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from uuid import uuid4

from app.canonical import EntryId, RecordId, TimeEntry
from app.systems.calls import JSON_HEADERS, Answer, Call, json_body
from app.systems.ports import (
    AccessReport,
    EntryQuery,
    LinkFacts,
    NotFound,
    ReleaseReason,
    Reservation,
    Subscription,
    TimeSettings,
)
from app.systems.reading import read_json, understood
from app.systems.timerabbit import wire
from app.systems.timerabbit.access import report
from app.systems.timerabbit.hours import (
    entry_from,
    query_from,
    reservation_from,
    settings_from,
)
from app.systems.timerabbit.listing import walk
from app.systems.timerabbit.records import TimerabbitRecords
from app.systems.timerabbit.webhooks import EVENT_TYPES

MOST_ENTRIES = 500


class TimerabbitClient(TimerabbitRecords):
    """Be a ``TimeTracker`` for one company."""

    async def check(self) -> AccessReport:
        """Ask «Test API», company and settings at once, and say everything found."""
        outcomes = await asyncio.gather(
            *(
                self._account.send(Call("GET", route))
                for route in ("/ping", "/company", "/settings")
            ),
            return_exceptions=True,
        )
        return report(*outcomes)

    async def settings(self) -> TimeSettings:
        """Read the settings for hours."""
        answer = await self._account.send(Call("GET", "/settings"))
        return understood(
            lambda: settings_from(wire.Settings.model_validate(read_json(answer.body))),
            what="settings",
            write=False,
        )

    async def entries(self, query: EntryQuery) -> tuple[TimeEntry, ...]:
        """Read all entries the query chooses, each once, ordered by day, then id."""
        found: dict[EntryId, TimeEntry] = {}
        async for listing in walk(self._account, "/time-entries", query_from(query)):
            for entry in understood(
                partial(_entries, listing.items), what="time entries", write=False
            ):
                known = found.get(entry.id)
                if known is None or known.version <= entry.version:
                    found[entry.id] = entry
        return tuple(sorted(found.values(), key=lambda entry: (entry.day, entry.id)))

    async def entries_by_id(self, ids: tuple[EntryId, ...]) -> tuple[TimeEntry, ...]:
        """Read entries by id, 500 a call; unknown ids are left out, tombstones are ``gone``."""
        found: list[TimeEntry] = []
        for some in _in_portions(tuple(dict.fromkeys(ids)), MOST_ENTRIES):
            answer = await self._account.send(
                Call(
                    "POST",
                    "/time-entries/batch-get",
                    headers=JSON_HEADERS,
                    body=json_body({"ids": some}),
                    effectless=True,
                )
            )
            found += understood(partial(_batch, answer), what="time entries", write=False)
        return tuple(found)

    async def reserve(
        self,
        customer_id: RecordId,
        versions: Mapping[EntryId, int],
        *,
        key: str,
        ttl_seconds: int,
        requested_by: str | None = None,
    ) -> Reservation:
        """Hold at most 500 entries for a draft, all or none; the same key holds them once."""
        asker = {} if requested_by is None else {"requestedByEmployeeId": requested_by}
        body = {
            **asker,
            "customerId": customer_id,
            "target": "conta",
            "ttlSeconds": ttl_seconds,
            "entries": [{"id": id_, "version": version} for id_, version in versions.items()],
        }
        answer = await self._post("/invoice-transfers", body, key=key)
        return understood(
            lambda: reservation_from(wire.Transfer.model_validate(read_json(answer.body))),
            what="a reservation",
            write=True,
        )

    async def complete(self, reservation_id: str, *, draft_id: str, draft_url: str | None) -> None:
        """Mark the held entries as standing in the draft; the same draft again changes nothing."""
        body = {"draftId": draft_id} | ({"draftUrl": draft_url} if draft_url else {})
        await self._post("/invoice-transfers/{id}/complete", body, id_=reservation_id)

    async def release(
        self, reservation_id: str, *, reason: ReleaseReason, entry_ids: tuple[EntryId, ...] = ()
    ) -> None:
        """Set entries free again, all without ``entry_ids``; again changes nothing."""
        body: dict[str, object] = {"reason": reason.value}
        if entry_ids:
            body["entryIds"] = entry_ids
        await self._post("/invoice-transfers/{id}/release", body, id_=reservation_id)

    async def tell_link(self, facts: LinkFacts) -> None:
        """Tell Timerabbit the state of the link; it shows its banner and lock by it."""
        body = {
            "status": facts.status,
            "contaOrganizationName": facts.organization_name,
            "contaOrganizationNumber": facts.organization_number,
            "projectSync": facts.project_sync,
            "invoicePageUrl": facts.invoice_page_url,
            "message": facts.message[:500] if facts.message else None,
        }
        await self._account.send(
            Call("PUT", "/links/conta", headers=JSON_HEADERS, body=json_body(body))
        )

    async def forget_link(self) -> None:
        """Tell Timerabbit that the link is closed; a link it does not know is fine."""
        try:
            await self._account.send(Call("DELETE", "/links/conta"))
        except NotFound:
            return

    async def subscribe(self, url: str) -> Subscription:
        """Ask for webhooks; each call makes a new subscription with its own secret."""
        body = {"url": url, "eventTypes": EVENT_TYPES}
        # A key made from the url would bring the secret of an earlier, ended subscription back.
        answer = await self._post("/webhook-subscriptions", body, key=uuid4().hex)
        made = understood(
            lambda: wire.WebhookSubscription.model_validate(read_json(answer.body)),
            what="a subscription",
            write=True,
        )
        return Subscription(made.id, made.secret)

    async def rotate_secret(self, subscription_id: str) -> str:
        """Let Timerabbit make a new secret; for 24 hours deliveries carry both signatures."""
        answer = await self._account.send(
            Call(
                "POST",
                "/webhook-subscriptions/{id}/rotate-secret",
                {"id": subscription_id},
                headers=JSON_HEADERS,
            )
        )
        made = understood(
            lambda: wire.WebhookSubscription.model_validate(read_json(answer.body)),
            what="a subscription",
            write=True,
        )
        return made.secret

    async def unsubscribe(self, subscription_id: str) -> None:
        """End a subscription; a missing one is fine."""
        try:
            await self._account.send(
                Call("DELETE", "/webhook-subscriptions/{id}", {"id": subscription_id})
            )
        except NotFound:
            return

    async def _post(
        self, route: str, body: object, *, key: str | None = None, id_: str | None = None
    ) -> Answer:
        headers = {**JSON_HEADERS, "Idempotency-Key": key} if key is not None else JSON_HEADERS
        values = {"id": id_} if id_ is not None else {}
        return await self._account.send(
            Call("POST", route, values, headers=headers, body=json_body(body))
        )


def _entries(items: Iterable[object]) -> list[TimeEntry]:
    return [entry_from(wire.TimeEntry.model_validate(item)) for item in items]


def _batch(answer: Answer) -> list[TimeEntry]:
    return _entries(wire.Batch.model_validate(read_json(answer.body)).items)


def _in_portions(ids: tuple[EntryId, ...], size: int) -> Iterator[tuple[EntryId, ...]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]

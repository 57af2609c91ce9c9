"""Be the books side: Conta as a product, and one organization's drafts and invoices."""

import asyncio
from datetime import date
from functools import partial
from typing import Final, Self
from urllib.parse import quote

import httpx

from app.canonical import DraftOrder, RecordId, RecordKind
from app.clock import Clock, system_clock
from app.settings import Settings
from app.systems.calls import Answer, Call, Observe, json_body
from app.systems.conta import wire
from app.systems.conta.access import Outcomes, report
from app.systems.conta.account import Account
from app.systems.conta.bodies import draft_body
from app.systems.conta.listing import walk
from app.systems.conta.records import DEMANDS, ContaRecords, write_once
from app.systems.conta.refusals import classify
from app.systems.conta.translate import CREDIT_NOTE, draft_from, invoice_from
from app.systems.conta.webhooks import read_notice
from app.systems.ports import AccessReport, NotFound, Notice, RemoteDraft, RemoteInvoice
from app.systems.reading import read_json, understood
from app.systems.transport import Transport, TransportOptions, ignore_call

__all__ = ["NAME", "ContaClient", "ContaSystem"]

NAME = "conta"
_FILTERS: Final = {RecordKind.CUSTOMER: "customerId", RecordKind.PROJECT: "projectId"}


class ContaClient(ContaRecords):
    """Be an ``AccountingSystem`` for one organization."""

    def __init__(
        self,
        account: Account,
        *,
        modified_filter: bool,
        registration_source: str,
        draft_timeout_seconds: float,
    ) -> None:
        super().__init__(account, modified_filter=modified_filter)
        self._registration_source = registration_source
        self._draft_timeout_seconds = draft_timeout_seconds

    async def check(self) -> AccessReport:
        """Ask for a sign of life, organizations, the key's person and the plan, all at once."""
        account = self._account
        ping, organizations, person, plan = await asyncio.gather(
            account.send(Call("GET", "/invoice/ping")),
            account.send(Call("GET", "/invoice/organizations")),
            account.send(Call("GET", "/invoice/account/settings")),
            account.send_here(Call("GET", "/subscription-plan")),
            return_exceptions=True,
        )
        return report(account.id, Outcomes(ping, organizations, person, plan))

    async def create_draft(self, order: DraftOrder) -> RemoteDraft:
        """Create a draft with one POST, never tried again here."""
        body = draft_body(order, registration_source=self._registration_source)
        answer = await write_once(
            self._account,
            Call(
                "POST",
                "/invoice-drafts",
                body=json_body(body),
                timeout_seconds=self._draft_timeout_seconds,
            ),
        )
        return understood(lambda: _draft(answer), what="a new draft", write=True)

    async def draft_ids(self, customer_id: RecordId, *, since: date) -> tuple[str, ...]:
        """List the ids of a customer's drafts created since a day, newest first."""
        return await self._ids("/invoice-drafts", RecordKind.CUSTOMER, customer_id, since)

    async def read_draft(self, draft_id: str) -> RemoteDraft | None:
        """Read a draft; ``None`` when it is gone (sent or deleted look the same)."""
        answer = await self._read("/invoice-drafts/{id}", draft_id)
        if answer is None:
            return None
        return understood(lambda: _draft(answer), what="a draft", write=False)

    async def invoice_ids(self, customer_id: RecordId, *, since: date) -> tuple[str, ...]:
        """
        List the ids of a customer's invoices created since a day, newest first.

        Credit notes are left out: one repeats the lines of the invoice it credits, and would look
        like a second invoice of the same draft.
        """
        return await self._ids("/invoices", RecordKind.CUSTOMER, customer_id, since)

    async def read_invoice(self, invoice_id: str) -> RemoteInvoice | None:
        """Read an invoice; ``None`` when it is not there."""
        answer = await self._read("/invoices/{id}", invoice_id)
        if answer is None:
            return None
        return understood(
            lambda: invoice_from(wire.Invoice.model_validate(read_json(answer.body))),
            what="an invoice",
            write=False,
        )

    async def paper_ids(
        self, kind: RecordKind, record_id: RecordId, *, since: date
    ) -> tuple[str, ...]:
        """List what stands on a customer or project since a day: its drafts, then its invoices."""
        drafts = await self._ids("/invoice-drafts", kind, record_id, since)
        return (*drafts, *await self._ids("/invoices", kind, record_id, since))

    async def _ids(
        self, route: str, kind: RecordKind, record_id: RecordId, since: date
    ) -> tuple[str, ...]:
        # A hit names no project; the filter is the only way to ask (official document, Dec 2025).
        query = {_FILTERS[kind]: record_id, "fromDate": since.isoformat(), "sort": "-id"}
        ids: list[str] = []
        async for items, _ in walk(self._account, route, query):
            hits = understood(partial(_hits, items), what="a list", write=False)
            ids += (hit.id for hit in hits if hit.type != CREDIT_NOTE)
        return tuple(sorted(ids, key=_newest_first))

    async def _read(self, route: str, id_: str) -> Answer | None:
        try:
            return await self._account.send_here(Call("GET", route, {"id": id_}))
        except NotFound:
            return None


class ContaSystem:
    """Be a ``BooksSystem``: what is not bound to one organization."""

    name = NAME
    demands = DEMANDS

    def __init__(
        self,
        transport: Transport,
        *,
        app_url: str,
        registration_source: str = "TIMERABBIT",
        modified_filter: bool = True,
        draft_timeout_seconds: float = 60.0,
    ) -> None:
        self._transport = transport
        self._app_url = app_url.rstrip("/")
        self._registration_source = registration_source
        self._modified_filter = modified_filter
        self._draft_timeout_seconds = draft_timeout_seconds

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        *,
        observe: Observe = ignore_call,
        clock: Clock = system_clock,
        transport: httpx.AsyncBaseTransport | None = None,
        share: float = 1.0,
    ) -> Self:
        """
        Build the system.

        Args:
            transport: Stands in for the network in tests.
            share: The part of a link's pace that this process may use.

        """
        pace = settings.conta_calls_per_second * share
        options = TransportOptions(
            timeout_seconds=settings.outgoing_timeout_seconds,
            calls_per_second=pace,
            burst=max(1, round(pace)),
            observe=observe,
            clock=clock,
        )
        base_url = settings.conta_url.rstrip("/")
        return cls(
            Transport(NAME, base_url, classify=classify, options=options, network=transport),
            app_url=settings.conta_app_url,
            registration_source=settings.conta_registration_source,
            modified_filter=settings.conta_modified_filter,
            draft_timeout_seconds=settings.draft_timeout_seconds,
        )

    def open(self, account_id: str, key: str, *, pace_key: str) -> ContaClient:
        """Bind to one organization with its key; nothing is called yet."""
        return ContaClient(
            Account(self._transport, account_id, key, pace_key=pace_key),
            modified_filter=self._modified_filter,
            registration_source=self._registration_source,
            draft_timeout_seconds=self._draft_timeout_seconds,
        )

    def draft_page(self, account_id: str) -> str:
        """
        Give the address of the organization's invoices, for people.

        Only the address of one invoice is known, ``/faktura/{org}/fakturaer/{id}`` (likely; facts
        of 2026-11); this is its parent, where the list of drafts is one click away.
        """
        return f"{self._app_url}/faktura/{quote(account_id, safe='')}/fakturaer"

    def read_webhook(self, body: bytes) -> Notice:
        """Parse a verified body, purely."""
        return read_notice(body)

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()


def _draft(answer: Answer) -> RemoteDraft:
    return draft_from(wire.Draft.model_validate(read_json(answer.body)))


def _hits(items: tuple[object, ...]) -> list[wire.DraftHit]:
    return [wire.DraftHit.model_validate(item) for item in items]


def _newest_first(id_: str) -> tuple[int, str]:
    return (-int(id_), "") if id_.isdecimal() else (0, id_)

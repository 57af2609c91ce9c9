"""Stand in for Timerabbit.

The contract we propose, OAuth, webhooks, a person in its app, faults.
"""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.sandbox.clock import Clock
from app.sandbox.contract import ContractMiddleware
from app.sandbox.faults import FaultMiddleware
from app.sandbox.openapi import contract_of
from app.sandbox.seeds import SeedWorld, demo
from app.sandbox.timerabbit import account, entries, hooks, records, transfers
from app.sandbox.timerabbit.calls import Answer, Gate
from app.sandbox.timerabbit.control import Control
from app.sandbox.timerabbit.hooks import Hooks
from app.sandbox.timerabbit.oauth import OAuth
from app.sandbox.timerabbit.page import Page
from app.sandbox.timerabbit.problems import Refusal
from app.sandbox.timerabbit.store import Client, Seen, Store

__all__ = ["Client", "create_twin"]

PREFIX = "/integration/v1"
DEFAULT_CLIENTS = (Client("timerabbit-conta", "sandbox-secret"),)


def create_twin(
    *,
    base_url: str = "http://timerabbit.test",
    clock: Clock | None = None,
    seed: SeedWorld | None = None,
    clients: Sequence[Client] = DEFAULT_CLIENTS,
    webhook_transport: httpx.AsyncBaseTransport | None = None,
) -> Starlette:
    """
    Make a twin of Timerabbit; ``app.state.twin`` is its store, ``app.state.hooks`` its webhooks.

    Without a seed it holds the demo world. ``webhook_transport`` carries its webhooks in process.
    """
    clock = clock or Clock()
    contract = contract_of("timerabbit", PREFIX)
    store = Store(base_url=base_url, clock=clock, contract=contract)
    store.clients = {client.id: client for client in clients}
    store.load(seed or demo(clock.now().date()))
    sender, oauth = Hooks(store, webhook_transport), OAuth(store)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await sender.close()

    async def jwks(_request: Request) -> Response:
        return JSONResponse(store.issuer.jwks())

    app = Starlette(
        routes=[
            *_api_routes(store, sender),
            *oauth.routes(),
            Route("/.well-known/jwks.json", jwks),
            *Control(store, sender, oauth).routes(),
            *Page(store).routes(),
        ],
        middleware=[
            Middleware(_SeenMiddleware, store=store),
            Middleware(ContractMiddleware, contract=contract, record=store.violations),
            Middleware(FaultMiddleware, board=store.board, page=_fault_page),
        ],
        exception_handlers={Refusal: _refused, HTTPException: _unknown},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.twin = store
    app.state.hooks = sender
    app.state.served_at = store.served_at
    return app


def _api_routes(store: Store, sender: Hooks) -> list[Route]:
    gate = Gate(store)
    transfer, subscription = "/invoice-transfers/{transferId}", "/webhook-subscriptions"
    one = f"{subscription}/{{subscriptionId}}"
    table: dict[str, dict[str, Answer]] = {
        "/handovers": {"POST": account.create_handover},
        "/handovers/{handoverId}": {
            "GET": account.read_handover,
            "DELETE": account.cancel_handover,
        },
        "/ping": {"GET": account.ping},
        "/links/conta": {
            "GET": account.read_link,
            "PUT": account.put_link,
            "DELETE": account.delete_link,
        },
        "/company": {"GET": account.read_company},
        "/settings": {"GET": account.read_settings},
        "/overtime-types": {"GET": account.overtime_types},
        "/customers": {"GET": records.list_customers, "POST": records.create_customer},
        "/customers/{customerId}": {
            "GET": records.read_customer,
            "PATCH": records.update_customer,
        },
        "/projects": {"GET": records.list_projects, "POST": records.create_project},
        "/projects/{projectId}": {"GET": records.read_project, "PATCH": records.update_project},
        "/employees": {"GET": records.list_employees},
        "/employees/{employeeId}": {"GET": records.read_employee},
        "/time-entries": {"GET": entries.list_entries},
        "/time-entries/batch-get": {"POST": entries.batch_get},
        "/time-entries/invoice-status": {"POST": entries.set_status},
        "/time-entries/{timeEntryId}": {"GET": entries.read_entry},
        "/invoice-transfers": {"GET": transfers.list_transfers, "POST": transfers.reserve},
        transfer: {"GET": transfers.read_transfer, "PATCH": transfers.patch},
        f"{transfer}/complete": {"POST": transfers.complete},
        f"{transfer}/release": {"POST": transfers.release},
        subscription: {"GET": hooks.list_all, "POST": hooks.create},
        one: {"GET": hooks.read, "PATCH": hooks.update, "DELETE": hooks.delete},
        f"{one}/rotate-secret": {"POST": hooks.rotate},
        f"{one}/test": {"POST": hooks.tester(sender)},
    }

    def route(path: str, answers: dict[str, Answer]) -> Route:
        async def endpoint(request: Request) -> Response:
            method = "GET" if request.method == "HEAD" else request.method
            return await gate.answer(request, answers[method])

        return Route(PREFIX + path, endpoint, methods=list(answers))

    return [route(path, answers) for path, answers in table.items()]


class _SeenMiddleware:
    """Note each call of the public API and how it was answered."""

    def __init__(self, app: ASGIApp, store: Store) -> None:
        self._app = app
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith((PREFIX, "/oauth")):
            await self._app(scope, receive, send)
            return
        status = 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            at = self._store.clock.now()
            self._store.requests.append(Seen(scope["method"], scope["path"], status, at))


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)  # noqa: S101 - registered for this class only
    return _problem(error)


async def _unknown(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    code = "method_not_allowed" if error.status_code == 405 else "not_found"
    return _problem(Refusal(code), error.headers)


def _problem(refusal: Refusal, headers: object = None) -> Response:
    more = dict(headers) if isinstance(headers, dict) else {}
    return JSONResponse(
        refusal.body, refusal.status, headers=more, media_type="application/problem+json"
    )


def _fault_page(status: int) -> tuple[str, bytes]:
    body = {"type": "about:blank", "title": "Fault", "status": status, "code": "fault"}
    return "application/problem+json", json.dumps(body).encode()

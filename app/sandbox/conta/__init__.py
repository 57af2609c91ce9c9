"""Stand in for Conta: its public API with its quirks, a person in its web app, faults on demand."""

from collections.abc import AsyncIterator
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
from app.sandbox.conta.app_control import AppControl
from app.sandbox.conta.control import Control
from app.sandbox.conta.errors import Refusal
from app.sandbox.conta.hooks import Sender
from app.sandbox.conta.money import as_json
from app.sandbox.conta.page import WEB_APP, Page
from app.sandbox.conta.routes import api_routes
from app.sandbox.conta.store import Seen, Store
from app.sandbox.contract import ContractMiddleware
from app.sandbox.faults import FaultMiddleware
from app.sandbox.openapi import contract_of
from app.sandbox.seeds import SeedWorld, demo

__all__ = ["create_twin"]


def create_twin(
    *,
    base_url: str = "http://conta.test",
    clock: Clock | None = None,
    seed: SeedWorld | None = None,
    webhook_transport: httpx.AsyncBaseTransport | None = None,
) -> Starlette:
    """
    Make a twin of Conta; ``app.state.twin`` is its store, ``app.state.sender`` its webhooks.

    Without a seed it holds the demo world. ``webhook_transport`` carries its webhooks in process.
    """
    clock = clock or Clock()
    store = Store(base_url=base_url, clock=clock, contract=contract_of("conta"))
    store.load(seed or demo(clock.now().date()))
    sender = Sender(store, webhook_transport)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await sender.close()

    async def jwks(_request: Request) -> Response:
        return JSONResponse(store.issuer.jwks())

    app = Starlette(
        routes=[
            *api_routes(store),
            Route("/.well-known/jwks.json", jwks),
            *Control(store, sender).routes(),
            *AppControl(store).routes(),
            *Page(store).routes(),
        ],
        middleware=[
            Middleware(_SeenMiddleware, store=store),
            Middleware(ContractMiddleware, contract=store.contract, record=store.violations),
            Middleware(FaultMiddleware, board=store.board, page=_fault_page),
        ],
        exception_handlers={Refusal: _refused, HTTPException: _unknown},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.twin = store
    app.state.sender = sender
    app.state.served_at = store.served_at
    return app


class _SeenMiddleware:
    """Note each call of the public API and how it was answered."""

    def __init__(self, app: ASGIApp, store: Store) -> None:
        self._app = app
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or path == "/" or path.startswith(("/_", *WEB_APP)):
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
    return Response(as_json(error.body), error.status, media_type="application/json")


async def _unknown(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    name = "UrlMethodNotFoundException" if error.status_code == 405 else "UrlNotFoundException"
    body = {"category": "API", "name": name}
    return JSONResponse(body, error.status_code, headers=error.headers)


def _fault_page(status: int) -> tuple[str, bytes]:
    name = "MaintenanceException" if status == 503 else "SystemException"
    return "application/json", as_json({"category": "SYSTEM", "name": name})

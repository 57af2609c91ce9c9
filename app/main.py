"""Put the web application together: routers, problem handlers, lifespan; nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, Final

from fastapi import APIRouter, FastAPI

from app.access import routes as access_routes
from app.access.jwks import KeySets
from app.changes import routes as changes_routes
from app.edge import Edge
from app.failures import install_handlers
from app.first_sync import routes as first_sync_routes
from app.first_sync.sheet_routes import SHEET_PATH
from app.invoicing import routes as invoicing_routes
from app.invoicing.words import codes_inside
from app.links import routes as links_routes
from app.pages import documentation, health
from app.pages.refusals import install_framework_handlers, install_system_handlers
from app.pages.telling import DESCRIPTION, TAGS, describe, observe_requests
from app.records import routes as records_routes
from app.runtime import Runtime
from app.sync import hand_routes
from app.sync import routes as sync_routes
from app.webhooks import routes as webhooks_routes

ROUTERS: Final = (
    links_routes.router,
    records_routes.router,
    first_sync_routes.router,
    sync_routes.router,
    hand_routes.router,
    changes_routes.router,
    invoicing_routes.router,
    access_routes.router,
    webhooks_routes.router,
)
"""In the order of the story that the documentation tells."""

_FACTS: Final[dict[str, Any]] = {
    "title": "Timerabbit–Conta link service",
    "version": "1",
    "summary": "Customers and projects equal on both sides; each hour on one draft, to the øre.",
    "description": DESCRIPTION,
    "openapi_tags": TAGS,
    "docs_url": None,
    "redoc_url": None,
    "openapi_url": "/openapi.json",
}


@cache
def service_document() -> dict[str, Any]:
    """Give the OpenAPI document of the service; it depends on no setting."""
    app = FastAPI(**_FACTS)
    for router in ROUTERS:
        app.include_router(router)
    describe(app)
    return app.openapi()


@cache
def _included() -> APIRouter:
    """Include all routers, once in a process: no route knows settings or runtime.

    FastAPI works a route's dependencies out for each inclusion anew, which costs 0.1 s for all.
    """
    whole = APIRouter()
    # Each route that is tried before the right one costs 5 µs, so the busiest comes first.
    for router in (webhooks_routes.router, *ROUTERS[:-1], documentation.router, health.router):
        whole.include_router(router)
    return whole


def create_app(runtime: Runtime) -> FastAPI:
    """Build the application around a runtime; the runtime is closed when the application ends."""
    included = _included()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # The queue is not opened: jobs are deferred in the callers' own transactions, and its pool
        # would end a service whose database is away for the first half minute.
        async with included.lifespan_context(app):
            yield
        await app.state.key_sets.close()
        await runtime.close()

    # A path with a slash too many is another path; the framework would send a caller to whatever
    # address its Host header names.
    app = FastAPI(**_FACTS, lifespan=lifespan, redirect_slashes=False)
    app.state.runtime = runtime
    app.state.public_url = runtime.settings.public_url.rstrip("/")
    app.state.key_sets = KeySets.from_settings(runtime.settings)
    install_handlers(app)
    install_system_handlers(app)
    install_framework_handlers(app)
    app.router.routes.extend(included.routes)
    describe(app)
    documentation.mount_assets(app)
    app.state.codes_inside = codes_inside()
    app.add_middleware(observe_requests(runtime.metrics))
    app.add_middleware(
        Edge,
        max_body_bytes=runtime.settings.max_body_bytes,
        body_timeout_seconds=runtime.settings.body_timeout_seconds,
        larger={SHEET_PATH: runtime.settings.max_sheet_bytes},
    )
    return app

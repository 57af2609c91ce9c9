"""Put the web application together: routers, problem handlers, lifespan; nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app.access import routes as access_routes
from app.changes import routes as changes_routes
from app.edge import Edge
from app.first_sync import routes as first_sync_routes
from app.invoicing import routes as invoicing_routes
from app.links import routes as links_routes
from app.problems import install_handlers
from app.runtime import Runtime
from app.sync import routes as sync_routes
from app.webhooks import routes as webhooks_routes

ROUTERS = (
    links_routes.router,
    first_sync_routes.router,
    sync_routes.router,
    changes_routes.router,
    invoicing_routes.router,
    access_routes.router,
    webhooks_routes.router,
)
"""In the order of the story that the documentation tells."""


def create_app(runtime: Runtime) -> FastAPI:
    """Build the application around a runtime; the runtime is closed when the application ends."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:  # noqa: ARG001 - FastAPI hands it in
        async with runtime.queue.open_async():
            yield
        await runtime.close()

    app = FastAPI(title="Timerabbit–Conta link service", lifespan=lifespan)
    app.state.runtime = runtime
    app.state.public_url = runtime.settings.public_url.rstrip("/")
    install_handlers(app)
    for router in ROUTERS:
        app.include_router(router)
    app.add_middleware(
        Edge,
        max_body_bytes=runtime.settings.max_body_bytes,
        body_timeout_seconds=runtime.settings.body_timeout_seconds,
    )
    return app

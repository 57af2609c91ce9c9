"""Two applications of one process share their routes and nothing else."""

from types import SimpleNamespace

import httpx
from fastapi import FastAPI

from app.main import create_app
from app.runtime import Runtime


async def status(app: FastAPI, path: str) -> int:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://link.test") as client:
        return (await client.get(path)).status_code


async def test_a_route_of_one_app_is_not_there_in_another(runtime: Runtime) -> None:
    first, second = create_app(runtime), create_app(runtime)

    @first.get("/own")
    async def own() -> None:
        """Answer."""

    assert [await status(app, "/own") for app in (first, second)] == [200, 404]
    assert [await status(app, "/health/live") for app in (first, second)] == [200, 200]
    assert first.state is not second.state


async def test_the_routers_own_end_comes_with_the_apps(runtime: Runtime) -> None:
    """The webhooks' intake is closed when the application ends."""
    closed: list[str] = []

    async def close() -> None:
        closed.append("intake")

    app = create_app(runtime)
    async with app.router.lifespan_context(app):
        app.state.webhook_desk = SimpleNamespace(intake=SimpleNamespace(close=close))

    assert closed == ["intake"]

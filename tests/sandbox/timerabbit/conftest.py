"""Give tests a twin of Timerabbit in process, its store, and clients that may call it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from app.sandbox.clock import Clock
from app.sandbox.timerabbit import create_twin
from app.sandbox.timerabbit.hooks import Habits
from app.sandbox.timerabbit.oauth import OAuth
from app.sandbox.timerabbit.store import Company, Store

API = "/integration/v1"


class StandingClock(Clock):
    """Stand still until a test moves it."""

    def __init__(self) -> None:
        super().__init__()
        self.instant = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.instant + self._offset


@pytest.fixture
def time() -> StandingClock:
    return StandingClock()


@pytest.fixture
def twin(time: StandingClock) -> Starlette:
    made = create_twin(clock=time)
    made.state.hooks.habits["cmp_1"] = Habits("off")
    return made


@pytest.fixture
def store(twin: Starlette) -> Store:
    store: Store = twin.state.twin
    return store


@pytest.fixture
def own(store: Store) -> Company:
    return store.companies["cmp_1"]


@pytest.fixture
async def api(twin: Starlette, store: Store) -> AsyncIterator[httpx.AsyncClient]:
    """Our service with access to company 1; each answer must be true to the contract."""
    access = OAuth(store).grant("timerabbit-conta", "cmp_1", family="test")["access_token"]
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(twin),
        base_url=f"http://timerabbit.test{API}",
        headers={"Authorization": f"Bearer {access}"},
    ) as client:
        yield client
    assert list(store.violations.answers) == []


@pytest.fixture
async def browser(twin: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """A person's browser, and our service's calls without access to a company."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(twin), base_url="http://timerabbit.test"
    ) as client:
        yield client


Control = Callable[..., Awaitable[Any]]


@pytest.fixture
def control(browser: httpx.AsyncClient) -> Control:
    """Play a person in Timerabbit's app, or move what surrounds it."""

    async def call(method: str, path: str, body: object = None, *, status: int = 200) -> Any:
        answer = await browser.request(method, f"/_control{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    return call


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Give status and code of a problem, whose form is checked."""
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    return answer.status_code, str(body["code"])

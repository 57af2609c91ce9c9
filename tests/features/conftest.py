"""Give features both twins in process, a runtime over the real database, and a caller's client."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from starlette.applications import Starlette

from app.access.jwks import KeySets
from app.bootstrap import build_runtime
from app.canonical import LinkId
from app.clock import Clock
from app.main import create_app
from app.queue import Job
from app.runtime import Runtime
from app.sandbox.conta import create_twin as create_conta
from app.sandbox.enhetsregisteret import PREFIX
from app.sandbox.enhetsregisteret import create_twin as create_register
from app.sandbox.seeds import SeedWorld, demo
from app.sandbox.timerabbit import create_twin as create_timerabbit
from app.settings import Settings
from app.systems.breaker import Breakers
from app.worker import JOBS, wake_all
from tests.contracts import refuse_violations
from tests.worlds import BEGIN, Keeper, Shelf

CONTA = "http://conta.test"
TIMERABBIT = "http://timerabbit.test"
SERVICE = "http://link.test"
RETURN_URL = f"{CONTA}/tilbake"


class TwinClock:
    """Let a twin tell the test's time."""

    def __init__(self, clock: Callable[[], Any]) -> None:
        self._clock = clock

    def now(self) -> Any:
        return self._clock()

    def advance(self, seconds: float) -> None:
        raise NotImplementedError("move the test's clock instead")


@dataclass
class Twins:
    """Hold both twins and speak to their control calls."""

    conta: Starlette
    timerabbit: Starlette
    register: Starlette

    async def control(self, system: str, method: str, path: str, body: object = None) -> Any:
        app = self.conta if system == "conta" else self.timerabbit
        base = CONTA if system == "conta" else TIMERABBIT
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url=base
        ) as client:
            answer = await client.request(method, f"/_control{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def books(self, organization: int = 1001) -> dict[str, Any]:
        """Read an organization as Conta's own store has it."""
        state = await self.control("conta", "GET", "/state")
        found: dict[str, Any] = next(o for o in state["organizations"] if o["id"] == organization)
        return found

    async def time(self, company: str = "cmp_1") -> dict[str, Any]:
        """Read a company as Timerabbit's own store has it."""
        state = await self.control("timerabbit", "GET", "/state")
        found: dict[str, Any] = next(c for c in state["companies"] if c["id"] == company)
        return found

    async def token(self, system: str, account: str, role: str = "administrator") -> str:
        body = {"subject": f"kari@{account}", "accounts": [account], "role": role}
        answer = await self.control(system, "POST", "/tokens", body)
        return str(answer["token"])


@pytest.fixture
def world() -> SeedWorld:
    return demo(BEGIN.date())


_ISSUER_KEYS: dict[str, Any] = {}


def _sign_alike(*twins: Starlette) -> None:
    """Let the twins of all tests have one key each: tokens of a world made before stay true."""
    for twin in twins:
        issuer = twin.state.twin.issuer
        issuer._key = _ISSUER_KEYS.setdefault(issuer.key_id, issuer._key)


@pytest.fixture
async def twins(clock: Clock, world: SeedWorld) -> AsyncIterator[Twins]:
    """Both twins on the test's clock; every call of ours must have obeyed their contracts."""
    told: Any = TwinClock(clock)
    conta = create_conta(base_url=CONTA, clock=told, seed=world)
    timerabbit = create_timerabbit(base_url=TIMERABBIT, clock=told, seed=world)
    _sign_alike(conta, timerabbit)
    timerabbit.state.hooks.habits["cmp_1"] = type("Off", (), {"mode": "off", "seconds": 0})()
    yield Twins(conta, timerabbit, create_register(seed=world))
    for name, twin in (("conta", conta), ("timerabbit", timerabbit)):
        refuse_violations(name, twin.state.twin.violations.as_json())


@pytest.fixture
def settings(database_url: str) -> Settings:
    issuers = [
        {"issuer": CONTA, "side": "books", "jwks_url": f"{CONTA}/.well-known/jwks.json"},
        {"issuer": TIMERABBIT, "side": "time", "jwks_url": f"{TIMERABBIT}/.well-known/jwks.json"},
    ]
    return Settings.model_validate(
        {
            "database_url": database_url,
            "conta_url": CONTA,
            "conta_app_url": CONTA,
            "timerabbit_url": TIMERABBIT,
            "timerabbit_client_secret": "sandbox-secret",
            "public_url": SERVICE,
            "return_urls": f"{CONTA}/",
            "keyring": "test:" + base64.b64encode(b"k" * 32).decode(),
            "issuers": json.dumps(issuers),
            "conta_calls_per_second": 10_000,
            "timerabbit_calls_per_second": 10_000,
            "database_pool": 10,
            "settle_seconds": 120,
        }
    )


class Switch(httpx.AsyncBaseTransport):
    """Carry calls to the twin whose address they name."""

    def __init__(self, twins: Twins) -> None:
        self._conta = httpx.ASGITransport(app=twins.conta)
        self._timerabbit = httpx.ASGITransport(app=twins.timerabbit)
        self._register = httpx.ASGITransport(app=twins.register)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        chosen = {"conta.test": self._conta, "register.test": self._register}
        return await chosen.get(request.url.host, self._timerabbit).handle_async_request(request)


class Vanishing(httpx.AsyncBaseTransport):
    """Let a customer be deleted in Conta between our reading and our writing of it."""

    def __init__(self, twins: Twins, network: Switch, record_id: str) -> None:
        self._twins, self._conta, self._id = twins, network._conta, record_id

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PUT" and request.url.path.endswith(f"/customers/{self._id}"):
            path = f"/organizations/1001/customers/{self._id}/delete"
            await self._twins.control("conta", "POST", path)
        return await self._conta.handle_async_request(request)


@pytest.fixture
def network(twins: Twins) -> Switch:
    """The network of a process that reaches the twins only."""
    return Switch(twins)


@pytest.fixture
async def runtime(settings: Settings, clock: Clock, network: Switch) -> AsyncIterator[Runtime]:
    built = build_runtime(
        settings,
        clock=clock,
        conta_transport=network,
        timerabbit_transport=network,
        register_transport=network,
    )
    yield built
    await built.close()


def forget_patience(runtime: Runtime) -> None:
    """Let both sides be called at once: paces and breakers tell the machine's time, no test's."""
    for side in (runtime.systems.books, runtime.systems.time):
        transport: Any = side
        transport._transport._paces._pace_by_key.clear()
        transport._transport._breakers = Breakers(time.monotonic)


@pytest.fixture
async def app(runtime: Runtime, twins: Twins) -> AsyncIterator[FastAPI]:
    made = create_app(runtime)
    made.state.key_sets = KeySets.from_settings(runtime.settings, network=Switch(twins))
    async with runtime.queue.open_async():
        yield made
    await made.state.key_sets.close()


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A caller without a token; failures of ours come as answers, as they would over the wire."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=SERVICE) as opened:
        yield opened


@dataclass
class Linked:
    """Hold a connected link and the headers of both sides' administrators."""

    link_id: LinkId
    books: dict[str, str]
    time: dict[str, str]
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/v1/links/{self.link_id}"


async def bearer(
    twins: Twins, system: str, account: str, role: str = "administrator"
) -> dict[str, str]:
    return {"Authorization": f"Bearer {await twins.token(system, account, role)}"}


async def connect(
    client: httpx.AsyncClient, twins: Twins, *, organization: str, company: str, key: str
) -> Linked:
    """Connect two accounts as two people would, through the API only."""
    books = await bearer(twins, "conta", organization)
    time = await bearer(twins, "timerabbit", company)
    facts = await twins.time(company)
    started = await client.post(
        "/v1/links",
        headers={**books, "Idempotency-Key": f"start-{organization}"},
        json={
            "contaOrganizationId": organization,
            "organizationNumber": facts["organizationNumber"],
            "name": facts["name"],
            "returnUrl": RETURN_URL,
        },
    )
    assert started.status_code in (200, 201), started.text
    link_id = started.json()["link"]["id"]
    went = await twins.control(
        "timerabbit", "POST", "/consent",
        {"handoverUrl": started.json()["handoverUrl"], "login": company},
    )  # fmt: skip
    query = {k: v[0] for k, v in parse_qs(urlsplit(went["redirect"]).query).items()}
    came = await client.post(
        f"/v1/links/{link_id}/handover",
        headers=books,
        json={name: query[name] for name in ("code", "state", "iss")},
    )
    assert came.status_code == 200, came.text
    kept = await client.put(f"/v1/links/{link_id}/conta-key", headers=books, json={"key": key})
    assert kept.status_code == 200, kept.text
    from uuid import UUID

    return Linked(LinkId(UUID(link_id)), books, time)


@pytest.fixture
def keeper(shelf: Shelf, twins: Twins, clock: Clock, settings: Settings) -> Keeper:
    """Make a set-up, or put it back where one that began alike was made before."""
    return Keeper(shelf, twins, clock, settings)


@pytest.fixture
async def reviewing(client: httpx.AsyncClient, twins: Twins, keeper: Keeper) -> Linked:
    """The demo's two accounts, connected, before the first sync."""

    async def make() -> Linked:
        return await connect(
            client, twins, organization="1001", company="cmp_1", key="conta-demo-key"
        )

    return await keeper.make("reviewing", make)


@pytest.fixture
def work(runtime: Runtime, app: FastAPI) -> Callable[[], Awaitable[int]]:
    """Run all waiting jobs, one after another, until nothing is due now; gives how many ran."""

    async def run() -> int:
        done = 0
        while done < 500:
            job = await _next_job(runtime)
            if job is None:
                await wake_all(runtime)
                job = await _next_job(runtime)
            if job is None:
                return done
            name, arguments = job
            link_id = LinkId(arguments.pop("link_id"))
            await JOBS[Job(name)](runtime, link_id, **arguments)
            done += 1
        raise AssertionError("jobs do not come to rest")

    return run


async def _next_job(runtime: Runtime) -> tuple[str, dict[str, Any]] | None:
    from uuid import UUID

    async with runtime.database.engine.begin() as connection:
        row = (
            await connection.execute(
                text(
                    "DELETE FROM procrastinate_jobs WHERE id = (SELECT id FROM procrastinate_jobs"
                    " WHERE status = 'todo' ORDER BY id LIMIT 1) RETURNING task_name, args"
                )
            )
        ).first()
    if row is None:
        return None
    arguments = dict(row.args)
    arguments["link_id"] = UUID(arguments["link_id"])
    return str(row.task_name), arguments


@pytest.fixture
async def linked(reviewing: Linked, runtime: Runtime, work: Callable[[], Awaitable[int]]) -> Linked:
    """An active link without any pair: the first sync is passed over."""
    from app.database import CommitPoint
    from app.links.change_state import activate

    async with runtime.database.transaction(CommitPoint.PLAIN, reviewing.link_id) as session:
        await activate(session, reviewing.link_id, now=runtime.clock())
    await asyncio.sleep(0)
    return reviewing


async def first_sync(
    client: httpx.AsyncClient, link: Linked, work: Callable[[], Awaitable[int]]
) -> dict[str, Any]:
    """Review and confirm as a person would: fix nothing, create what is asked, carry it out."""
    started = await client.post(f"{link.path}/first-sync", headers=link.books)
    assert started.status_code == 202, started.text
    await work()
    plan = (await client.get(f"{link.path}/first-sync", headers=link.books)).json()
    assert plan["state"] == "open", plan
    answered = await client.post(
        f"{link.path}/first-sync/answers",
        headers=link.books,
        json={"filter": {"deed": "ask"}, "answer": "leave_out"},
    )
    assert answered.status_code == 200, answered.text
    confirmed = await client.post(
        f"{link.path}/first-sync/confirm",
        headers={**link.books, "Idempotency-Key": "confirm-1"},
    )
    assert confirmed.status_code == 202, confirmed.text
    await work()
    run: dict[str, Any] = (
        await client.get(confirmed.headers["location"], headers=link.books)
    ).json()
    assert run["state"] == "done", run
    return run


@pytest.fixture
async def synced(
    client: httpx.AsyncClient,
    reviewing: Linked,
    work: Callable[[], Awaitable[int]],
    keeper: Keeper,
) -> Linked:
    """The demo's link after its first sync, active and in step."""

    async def make() -> dict[str, Any]:
        return await first_sync(client, reviewing, work)

    reviewing.more["run"] = await keeper.make("synced", make)
    return reviewing


def asking_the_register(settings: Settings) -> Settings:
    """Name the register's twin in the settings, and let it be asked without a pause."""
    return settings.model_copy(
        update={
            "enhetsregisteret_url": f"http://register.test{PREFIX}",
            "enhetsregisteret_calls_per_second": 1000.0,
        }
    )


@pytest.fixture
def register(twins: Twins) -> Any:
    """Give the register's twin, to say what it knows and how it fails."""
    return twins.register.state.twin

"""Hold a company with many hours of one customer, linked, both twins in this process."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
from sqlalchemy import update
from uuid_utils.compat import uuid7

from app.access.caller import ADMINISTRATOR, Caller
from app.bootstrap import build_runtime
from app.canonical import LinkId, RecordId, RecordKind, Side
from app.database import CommitPoint
from app.links.connect import Wanted, start_link
from app.links.credentials import keep_credential, tokens_as_bytes
from app.links.pairs import make_pair
from app.links.store import DirectoryEntry, Link
from app.runtime import Runtime
from app.sandbox.conta import create_twin as create_conta
from app.sandbox.seeds import demo
from app.sandbox.timerabbit import create_twin as create_timerabbit
from app.sandbox.timerabbit.control import NEW_ENTRY
from app.sandbox.timerabbit.oauth import OAuth
from app.sandbox.timerabbit.store import USER
from app.settings import Settings
from app.systems.own_time import Interval
from app.systems.ports import Tokens
from bench.world import KEYRING, World, make_world

CONTA, TIMERABBIT = "http://conta.test", "http://timerabbit.test"
CUSTOMER = "cus_1"


class _Switch(httpx.AsyncBaseTransport):
    """Carry calls to the twins, and note on the thread's own clock when one was under way."""

    def __init__(self, conta: object, timerabbit: object) -> None:
        self.ran: list[Interval] = []
        self._conta = httpx.ASGITransport(app=conta)  # type: ignore[arg-type]
        self._timerabbit = httpx.ASGITransport(app=timerabbit)  # type: ignore[arg-type]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        chosen = self._conta if request.url.host == "conta.test" else self._timerabbit
        started = time.thread_time()
        try:
            return await chosen.handle_async_request(request)
        finally:
            self.ran.append((started, time.thread_time()))


@dataclass(frozen=True, slots=True)
class Company:
    """
    Hold the runtime and the link of a company with hours, over a database of its own.

    Args:
        processor_in_calls: When calls to the twins ran, in seconds of ``time.thread_time``.

    """

    runtime: Runtime
    link_id: LinkId
    world: World
    processor_in_calls: list[Interval]


@asynccontextmanager
async def company(entries: int) -> AsyncIterator[Company]:
    """Make a company with this many billable hours of one customer."""
    world = make_world(Path(".data") / "bench", links=1, pairs=1, first=1)
    today = datetime.now(UTC).date()
    conta = create_conta(base_url=CONTA, seed=demo(today))
    twin = create_timerabbit(base_url=TIMERABBIT, seed=demo(today))
    network = _Switch(conta, twin)
    store = twin.state.twin
    own = store.companies["cmp_1"]
    day = datetime.now(UTC).date().isoformat()
    for number in range(entries):
        more = {"date": day, "customerId": CUSTOMER, "minutes": 15 + number % 100}
        store.keep(own.entries, "entries", {**NEW_ENTRY, **more}, USER)
    runtime = build_runtime(
        Settings.model_validate(
            {
                "database_url": world.server.url("tc_service", "bench"), "conta_url": CONTA,
                "timerabbit_url": TIMERABBIT, "timerabbit_client_secret": "sandbox-secret",
                "keyring": KEYRING, "return_urls": f"{CONTA}/",
                "conta_calls_per_second": 100_000, "timerabbit_calls_per_second": 100_000,
            }
        ),
        conta_transport=network, timerabbit_transport=network,
    )  # fmt: skip
    books = str(min(conta.state.twin.organizations[1001].customers))
    grant = OAuth(store).grant("timerabbit-conta", "cmp_1", family="b")
    link_id = await _link(runtime, grant, books)
    yield Company(runtime, link_id, world, network.ran)
    await runtime.close()


async def _link(runtime: Runtime, grant: dict[str, str], books_id: str) -> LinkId:
    caller = Caller(CONTA, "kari", Side.BOOKS, frozenset({str(uuid7())[:8], "1001"}), ADMINISTRATOR)
    link_id, _ = await start_link(
        runtime, caller, Wanted("1001", "923609016", "Bench", f"{CONTA}/tilbake")
    )
    now = runtime.clock()
    tokens = Tokens(grant["access_token"], None, datetime(2099, 1, 1, tzinfo=UTC))
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        for side, secret in (
            (Side.TIME, tokens_as_bytes(tokens)), (Side.BOOKS, b"conta-demo-key"),
        ):  # fmt: skip
            await keep_credential(session, runtime.vault, link_id, side, secret, now=now)
        await session.execute(update(Link).values(time_account="cmp_1", state="active"))
        await session.execute(
            update(DirectoryEntry)
            .where(DirectoryEntry.link_id == link_id)
            .values(time_account="cmp_1", state="active")
        )
        await make_pair(
            session, link_id, RecordKind.CUSTOMER, time_id=RecordId(CUSTOMER),
            books_id=RecordId(books_id), base={}, origin="matched", now=now,
        )  # fmt: skip
    return link_id

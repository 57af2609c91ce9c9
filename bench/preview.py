"""Measure a preview's own time: wall time less the time in which a call to another system ran."""

import time
from datetime import UTC, datetime

import httpx
from sqlalchemy import update
from uuid_utils.compat import uuid7

from app.access.caller import ADMINISTRATOR, Caller
from app.bootstrap import build_runtime
from app.canonical import LinkId, RecordId, RecordKind, Side
from app.database import CommitPoint
from app.invoicing.lines import Grouping
from app.invoicing.preview import make_preview
from app.invoicing.wish import Wish
from app.links.connect import Wanted, start_link
from app.links.credentials import keep_credential, tokens_as_bytes
from app.links.pairs import make_pair
from app.links.store import Link
from app.runtime import Runtime
from app.sandbox.conta import create_twin as create_conta
from app.sandbox.seeds import demo
from app.sandbox.timerabbit import create_twin as create_timerabbit
from app.sandbox.timerabbit.control import NEW_ENTRY
from app.sandbox.timerabbit.oauth import OAuth
from app.sandbox.timerabbit.store import USER
from app.settings import Settings
from app.systems.own_time import outgoing_calls, own_seconds
from app.systems.ports import EntryQuery, Tokens
from bench.world import KEYRING, make_world

CONTA, TIMERABBIT = "http://conta.test", "http://timerabbit.test"


class _Switch(httpx.AsyncBaseTransport):
    def __init__(self, conta: object, timerabbit: object) -> None:
        self._conta = httpx.ASGITransport(app=conta)  # type: ignore[arg-type]
        self._timerabbit = httpx.ASGITransport(app=timerabbit)  # type: ignore[arg-type]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        chosen = self._conta if request.url.host == "conta.test" else self._timerabbit
        return await chosen.handle_async_request(request)


async def own_seconds_of_preview(entries: int) -> float:
    """Preview this many entries of one customer once and give the seconds that were ours."""
    from pathlib import Path

    server = make_world(Path(".data") / "bench", links=1, pairs=1, first=1).server
    network = _Switch(
        create_conta(base_url=CONTA, seed=demo()),
        (twin := create_timerabbit(base_url=TIMERABBIT, seed=demo())),
    )
    store = twin.state.twin
    company = store.companies["cmp_1"]
    day = datetime.now(UTC).date().isoformat()
    for number in range(entries):
        more = {"date": day, "customerId": "cus_1", "minutes": 15 + number % 100}
        store.keep(company.entries, "entries", {**NEW_ENTRY, **more}, USER)
    runtime = build_runtime(
        Settings.model_validate(
            {
                "database_url": server.url("tc_service", "bench"), "conta_url": CONTA,
                "timerabbit_url": TIMERABBIT, "keyring": KEYRING, "return_urls": f"{CONTA}/",
            }
        ),
        conta_transport=network, timerabbit_transport=network,
    )  # fmt: skip
    link_id = await _link(runtime, OAuth(store).grant("timerabbit-conta", "cmp_1", family="b"))
    wish = Wish(EntryQuery(customer_id=RecordId("cus_1")), None, Grouping.ENTRY)
    with outgoing_calls() as intervals:
        started = time.perf_counter()
        preview = await make_preview(runtime, link_id, wish)
        ended = time.perf_counter()
    assert len(preview.lines) >= entries
    await runtime.close()
    return own_seconds(started, ended, intervals)


async def _link(runtime: Runtime, grant: dict[str, str]) -> LinkId:
    caller = Caller(CONTA, "kari", Side.BOOKS, frozenset({str(uuid7())[:8], "9001"}), ADMINISTRATOR)
    link_id, _ = await start_link(
        runtime, caller, Wanted("9001", "923609016", "Bench", f"{CONTA}/tilbake")
    )
    now = runtime.clock()
    tokens = Tokens(grant["access_token"], None, datetime(2099, 1, 1, tzinfo=UTC))
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await keep_credential(
            session, runtime.vault, link_id, Side.TIME, tokens_as_bytes(tokens), now=now
        )
        await session.execute(update(Link).values(time_account="cmp_1", state="active"))
        await make_pair(
            session, link_id, RecordKind.CUSTOMER, time_id=RecordId("cus_1"),
            books_id=RecordId("1"), base={}, origin="matched", now=now,
        )  # fmt: skip
    return link_id

"""Prove that faults happen as they say: in process, and under a real server."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from starlette.applications import Starlette

from app.sandbox.clock import Clock
from app.sandbox.conta import create_twin
from app.sandbox.faults import Fault, FaultBoard, FaultKind, fault_of
from app.sandbox.server import LiveTwin
from app.sandbox.timerabbit import create_twin as create_timerabbit

PROJECTS = "/invoice/organizations/1001/projects"
KEY = {"apiKey": "conta-demo-key"}
DISCONNECTED = {
    FaultKind.LOST_ANSWER: httpx.RemoteProtocolError,
    FaultKind.RESET_BEFORE: httpx.ReadError,
}


@pytest.fixture(scope="module")
def live() -> Iterator[LiveTwin]:
    with LiveTwin(create_twin()) as twin:
        yield twin


@pytest.fixture
def app() -> Starlette:
    return create_twin()


def made(app: Starlette, name: str) -> int:
    projects = app.state.twin.organizations[1001].projects.values()
    return sum(kept.data["name"] == name for kept in projects)


async def create(client: httpx.AsyncClient, name: str) -> httpx.Response:
    return await client.post(PROJECTS, json={"name": name}, headers=KEY)


def test_a_fault_counts_down_and_is_gone() -> None:
    """``skip`` lets calls pass first, ``times`` ends it; other calls do not count."""
    board = FaultBoard()
    board.add(Fault(kind=FaultKind.LATENCY, method="post", path="/drafts", times=2, skip=1))

    calls = [("GET", "/drafts"), ("POST", "/x"), *[("POST", "/drafts/1")] * 4]
    taken = [board.take(method, path) is not None for method, path in calls]

    assert taken == [False, False, False, True, True, False]
    assert board.faults == ()
    assert board.counters == {FaultKind.LATENCY: 2}


def test_a_fault_without_end_stays_until_it_is_cleared() -> None:
    """Times None: every fitting call meets it; clearing one leaves the others."""
    board = FaultBoard()
    first = board.add(Fault(kind=FaultKind.HTML_PAGE))
    board.add(Fault(kind=FaultKind.LATENCY))

    kinds = [fault.kind for _ in range(3) if (fault := board.take("GET", "/"))]
    board.clear(first.id)
    after = board.take("GET", "/")
    board.clear()

    assert kinds == [FaultKind.HTML_PAGE] * 3
    assert after is not None
    assert after.kind is FaultKind.LATENCY
    assert board.take("GET", "/") is None


@pytest.mark.parametrize("kind", list(FaultKind))
@pytest.mark.parametrize("create", [create_twin, create_timerabbit])
async def test_each_fault_is_set_by_a_control_call_of_either_twin(
    create: Callable[[], Starlette], kind: FaultKind
) -> None:
    """A test, or a person, can break a running twin in every way it knows."""
    twin = create()
    transport = httpx.ASGITransport(twin)
    async with httpx.AsyncClient(transport=transport, base_url="http://twin.test") as person:
        set_ = await person.post("/_control/faults", json={"kind": kind, "times": 1})
        board = (await person.get("/_control/faults")).json()
        await person.delete("/_control/faults")

    assert set_.status_code == 200
    assert [fault["kind"] for fault in board["faults"]] == [kind]
    assert twin.state.twin.board.faults == ()


def test_list_faults_are_left_to_the_twin() -> None:
    """The middleware never takes them; the twin asks by kind."""
    board = FaultBoard()
    board.add(Fault(kind=FaultKind.STALE_LIST, path="/customers", seconds=5, times=1))

    taken = board.take("GET", "/customers")
    elsewhere = board.active(FaultKind.STALE_LIST, path="/projects")
    here = board.active(FaultKind.STALE_LIST, path="/customers")

    assert (taken, elsewhere) == (None, None)
    assert here is not None
    assert board.active(FaultKind.STALE_LIST, path="/customers") is None


@pytest.mark.parametrize("data", [{}, {"kind": "x"}, {"kind": "latency", "when": 1}])
def test_a_fault_that_cannot_be_read_is_an_error(data: dict[str, object]) -> None:
    """A misspelt fault must not be a fault that never happens."""
    with pytest.raises(ValueError, match=r"FaultKind|when"):
        fault_of(data)


@pytest.mark.parametrize("kind", list(DISCONNECTED))
async def test_in_process_a_drop_is_the_clients_transport_error(
    app: Starlette, kind: FaultKind
) -> None:
    """A lost answer has its effect, a reset before has none."""
    app.state.twin.board.add(Fault(kind=kind, times=1))
    transport = httpx.ASGITransport(app)

    async with httpx.AsyncClient(transport=transport, base_url="http://conta.test") as client:
        with pytest.raises(DISCONNECTED[kind]):
            await create(client, "Tapt")

    assert made(app, "Tapt") == (kind is FaultKind.LOST_ANSWER)


@pytest.mark.parametrize("kind", list(DISCONNECTED))
async def test_under_a_real_server_the_connection_is_dropped(
    live: LiveTwin, kind: FaultKind
) -> None:
    """The client sees a disconnect; the effect is there for a lost answer only."""
    name = f"Tapt {kind}"
    async with httpx.AsyncClient(base_url=live.url) as client:
        await client.post("/_control/faults", json={"kind": kind, "times": 1, "path": "/projects"})
        with pytest.raises(DISCONNECTED[kind]):
            await create(client, name)

        found = (await client.get(PROJECTS, params={"q": name}, headers=KEY)).json()

    assert found["hitCount"] == (kind is FaultKind.LOST_ANSWER)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("kind", "effect"), [(FaultKind.STATUS_BEFORE, 0), (FaultKind.STATUS_AFTER, 1)]
)
async def test_a_status_comes_before_or_after_the_effect(
    live: LiveTwin, kind: FaultKind, effect: int, status: int
) -> None:
    """Facts 2 and 9: 429 and 503 with Retry-After, shape SYSTEM, with and without effect."""
    name = f"Avvist {kind} {status}"
    fault = {"kind": kind, "times": 1, "method": "POST", "path": "/projects", "status": status}
    async with httpx.AsyncClient(base_url=live.url) as client:
        await client.post("/_control/faults", json=fault | {"retry_after": 7})
        answer = await create(client, name)
        found = (await client.get(PROJECTS, params={"q": name}, headers=KEY)).json()

    assert (answer.status_code, answer.headers["retry-after"]) == (status, "7")
    assert answer.json()["category"] == "SYSTEM"
    assert found["hitCount"] == effect


async def test_a_broken_body_is_half_an_answer(app: Starlette) -> None:
    """200 after the effect, but the JSON ends in the middle."""
    app.state.twin.board.add(Fault(kind=FaultKind.BROKEN_BODY, times=1))
    transport = httpx.ASGITransport(app)

    async with httpx.AsyncClient(transport=transport, base_url="http://conta.test") as client:
        answer = await create(client, "Halv")

    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        answer.json()
    assert made(app, "Halv") == 1


async def test_an_html_page_has_no_effect(app: Starlette) -> None:
    """200 from a gateway that is not the API."""
    app.state.twin.board.add(Fault(kind=FaultKind.HTML_PAGE, times=1))
    transport = httpx.ASGITransport(app)

    async with httpx.AsyncClient(transport=transport, base_url="http://conta.test") as client:
        answer = await create(client, "Side")

    assert answer.headers["content-type"].startswith("text/html")
    assert made(app, "Side") == 0


async def test_latency_waits_and_then_serves(app: Starlette) -> None:
    """Nothing but the time is different."""
    app.state.twin.board.add(Fault(kind=FaultKind.LATENCY, seconds=0.05, times=1))
    transport = httpx.ASGITransport(app)
    began = time.monotonic()

    async with httpx.AsyncClient(transport=transport, base_url="http://conta.test") as client:
        answer = await create(client, "Sen")

    assert answer.status_code == 200
    assert time.monotonic() - began >= 0.05


async def test_control_calls_and_pages_meet_no_fault(app: Starlette) -> None:
    """Else a fault could not be cleared."""
    app.state.twin.board.add(Fault(kind=FaultKind.STATUS_BEFORE))
    transport = httpx.ASGITransport(app)

    async with httpx.AsyncClient(transport=transport, base_url="http://conta.test") as client:
        page = await client.get("/")
        faults = await client.get("/_control/faults")

    assert (page.status_code, faults.status_code) == (200, 200)


async def test_a_call_that_got_no_answer_is_logged_with_status_zero(app: Starlette) -> None:
    """The request log shows the calls whose answer was lost."""
    app.state.twin.board.add(Fault(kind=FaultKind.LOST_ANSWER, times=1))
    transport = httpx.ASGITransport(app)

    async with httpx.AsyncClient(transport=transport, base_url="http://conta.test") as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await create(client, "Tapt")

    assert [seen.status for seen in app.state.twin.requests] == [0]


def test_a_live_twin_stops_and_knows_its_address() -> None:
    """The issuer is the served address; after the block nobody answers there."""
    app = create_twin()

    with LiveTwin(app) as twin:
        issuer = app.state.twin.issuer.url
        alive = httpx.get(f"{twin.url}/_control/faults").status_code

    assert (issuer, alive) == (twin.url, 200)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{twin.url}/_control/faults")


def test_run_serves_on_a_free_port_and_tells_it() -> None:
    """``ready`` gets the port once calls are answered; an interrupt ends the server."""
    script = (
        "from app.sandbox.conta import create_twin; from app.sandbox.server import run;"
        "run(create_twin(), port=0, ready=lambda port: print(port, flush=True))"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        answer = httpx.get(f"http://127.0.0.1:{port}/invoice/ping", headers=KEY)
        process.send_signal(signal.SIGTERM)
        process.wait(10)

    assert answer.json() == "pong"


def test_the_clock_is_real_time_plus_an_offset() -> None:
    """It can be advanced and set, and runs on."""
    clock = Clock()
    before = clock.now()

    clock.advance(3600)
    later = clock.now()
    clock.set(before)

    assert 3600 <= (later - before).total_seconds() < 3601
    assert 0 <= (clock.now() - before).total_seconds() < 1

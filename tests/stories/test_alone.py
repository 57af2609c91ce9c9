"""Sandbox, migrate, serve and worker start each alone, from the lines of `docs/operating.md`."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from app.demo.processes import Stage, free_port

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("stories")]
ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "operating.md"
PORTS = ("8000", "8081", "8082")
PRODUCT = (sys.executable, "-m", "app.cli")


def _block() -> str:
    """The page's lines, on ports that are free here."""
    found = re.search(
        r"## Each process alone.*?```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    assert found is not None
    block = found[1]
    for port in PORTS:
        block = block.replace(port, str(free_port()))
    return block


def _settings(block: str) -> dict[str, str]:
    """What the page's `export` lines say, as bash reads them."""
    exports = block[block.index("export") : block.index("timerabbit-conta migrate")]
    shown = subprocess.run(
        ["bash", "-euc", exports + "env -0"], capture_output=True, text=True, check=True
    ).stdout
    pairs = (line.partition("=") for line in shown.split("\0") if line.startswith("TC_"))
    return {name: value for name, _, value in pairs}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    block = _block()
    settings = _settings(block) | {"TC_DATA_DIR": str(tmp_path / "data"), "TC_WAKE_SECONDS": "0.5"}
    with Stage(settings, tmp_path / "log") as stage:
        yield stage


def test_each_process_starts_alone_and_ends_on_sigterm(stage: Stage) -> None:
    """Addresses are told, a forgotten `migrate` is named, and all end in time with exit 0."""
    service = stage.environment["TC_PUBLIC_URL"]
    ports = {name: url.rpartition(":")[2] for name, url in stage.environment.items()}
    stage.start_product(
        "sandbox", "sandbox", "--conta-port", ports["TC_CONTA_URL"],
        "--timerabbit-port", ports["TC_TIMERABBIT_URL"],
    )  # fmt: skip
    stage.wait_ready("sandbox", stage.environment["TC_CONTA_URL"])
    stage.start_product("service", "serve", "--port", ports["TC_PUBLIC_URL"])
    _until(lambda: "serving" in stage.log_end("service"))

    unready = httpx.get(f"{service}/health/ready").json()
    stage.start_product("migrate", "migrate").wait(60)
    ready = httpx.get(f"{service}/health/ready").json()
    stage.start_product("worker", "worker", TC_WORKER_METRICS_PORT=(port := str(free_port())))
    stage.wait_ready("worker", f"http://127.0.0.1:{port}/metrics")
    started = time.monotonic()
    codes = {name: stage.end(name) for name in ("worker", "service")}
    took = time.monotonic() - started

    assert unready["faults"] == ["database-not-migrated"]
    assert ready["faults"] == []
    assert "database not migrated" in stage.log_end("service")
    for name in ("TC_CONTA_URL", "TC_TIMERABBIT_URL"):
        assert stage.environment[name] in stage.log_end("sandbox")
    assert service in stage.log_end("service")
    assert codes == {"worker": 0, "service": 0}
    assert took < 10


def test_a_worker_waits_for_a_database_that_is_away(stage: Stage) -> None:
    """It says so, takes nothing for granted, and still ends at once when it is told to."""
    away = f"postgresql://tc_service@127.0.0.1:{free_port()}/none"
    stage.start_product("worker", "worker", TC_DATABASE_URL=away)
    _until(lambda: stage.log_end("worker").count("database away") > 2)

    assert stage.ended() == {}
    assert stage.end("worker") == 0


def test_a_service_stays_unready_while_its_database_is_away(stage: Stage) -> None:
    """It answers at once which fault it is, and does not end by itself: the database may return."""
    away = f"postgresql://tc_service@127.0.0.1:{free_port()}/none"
    service = stage.environment["TC_PUBLIC_URL"]
    stage.start_product(
        "service", "serve", "--port", service.rpartition(":")[2], TC_DATABASE_URL=away
    )
    stage.wait_ready("service", f"{service}/health/live")

    unready = httpx.get(f"{service}/health/ready")

    assert (unready.status_code, unready.json()["faults"]) == (503, ["database-unavailable"])
    assert stage.end("service") == 0


def test_what_is_no_http_is_refused_in_plain_text(stage: Stage) -> None:
    """The HTTP server's own refusal is the one that is no problem document, as the pages say."""
    away = f"postgresql://tc_service@127.0.0.1:{free_port()}/none"
    service = stage.environment["TC_PUBLIC_URL"]
    port = int(service.rpartition(":")[2])
    stage.start_product("service", "serve", "--port", str(port), TC_DATABASE_URL=away)
    stage.wait_ready("service", f"{service}/health/live")

    answers = []
    for framing in (b"no http at all", b"Content-Length: 1\r\nTransfer-Encoding: chunked"):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
            line.sendall(b"POST /v1/links HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n\r\n")
            answers.append(line.recv(1000))

    assert all(answer.startswith(b"HTTP/1.1 400 ") for answer in answers)
    assert all(b"content-type: text/plain" in answer for answer in answers)


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_process_told_to_stop_while_it_starts_ends_cleanly(stage: Stage, command: str) -> None:
    """Nothing was taken yet, so nothing is handed back: exit 0, as at any other time."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        url = f"postgresql://tc_service@127.0.0.1:{silent.getsockname()[1]}/none"
        stage.start_product(command, command, TC_DATABASE_URL=url)
        line, _ = silent.accept()

        with line:
            assert stage.end(command) == 0


def test_a_service_ends_in_time_while_a_body_trickles_in(stage: Stage) -> None:
    """A sender that never ends its request does not hold the process beyond ten seconds."""
    service = stage.environment["TC_PUBLIC_URL"]
    stage.start_product("migrate", "migrate").wait(60)
    stage.start_product("service", "serve", "--port", service.rpartition(":")[2])
    stage.wait_ready("service", f"{service}/health/ready")
    with socket.create_connection(("127.0.0.1", int(service.rpartition(":")[2]))) as line:
        line.sendall(b"POST /v1/webhooks/conta/x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na")
        time.sleep(0.5)

        started = time.monotonic()
        code = stage.end("service")

    assert (code, time.monotonic() - started < 10) == (0, True)


@pytest.mark.parametrize("command", ["serve", "worker"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TC_KEYRING", ""),
        ("TC_KEYRING", "bad"),
        ("TC_ISSUERS", "[]"),
        ("TC_DRAIN_BITE", "many"),
        ("TC_ISSUERS", '[{"issuer": "https://i.example"}]'),
        ("TC_DATABASE_URL", "nonsense"),
        ("TC_DATA_DIR", "/proc/nowhere"),
    ],
)
def test_a_wrong_setting_is_named_and_ends_the_process_with_2(
    command: str, name: str, value: str
) -> None:
    """One line that an operator can act on, and no traceback."""
    settings = _settings(_block()) | {name: value}

    ended = subprocess.run(
        [*PRODUCT, command], env={**os.environ, **settings}, cwd=ROOT,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert ended.returncode == 2
    assert name in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_workers_metrics_are_shown_where_the_operator_says() -> None:
    """Another machine may ask for them; an address that is not this one's is named."""
    port = str(free_port())
    settings = _settings(_block()) | {
        "TC_DATABASE_URL": f"postgresql://tc_service@127.0.0.1:{free_port()}/none",
        "TC_WORKER_METRICS_HOST": "192.0.2.1",
        "TC_WORKER_METRICS_PORT": port,
    }

    ended = subprocess.run(
        [*PRODUCT, "worker"], env={**os.environ, **settings}, cwd=ROOT,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert ended.returncode == 2
    assert f"TC_WORKER_METRICS_PORT: cannot listen on 192.0.2.1:{port}" in ended.stderr


@pytest.mark.parametrize("arguments", [("sandbox", "--seed", "many"), ("sandbox",)])
def test_a_sandbox_that_cannot_start_says_why(arguments: tuple[str, ...]) -> None:
    """A wrong seed, or a port that is taken: exit 2 and a reason."""
    with socket.create_server(("127.0.0.1", 0)) as line:
        port = line.getsockname()[1]
        ended = subprocess.run(
            [*PRODUCT, *arguments, "--conta-port", str(port), "--timerabbit-port", "0"],
            cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


def _until(true: Callable[[], bool], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)

"""A container's check asks what its process answers to, and no more than that."""

import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from app.demo.processes import free_port
from app.healthcheck import Address, address_of, main

METRICS = {"TC_WORKER_METRICS_PORT": "9100"}


@pytest.mark.parametrize(
    ("command", "environment", "address"),
    [
        ("serve", {}, ("127.0.0.1", 8000, "/health/live")),
        ("serve --host 0.0.0.0 --port 80", METRICS, ("127.0.0.1", 80, "/health/live")),
        ("serve --host=:: --port=81 --port 82", {}, ("::1", 82, "/health/live")),
        ("serve --host 10.0.0.7", {}, ("10.0.0.7", 8000, "/health/live")),
        ("worker", METRICS, ("127.0.0.1", 9100, "/metrics")),
        ("worker", METRICS | {"TC_WORKER_METRICS_HOST": "::"}, ("::1", 9100, "/metrics")),
        ("worker", {}, None), ("worker", {"TC_WORKER_METRICS_PORT": ""}, None),
        ("migrate", METRICS, None), ("demo --serve", METRICS, None),
    ],
)  # fmt: skip
def test_each_command_is_asked_where_it_answers(
    command: str, environment: dict[str, str], address: tuple[str, int, str] | None
) -> None:
    """A service at its own port, a worker at its metrics, and others nowhere."""
    words = ["/opt/venv/bin/python", "/opt/venv/bin/timerabbit-conta", *command.split(), ""]

    assert address_of(words, environment) == (None if address is None else Address(*address))


class Live(BaseHTTPRequestHandler):
    """Answer as a service that lives, and 503 at any other path."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health/live" else 503)
        self.end_headers()

    def log_message(self, *_all: object) -> None:
        return


@pytest.fixture
def port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Live)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def checked(*words: str) -> int:
    """Check a process that was started with these words and does nothing."""
    idle = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()", *words]
    pipe = subprocess.PIPE
    with subprocess.Popen(idle, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        process.stdout.readline()  # until then its words may not stand in /proc yet
        try:
            return main(str(process.pid))
        finally:
            process.kill()


def test_the_exit_code_says_whether_the_process_lives(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that answers lives; one that does not, or a worker that answers wrongly, is ill."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("TC_WORKER_METRICS_PORT", str(port))

    assert checked("serve", "--port", str(port)) == 0
    assert checked("serve", "--port", str(free_port())) == 1
    assert checked("worker") == 1
    assert checked("migrate") == 0

"""The sandbox's command line: where each twin answers, or which port it cannot have."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli import main
from app.demo.processes import free_port

ROOT = Path(__file__).parents[2]


def test_a_port_that_is_taken_is_named_and_no_address_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The other twin ends with it: its address would lead nowhere."""
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        line.listen()
        taken = line.getsockname()[1]

        code = main(["sandbox", "--conta-port", str(taken), "--timerabbit-port", "0"])

    told = capsys.readouterr()
    assert (code, told.out) == (2, "")
    assert f"cannot listen on 127.0.0.1:{taken}: Address already in use" in told.err


def test_the_register_tells_of_no_page() -> None:
    """It has none to play a person on."""
    port = free_port()
    sandbox = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "sandbox", "--only", "enhetsregisteret",
         "--enhetsregisteret-port", str(port)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert sandbox.stdout is not None
        told = sandbox.stdout.readline()
    finally:
        sandbox.send_signal(signal.SIGTERM)
        sandbox.communicate(timeout=20)

    assert f"enhetsregisteret (twin) at http://127.0.0.1:{port}  ·  control" in told
    assert "page" not in told

"""Start the product's own processes for the demo and the stories, watch them.

And stop what was started.
"""

import base64
import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

import httpx

READY_SECONDS = 30.0
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What tells the demo to end: Ctrl+C, a supervisor, a closed terminal."""


def free_port() -> int:
    """Find a port that is free on loopback now."""
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        port: int = line.getsockname()[1]
        return port


@dataclass(frozen=True)
class Addresses:
    """Hold where each process of a stage answers."""

    service: str
    conta: str
    timerabbit: str

    @classmethod
    def on_free_ports(cls) -> "Addresses":
        """Take three free ports on loopback."""
        return cls(*(f"http://127.0.0.1:{free_port()}" for _ in range(3)))


def environment(addresses: Addresses, *, data_dir: Path, keyring: str) -> dict[str, str]:
    """Give the settings of a stage.

    Both twins as systems and as issuers of JWTs, one embedded database.
    """
    issuers = [
        {
            "issuer": url,
            "side": side,
            "jwks_url": f"{url}/.well-known/jwks.json",
            "audience": "timerabbit-conta",
            "algorithm": "ES256",
        }
        for url, side in ((addresses.conta, "books"), (addresses.timerabbit, "time"))
    ]
    return {
        "TC_DATA_DIR": str(data_dir),
        "TC_CONTA_URL": addresses.conta,
        "TC_CONTA_APP_URL": addresses.conta,
        "TC_TIMERABBIT_URL": addresses.timerabbit,
        "TC_TIMERABBIT_CLIENT_ID": "timerabbit-conta",
        "TC_TIMERABBIT_CLIENT_SECRET": "sandbox-secret",
        "TC_PUBLIC_URL": addresses.service,
        "TC_RETURN_URLS": f"{addresses.conta}/",
        "TC_KEYRING": keyring,
        "TC_ISSUERS": json.dumps(issuers),
        "TC_CONTA_CALLS_PER_SECOND": "100",
        "TC_TIMERABBIT_CALLS_PER_SECOND": "100",
        "TC_SETTLE_SECONDS": "0.5",
        "TC_INTENT_SETTLE_SECONDS": "0,0.5,1",
        "TC_WAKE_SECONDS": "0.5",
    }


@contextlib.contextmanager
def signals_held(told: Callable[[], None] = lambda: None) -> Iterator[None]:
    """
    Let a signal to end wait until a short deed is done: it would stay half done.

    In the main thread only. What is started meanwhile begins with the system's own handlers.

    Args:
        told: Called at once for each signal, so that a person sees that it came.

    """
    came: list[int] = []

    def hold(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        told()

    before = {one: signal.signal(one, hold) for one in ENDING}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        if came:
            signal.raise_signal(came[0])


def heed_no_more_signals() -> None:
    """Let nothing disturb the end of the processes from now on, nor that of the database."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def new_keyring() -> str:
    """Make a key ring with one fresh key."""
    return "dev:" + base64.b64encode(secrets.token_bytes(32)).decode()


@dataclass
class Stage:
    """Run processes side by side; leaving it ends each that it started, by its own id."""

    environment: Mapping[str, str]
    folder: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        """Make the folder for what the processes print."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything."""
        self.stop()

    def start(self, name: str, command: Sequence[str], **more: str) -> subprocess.Popen[bytes]:
        """Start a command under a name; what it prints goes to ``<folder>/<name>.log``."""
        with (self.folder / f"{name}.log").open("wb") as log, signals_held():
            self.running[name] = subprocess.Popen(
                command,
                env={**os.environ, **self.environment, **more},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self.running[name]

    def start_product(self, name: str, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
        """Start a command of ``timerabbit-conta`` under a name."""
        return self.start(name, [sys.executable, "-m", "app.cli", *arguments], **more)

    def wait_ready(self, name: str, url: str) -> None:
        """
        Wait until a process answers 200 at an address.

        Raises:
            RuntimeError: It ended or did not answer in time; the text holds the end of what it
                printed.

        """
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self.running[name].poll() is not None:
                break
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(url, timeout=2).status_code == httpx.codes.OK:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"{name} did not become ready:\n{self.log_end(name)}")

    def log_end(self, name: str) -> str:
        """Give the last lines that a process printed."""
        path = self.folder / f"{name}.log"
        return (
            "\n".join(path.read_text(errors="replace").splitlines()[-15:]) if path.exists() else ""
        )

    def ended(self) -> dict[str, int]:
        """Give the exit codes of the processes that ended by themselves."""
        codes = {name: process.poll() for name, process in self.running.items()}
        return {name: code for name, code in codes.items() if code is not None}

    def kill(self, name: str) -> None:
        """End a process with SIGKILL and wait until it is gone."""
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def end(self, name: str, *, seconds: float = 15) -> int:
        """End a process with SIGTERM and give its exit code; SIGKILL after ``seconds``."""
        process = self.running.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def stop(self) -> None:
        """End all processes, the youngest first."""
        for name in reversed(list(self.running)):
            self.end(name)


def start_all(stage: Stage, addresses: Addresses, *, seed: str = "demo") -> None:
    """Migrate, then start both twins, the service and one worker; return when all are ready."""
    stage.start_product("migrate", "migrate")
    stage.start_product("sandbox", *sandbox_arguments(addresses, seed))
    if stage.running["migrate"].wait(READY_SECONDS) != 0:
        raise RuntimeError("migrate failed:\n" + stage.log_end("migrate"))
    del stage.running["migrate"]
    stage.start_product("service", "serve", "--port", port_of(addresses.service))
    stage.start_product("worker", "worker")
    stage.wait_ready("sandbox", f"{addresses.conta}/_control/state")
    stage.wait_ready("sandbox", f"{addresses.timerabbit}/_control/state")
    stage.wait_ready("service", f"{addresses.service}/health/ready")


def sandbox_arguments(addresses: Addresses, seed: str) -> tuple[str, ...]:
    """Give the arguments that put the twins on their addresses."""
    return (
        "sandbox", "--conta-port", port_of(addresses.conta),
        "--timerabbit-port", port_of(addresses.timerabbit), "--seed", seed,
    )  # fmt: skip


def port_of(url: str) -> str:
    """Give the port at the end of an address."""
    return url.rpartition(":")[2]

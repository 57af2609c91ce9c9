"""Measure the ratios of the service in one run and write ``bench/results.json``."""

import asyncio
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from app.demo.processes import Addresses, Stage, environment, free_port
from app.telemetry import configure_logging
from bench.drain import throughput
from bench.invoicing import invoicing
from bench.load import burst, steady
from bench.matching_step import matching
from bench.preview import own_times_of_preview
from bench.stage import CONNECTIONS, Bench, wait_for_port, wait_until
from bench.world import KEYRING, SECRET, hint, make_world, spread

FOLDER = Path(".data") / "bench"
RESULTS = Path(__file__).parent / "results.json"
BATCH = 4000
ROUNDS = 3


def accept(bench: Bench) -> None:
    """Send webhooks to the service and to the bare limit, in turns."""
    port = free_port()
    bench.stage.start(
        "bare",
        [sys.executable, "-m", "uvicorn", "bench.bare:app", "--port", str(port),
         "--log-level", "error", "--no-access-log"],
        BENCH_DATABASE=bench.world.service_url, BENCH_SECRET=SECRET,
    )  # fmt: skip
    bench.need_none("worker")
    bench.need_service()
    wait_for_port(port)
    ours: list[float] = []
    bare: list[float] = []
    for turn in range(ROUNDS + 1):
        chosen = list(spread(bench.world, BATCH // 2)) * 2
        for kind, target in (("bare", port), ("ours", bench.port)):
            path = "/hook" if kind == "bare" else None
            requests = [hint(link, number, path=path) for link, number in chosen]
            result = asyncio.run(burst(target, requests, connections=CONNECTIONS))
            assert set(result.statuses) == {202}, result.statuses
            if turn:  # the first turn warms both up
                (bare if kind == "bare" else ours).append(result.per_second)
    requests = [hint(link, number) for link, number in spread(bench.world, 600)]
    calm = asyncio.run(steady(bench.port, requests, per_second=50))
    assert set(calm.statuses) == {202}
    bench.stage.end("bare")
    bench.world.execute("DELETE FROM changes")
    bench.world.execute("DELETE FROM procrastinate_jobs")
    bench.world.execute("UPDATE link_directory SET next_due = NULL")
    bench.results["webhook_accepted"] = {
        "per_second": round(median(ours)),
        "bare_per_second": round(median(bare)),
        "percent_of_bare": round(100 * median(ours) / median(bare)),
        "p99_ms_at_50_per_second": round(calm.percentile(0.99) * 1000, 1),
    }


def one_record(bench: Bench) -> None:
    """Send a thousand hints for one record and count what the other systems see."""
    bench.need_none("worker")
    bench.need_service()
    link, number = bench.world.links[0], bench.world.links[0].numbers[-1]
    bench.ask_stub("/_rise", {"ids": [f"c{number}"]})
    bench.ask_stub("/_state")
    requests = [hint(link, number) for _ in range(1000)]
    asyncio.run(burst(bench.port, requests, connections=CONNECTIONS))
    bench.need_worker()
    wait_until(lambda: not bench.world.execute("SELECT 1 FROM changes"), seconds=60)
    calls = bench.ask_stub("/_state")["calls"]
    bench.results["thousand_hints_one_record"] = {
        "reads_at_the_other_side": calls.get("books-read", 0),
        "writes_at_the_other_side": calls.get("books-write", 0),
        "reads_at_its_own_side": calls.get("time-read", 0),
    }


def latency(bench: Bench) -> None:
    """Time from webhook to visible at the other side, 20 a second, one link and 200 links."""
    first = bench.world.links[0]
    _warm_up(bench)
    for label, chosen in (
        ("one_link", [(first, number) for number in first.numbers[20:420]]),
        ("many_links", list(spread(bench.world, 400, skip=600))),
    ):
        bench.ask_stub("/_rise", {"ids": [f"c{number}" for _, number in chosen]})
        bench.ask_stub("/_state")
        sent: dict[str, float] = {}

        async def send(chosen: list[Any] = chosen, sent: dict[str, float] = sent) -> None:
            started = time.perf_counter()
            reader, writer = await asyncio.open_connection("127.0.0.1", bench.port)
            for index, (link, number) in enumerate(chosen):
                await asyncio.sleep(max(started + index / 20 - time.perf_counter(), 0))
                request = hint(link, number)
                sent[str(number)] = time.time()
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
            writer.close()

        asyncio.run(send())
        written: dict[str, float] = {}
        deadline = time.monotonic() + 30
        while len(written) < len(chosen) and time.monotonic() < deadline:
            for record_id, _, at in bench.ask_stub("/_state")["written"]:
                written.setdefault(record_id, at)
            time.sleep(0.1)
        took = sorted((written[n] - at) * 1000 for n, at in sent.items() if n in written)
        assert len(took) == len(chosen), f"{len(took)} of {len(chosen)} became visible"
        bench.results[f"webhook_to_visible_{label}"] = {
            "p50_ms": round(took[len(took) // 2], 1),
            "p95_ms": round(took[int(len(took) * 0.95)], 1),
        }


def _warm_up(bench: Bench) -> None:
    """Have service and worker run, and one record go all the way."""
    bench.need_service()
    bench.need_worker()
    request = hint(bench.world.links[0], bench.world.links[0].numbers[-2])
    asyncio.run(burst(bench.port, [request], connections=1))
    wait_until(lambda: not bench.world.execute("SELECT 1 FROM changes"), seconds=30)


def preview(bench: Bench) -> None:
    """Preview 1,000 entries and count our own time; ``own_ms`` is a fresh pool's first."""
    runs = [asyncio.run(own_times_of_preview(1000)) for _ in range(3)]
    found = {name: round(median(run[name] for run in runs) * 1000) for name in runs[0]}
    bench.results["preview_1000_entries"] = {
        "own_ms": found["first"], "own_following_ms": found["following"],
        "own_processor_ms": found["processor"],
    }  # fmt: skip


def first_sync(bench: Bench) -> None:
    """
    Plan and run 5,000 customers a side, and read pages of a plan of at least 10,000 lines.

    In a process apart, against systems that answer at once.
    """
    bench.need_none("worker")
    bench.need_none("service")
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "bench.review", "5000"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    bench.results["first_sync"] = json.loads(told.stdout)


STEPS: dict[str, tuple[str, Callable[[Bench], None]]] = {
    "accept": ("webhooks accepted, beside the bare limit", accept),
    "one-record": ("a thousand hints for one record", one_record),
    "latency": ("webhook to visible", latency),
    "throughput": ("2,000 records at once, beside a bare loop", throughput),
    "preview": ("preview of 1,000 entries", preview),
    "first-sync": ("first sync of 5,000 customers a side, pages of 10,000 lines", first_sync),
    "matching": ("matching of made-up registers, and of the public draw", matching),
    "invoicing": ("invoicing at 5,000 hours, 100,000 unbilled, a ledger of a million", invoicing),
}
"""The benches by name, in the order of a whole run; each starts what it needs."""

TARGETS = (
    ("webhook accepted, % of the bare limit", "webhook_accepted.percent_of_bare", "≥ 70"),
    ("webhook p99 at 50/s, ms", "webhook_accepted.p99_ms_at_50_per_second", "< 250"),
    ("1,000 hints, one record: reads", "thousand_hints_one_record.reads_at_the_other_side", "1"),
    ("… writes", "thousand_hints_one_record.writes_at_the_other_side", "≤ 1"),
    ("webhook → visible, one link, p50 ms", "webhook_to_visible_one_link.p50_ms", "< 50"),
    ("… p95 ms", "webhook_to_visible_one_link.p95_ms", "< 120"),
    ("webhook → visible, 200 links, p50 ms", "webhook_to_visible_many_links.p50_ms", "< 50"),
    ("… p95 ms", "webhook_to_visible_many_links.p95_ms", "< 120"),
    ("2,000 records at once, records/s", "drain.records_per_second", "≥ 400"),
    ("… % of a bare loop of the same calls", "drain.percent_of_bare_loop", "–"),
    ("preview of 1,000 entries, a pool's first, own ms", "preview_1000_entries.own_ms", "< 300"),
    ("… those that follow", "preview_1000_entries.own_following_ms", "< 300"),
    ("… of it our processor's time", "preview_1000_entries.own_processor_ms", "–"),
    ("first sync, 5,000 a side: plan, seconds", "first_sync.plan_seconds", "< 10"),
    ("… second plan: records read again", "first_sync.second_plan_reads", "what changed"),
    ("… lines of the plan whose pages are read", "first_sync.page_lines", "≥ 10000"),
    ("… page of 100 of them, the slower order's, p95 ms", "first_sync.page_p95_ms", "< 100"),
    ("… the slowest filter's, p95 ms", "first_sync.page_filtered_p95_ms", "< 100"),
    ("… the slowest search's, p95 ms", "first_sync.page_searched_p95_ms", "< 100"),
    ("… facets, the slowest filter's, p95 ms", "first_sync.facets_p95_ms", "< 100"),
    ("… run to its end, % of the allowed pace", "first_sync.run_percent_of_pace", "≥ 95"),
    ("… run unpaced, calls/s (allowed: 30)", "first_sync.unpaced_run_calls_per_second", "–"),
    ("… memory, MB", "first_sync.memory_mb", "< 300"),
    ("matching: false links per 10,000", "matching.false_per_10000", "≤ 4, never > 10"),
    ("… recall of certain", "matching.recall", "≥ 0.87"),
    ("… coverage", "matching.coverage", "≥ 0.985"),
    ("… questions per 100", "matching.questions_per_100", "≤ 15"),
    ("… 3,000 × 3,000, seconds of one core", "matching.seconds", "≤ 1"),
    ("public draw: precision of certain", "matching_public_draw.precision", "≥ 0.999"),
    ("… recall of certain", "matching_public_draw.recall", "–"),
    ("list and preview of 5,000, own ms", "invoicing.list_and_preview_5000_own_ms", "< 1000"),
    ("draft of 5,000, own ms", "invoicing.draft_5000_own_ms", "< 2000"),
    ("… peak MB, twins included", "invoicing.draft_5000_peak_mb_twins_included", "< 100"),
    ("specification PDF of 5,000, ms", "invoicing.specification_5000_ms", "< 3000"),
    ("ledger by hour, 1,000,000 rows, p50 ms", "invoicing.ledger_by_hour_ms_p50", "< 5"),
    ("… p95 ms", "invoicing.ledger_by_hour_ms_p95", "< 5"),
    ("money on the table, 100,000, ms", "invoicing.money_on_the_table_100000_ms", "< 500"),
    ("memory of the service, MB", "memory.service_mb", "< 250"),
    ("memory of the worker, MB", "memory.worker_mb", "< 250"),
)


def main(names: Sequence[str] = ()) -> int:
    """
    Run the named benches, or all; print the table and write the results of those that ran.

    Gives the exit code: 2 for a name there is not.
    """
    console = Console()
    unknown = [name for name in names if name not in STEPS]
    if unknown:
        console.print(f"no such bench: {', '.join(unknown)} (there are: {', '.join(STEPS)})")
        return 2
    configure_logging("WARNING")
    addresses = Addresses.on_free_ports()
    world = make_world(FOLDER)
    stub = free_port()
    settings = environment(addresses, data_dir=FOLDER, keyring=KEYRING) | {
        "TC_DATABASE_URL": world.service_url,
        "TC_CONTA_URL": f"http://127.0.0.1:{stub}",
        "TC_TIMERABBIT_URL": f"http://127.0.0.1:{stub}",
        "TC_CONTA_CALLS_PER_SECOND": "100000",
        "TC_TIMERABBIT_CALLS_PER_SECOND": "100000",
        "TC_WAKE_SECONDS": "5",
        "TC_LOG_LEVEL": "WARNING",
        "PYTHONPATH": str(Path.cwd()),
    }
    with Stage(settings, FOLDER / "log") as stage:
        stage.start("stub", [sys.executable, "bench/stub.py"], BENCH_PORT=str(stub))
        wait_for_port(stub)
        bench = Bench(stage, addresses, world, stub)
        for name, (title, step) in STEPS.items():
            if not names or name in names:
                console.print(f"… {title}")
                step(bench)
                bench.note_memory()
    _merge(bench.results)
    console.print(_table(json.loads(RESULTS.read_text(encoding="utf-8"))))
    return 0


def _merge(measured: dict[str, Any]) -> None:
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    machine = {"cores": os.cpu_count(), "python": platform.python_version()}
    for name, value in (measured | {"machine": machine}).items():
        known[name] = known.get(name, {}) | value
    RESULTS.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _table(results: dict[str, Any]) -> Table:
    table = Table("what", "must reach", "measured", box=None)
    for title, key, target in TARGETS:
        value: Any = results
        for part in key.split("."):
            value = value.get(part, "–") if isinstance(value, dict) else "–"
        table.add_row(title, target, str(value))
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

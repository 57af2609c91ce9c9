"""Measure how fast one worker drains many links, beside a bare loop of the same calls."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median

import httpx
from httpx_aiohttp import AiohttpTransport

from bench.load import burst
from bench.stage import CONNECTIONS, Bench, cpu_seconds
from bench.world import hint, spread

RECORDS = 2000
ROUNDS = 3
GETS = 4000
AT_ONCE = 40


@dataclass(frozen=True)
class Round:
    """Hold one round: both speeds, and the processor's milliseconds for each record by process."""

    bare: float
    ours: float
    cpu_ms: dict[str, float]


def throughput(bench: Bench) -> None:
    """
    Change 2,000 different records of 200 links at once and let one worker drain them.

    Each round is a pair: the bare loop, then a worker that was just started, against the same
    stub. The time runs from the first call the stub sees to the end of its last write. So the
    start of a process is out of it, and all that a drain does is in it. How many plain GETs the
    same client makes in a second stands beside it, so that two machines can be compared.
    """
    plain = asyncio.run(_plain_gets(bench.stub))
    rounds = [_round(bench) for _ in range(ROUNDS)]
    bench.results["drain"] = {
        "records_per_second": round(median(one.ours for one in rounds)),
        "bare_loop_per_second": round(median(one.bare for one in rounds)),
        "plain_gets_per_second": round(plain),
        "percent_of_bare_loop": round(100 * median(one.ours / one.bare for one in rounds)),
        "cpu_ms_per_record": {
            name: round(median(one.cpu_ms[name] for one in rounds), 2) for name in rounds[0].cpu_ms
        },
    }


def _round(bench: Bench) -> Round:
    bench.need_none("worker")
    bench.need_service()
    chosen = list(spread(bench.world, RECORDS))
    bench.ask_stub("/_rise", {"ids": [f"c{number}" for _, number in chosen]})
    requests = [hint(link, number) for link, number in chosen]
    asyncio.run(burst(bench.port, requests, connections=CONNECTIONS))
    bench.need_none("service")
    others = [10_000_000 + number for _, number in chosen]  # the same calls, other records
    bare = asyncio.run(_bare_loop(bench.stub, others))
    bench.ask_stub("/_state")
    bench.need_worker()
    began = _first_call(bench)
    before = _cpu(bench)
    written: dict[str, float] = {}
    deadline = time.monotonic() + 90
    while len(written) < RECORDS and time.monotonic() < deadline:
        time.sleep(0.25)
        for record_id, _, at in bench.ask_stub("/_state")["written"]:
            written.setdefault(record_id, at)
    assert len(written) == RECORDS, f"{len(written)} of {RECORDS} records written"
    used = {name: value - before[name] for name, value in _cpu(bench).items()}
    return Round(
        bare=bare,
        ours=RECORDS / (max(written.values()) - began),
        cpu_ms={name: 1000 * seconds / RECORDS for name, seconds in used.items()},
    )


def _first_call(bench: Bench) -> float:
    """Wait for the worker's first call; give its time without taking what was counted."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        began: float | None = bench.ask_stub("/_began")
        if began is not None:
            return began
        time.sleep(0.02)
    raise TimeoutError("the worker called nobody")


def _cpu(bench: Bench) -> dict[str, float]:
    """Give the seconds that each process of the round used so far."""
    running = bench.stage.running
    return {
        "worker": cpu_seconds(running["worker"].pid),
        "stub": cpu_seconds(running["stub"].pid),
        "database": bench.database_cpu_seconds(),
    }


async def _plain_gets(port: int) -> float:
    """Read records with nothing around the calls."""

    async def read(client: httpx.AsyncClient, number: int) -> None:
        (await client.get(f"/integration/v1/customers/c{number}")).raise_for_status()

    return await _per_second(port, range(GETS), read)


async def _bare_loop(port: int, numbers: Sequence[int]) -> float:
    """Make the same calls (two reads, one write a record) with nothing around them."""

    async def make_equal(client: httpx.AsyncClient, number: int) -> None:
        time_side = await client.get(f"/integration/v1/customers/c{number}")
        path = f"/invoice/organizations/1/customers/{number}"
        body = (await client.get(path)).json()
        body["name"] = time_side.json()["name"]
        await client.put(path, json=body)

    return await _per_second(port, numbers, make_equal)


async def _per_second(
    port: int, numbers: Sequence[int], deed: Callable[[httpx.AsyncClient, int], Awaitable[None]]
) -> float:
    """Do a deed for each number, 40 at once, by the client that the service has."""
    gate = asyncio.Semaphore(AT_ONCE)
    base = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(transport=AiohttpTransport(), base_url=base) as client:

        async def one(number: int) -> None:
            async with gate:
                await deed(client, number)

        started = time.perf_counter()
        await asyncio.gather(*(one(number) for number in numbers))
        return len(numbers) / (time.perf_counter() - started)

"""Send prepared HTTP requests over many loopback connections and note how long each answer took."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class LoadResult:
    """Hold what came back: answers per second, latencies in seconds (sorted), answers by status."""

    per_second: float
    latencies: list[float]
    statuses: dict[int, int]

    def percentile(self, share: float) -> float:
        """Give the latency in seconds that ``share`` of the answers stayed below."""
        return self.latencies[min(int(len(self.latencies) * share), len(self.latencies) - 1)]


def request_bytes(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """Write one HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def burst(port: int, requests: Sequence[bytes], *, connections: int) -> LoadResult:
    """Send all requests as fast as the connections go, each connection one at a time."""
    line = iter(requests)
    latencies: list[float] = []
    statuses: dict[int, int] = {}

    async def one_connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in line:
            started = time.perf_counter()
            status = await _exchange(reader, writer, request)
            latencies.append(time.perf_counter() - started)
            statuses[status] = statuses.get(status, 0) + 1
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(one_connection() for _ in range(connections)))
    seconds = time.perf_counter() - started
    return LoadResult(len(latencies) / seconds, sorted(latencies), statuses)


async def steady(port: int, requests: Sequence[bytes], *, per_second: float) -> LoadResult:
    """Send requests at a fixed rate, whether or not earlier ones were answered."""
    latencies: list[float] = []
    statuses: dict[int, int] = {}
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def send(request: bytes) -> None:
        started = time.perf_counter()
        streams = idle.pop() if idle else await asyncio.open_connection("127.0.0.1", port)
        status = await _exchange(*streams, request)
        latencies.append(time.perf_counter() - started)
        statuses[status] = statuses.get(status, 0) + 1
        idle.append(streams)

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number, request in enumerate(requests):
            await asyncio.sleep(max(started + number / per_second - time.perf_counter(), 0))
            group.create_task(send(request))
    seconds = time.perf_counter() - started
    for _, writer in idle:
        writer.close()
    return LoadResult(len(latencies) / seconds, sorted(latencies), statuses)


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> int:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for row in head.lower().split(b"\r\n")[1:]:
        if row.startswith(b"content-length:"):
            length = int(row[15:])
    if length:
        await reader.readexactly(length)
    return int(head[9:12])

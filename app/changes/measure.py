"""Count what waits over all links, as the drains last wrote it, for the metrics of any process."""

from sqlalchemy import func, select

from app.links.store import DirectoryEntry, LinkState
from app.runtime import Runtime


async def measure_links(runtime: Runtime) -> None:
    """
    Read the gauges over all links from the directory.

    Where this fails the caller says so by ``Metrics.forget_links``: old figures look like new ones.
    """
    entry = DirectoryEntry
    query = select(
        entry.state, func.count(), func.sum(entry.pending), func.sum(entry.parked),
        func.min(entry.next_due),
    ).group_by(entry.state)  # fmt: skip
    async with runtime.database.reading() as session:
        rows = (await session.execute(query)).all()
    metrics, now = runtime.metrics, runtime.clock()
    metrics.pending.set(sum(pending for _, _, pending, _, _ in rows))
    metrics.parked.set(sum(parked for _, _, _, parked, _ in rows))
    oldest = next((due for state, *_, due in rows if state == LinkState.ACTIVE and due), now)
    metrics.oldest_pending_seconds.set(max((now - oldest).total_seconds(), 0.0))
    counts = {state: count for state, count, *_ in rows}
    for state in LinkState:
        metrics.links.labels(state.value).set(counts.get(state.value, 0))

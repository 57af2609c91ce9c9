"""
Measure a preview's own time: what passes less the time in which a call to another system ran.

The first preview of a process pays for its connections and for each statement's first compilation;
it is told apart from those that follow. The processor's time is the bench's own thread outside
calls, the database's not included: other work on the machine lengthens what passes, not this.
"""

import time
from statistics import median

from app.canonical import RecordId
from app.invoicing.lines.lines import Grouping
from app.invoicing.lines.wish import Wish
from app.invoicing.previews.preview import make_preview
from app.systems.own_time import outgoing_calls, own_seconds
from app.systems.ports import EntryQuery
from bench.company import CUSTOMER, Company, company

MORE = 5


async def own_times_of_preview(entries: int) -> dict[str, float]:
    """Preview this many entries of one customer six times over fresh connections; in seconds."""
    async with company(entries) as made:
        first, _ = await _one(made, entries)
        following = [await _one(made, entries) for _ in range(MORE)]
    return {
        "first": first,
        "following": median(wall for wall, _ in following),
        "processor": median(processor for _, processor in following),
    }


async def _one(made: Company, entries: int) -> tuple[float, float]:
    wish = Wish(EntryQuery(customer_id=RecordId(CUSTOMER)), None, Grouping.ENTRY)
    made.processor_in_calls.clear()
    with outgoing_calls() as intervals:
        started, ran = time.perf_counter(), time.thread_time()
        preview = await make_preview(made.runtime, made.link_id, wish)
        ended, ran_to = time.perf_counter(), time.thread_time()
    assert len(preview.lines) >= entries
    wall = own_seconds(started, ended, intervals)
    return wall, own_seconds(ran, ran_to, made.processor_in_calls)

"""Measure a preview's own time: wall time less the time in which a call to another system ran."""

import time

from app.canonical import RecordId
from app.invoicing.lines import Grouping
from app.invoicing.preview import make_preview
from app.invoicing.wish import Wish
from app.systems.own_time import outgoing_calls, own_seconds
from app.systems.ports import EntryQuery
from bench.company import CUSTOMER, company


async def own_seconds_of_preview(entries: int) -> float:
    """Preview this many entries of one customer once and give the seconds that were ours."""
    async with company(entries) as made:
        wish = Wish(EntryQuery(customer_id=RecordId(CUSTOMER)), None, Grouping.ENTRY)
        with outgoing_calls() as intervals:
            started = time.perf_counter()
            preview = await make_preview(made.runtime, made.link_id, wish)
            ended = time.perf_counter()
        assert len(preview.lines) >= entries
        return own_seconds(started, ended, intervals)

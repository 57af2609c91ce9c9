"""Measure invoicing at its largest: 5,000 hours, a ledger of a million rows, 100,000 unbilled."""

import asyncio
import time
import tracemalloc
from collections.abc import Awaitable
from statistics import median
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import text
from uuid_utils.compat import uuid7

from app.canonical import LinkId, RecordId
from app.database import CommitPoint
from app.idempotency import Fresh, KeyedCall, claim
from app.invoicing.drafts.draft import create_draft
from app.invoicing.lines.lines import Grouping
from app.invoicing.lines.wish import Wish
from app.invoicing.papers.specification import as_print, sheet_of
from app.invoicing.papers.typeset import print_pdf
from app.invoicing.previews.preview import make_preview
from app.invoicing.store import Draft, Preview
from app.invoicing.unbilled.choose import read_choice
from app.invoicing.unbilled.hindrances import oslo_day
from app.invoicing.unbilled.money import piles
from app.runtime import Runtime
from app.systems.own_time import outgoing_calls, own_seconds
from app.systems.ports import EntryQuery
from bench.company import CUSTOMER, company
from bench.stage import Bench
from bench.world import World

T = TypeVar("T")
HOURS = 5000
LEDGER = 1_000_000
UNBILLED = 100_000


def invoicing(bench: Bench) -> None:
    """Measure list, preview, draft and paper of 5,000 hours, the ledger and the table."""
    bench.results["invoicing"] = asyncio.run(_measure())


async def _measure() -> dict[str, Any]:
    found: dict[str, Any] = {}
    query = EntryQuery(customer_id=RecordId(CUSTOMER))
    async with company(HOURS) as made:
        runtime, link_id = made.runtime, made.link_id
        _, listing = await _own(read_choice(runtime, link_id, query))
        preview, previewing = await _own(
            make_preview(runtime, link_id, Wish(query, None, Grouping.WEEK))
        )
        assert len(preview.versions) >= HOURS
        found["list_and_preview_5000_own_ms"] = round((listing + previewing) * 1000)
        tracemalloc.start()
        again = await make_preview(runtime, link_id, Wish(query, None, Grouping.WEEK))
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        await _draft(runtime, link_id, again)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        found["draft_5000_peak_mb_twins_included"] = round((peak - before) / 1_000_000)
    async with company(HOURS) as made:
        runtime, link_id = made.runtime, made.link_id
        preview = await make_preview(runtime, link_id, Wish(query, None, Grouping.WEEK))
        draft, drafting = await _own(_draft(runtime, link_id, preview))
        assert draft.state == "completed", draft.state
        found["draft_5000_own_ms"] = round(drafting * 1000)
        sheet = sheet_of(draft.mark, draft.body, seller="Bench AS")
        started = time.perf_counter()
        await print_pdf(as_print(sheet))
        found["specification_5000_ms"] = round((time.perf_counter() - started) * 1000)
        _fill(made.world, _LEDGER_ROWS, link_id, LEDGER)
        found |= await _look_up(runtime, link_id)
        _fill(made.world, _HOUR_ROWS, link_id, UNBILLED)
        found["money_on_the_table_100000_ms"] = await _sum_up(runtime, link_id)
    return found


async def _own(deed: Awaitable[T]) -> tuple[T, float]:
    with outgoing_calls() as intervals:
        started = time.perf_counter()
        result = await deed
        ended = time.perf_counter()
    return result, own_seconds(started, ended, intervals)


async def _draft(runtime: Runtime, link_id: LinkId, preview: Preview) -> Draft:
    call = KeyedCall(uuid7().bytes * 2, uuid7().bytes * 2)
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        claimed = await claim(session, call, link_id=link_id, now=runtime.clock())
    assert isinstance(claimed, Fresh)
    return await create_draft(
        runtime, link_id, preview, requested_by="bench", keyed=(call, claimed)
    )


_LEDGER_ROWS = """
INSERT INTO ledger (link_id, draft_id, entry_id, time_company_id, line_no, minutes, rate,
  entry_version, snapshot, active, created_at)
SELECT 'LINK', (SELECT draft_id FROM drafts WHERE link_id = 'LINK' LIMIT 1), 'old_' || n, 'cmp_1',
  1, 60, 95000, 1, '{}', true, now() FROM generate_series(1, COUNT) n
"""
_HOUR_ROWS = """
INSERT INTO hours SELECT 'LINK', 'free_' || n, 1, 'cus_' || n % 800, NULL, CURRENT_DATE - n % 120,
  60, 95000, n % 3 > 0, false FROM generate_series(1, COUNT) n
"""


def _fill(world: World, rows: str, link_id: LinkId, count: int) -> None:
    world.execute(rows.replace("LINK", str(link_id)).replace("COUNT", str(count)))
    world.execute("ANALYZE")


async def _look_up(runtime: Runtime, link_id: LinkId) -> dict[str, float]:
    took = []
    for number in range(200):
        async with runtime.database.reading(link_id) as session:
            started = time.perf_counter()
            row = (
                await session.execute(
                    text(
                        "SELECT l.draft_id, l.line_no, d.mark FROM ledger l JOIN drafts d"
                        " USING (link_id, draft_id) WHERE l.link_id = :link AND l.entry_id = :hour"
                    ),
                    {"link": UUID(str(link_id)), "hour": f"old_{1 + number * 4999 % LEDGER}"},
                )
            ).one()
            took.append(time.perf_counter() - started)
        assert row.mark
    took.sort()
    return {
        "ledger_by_hour_ms_p50": round(median(took) * 1000, 2),
        "ledger_by_hour_ms_p95": round(took[int(len(took) * 0.95)] * 1000, 2),
    }


async def _sum_up(runtime: Runtime, link_id: LinkId) -> int:
    took = []
    for _ in range(5):
        async with runtime.database.reading(link_id) as session:
            started = time.perf_counter()
            found = await piles(
                session, link_id, today=oslo_day(runtime.clock()), approval_required=True
            )
            took.append(time.perf_counter() - started)
        assert sum(pile.entry_count for pile in found) == UNBILLED
    return round(median(took) * 1000)

"""Measure pages of a hundred lines, as a caller gets them but for the network, and their facets."""

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.canonical import LinkId
from app.documents import Listing
from app.first_sync.lines_shown import FacetsAnswer, ProposalAnswer, line_answer
from app.first_sync.plan.categories import Category
from app.first_sync.plan.deeds import Deed
from app.first_sync.plan.renew import take_fixes_in
from app.first_sync.plan.search import Filter, Sort, facets, page_of_lines
from app.first_sync.store import current_plan
from app.runtime import Runtime

FEWEST_LINES: Final = 10_000
"""Lines of a plan whose pages tell something of the aim."""

_LIMIT: Final = 100
_PAGES: Final = 20
_COUNTS: Final = 5
_SEARCHED: Final = (Filter(q="as"), Filter(q="post no"), Filter(deed=Deed.ASK, q="as"))
_FILTERED: Final = (
    *(Filter(deed=deed) for deed in Deed),
    *(Filter(category=category) for category in Category),
    *(Filter(kind="customer", answered=answered) for answered in (False, True)),
)


async def pages(runtime: Runtime, link_id: LinkId) -> dict[str, Any]:
    """
    Read pages of a plan: plain in either order, filtered and searched; then count facets.

    Of orders, filters and searches the slowest one's figure is given.
    """
    async with runtime.database.reading(link_id) as session:
        plan = await current_plan(session, link_id)
        assert plan is not None
        lines = (await facets(session, plan, Filter())).total
    assert lines >= FEWEST_LINES, lines
    plain = {sort: await _pages(runtime, link_id, Filter(), sort) for sort in Sort}
    filtered = {one: await _either_order(runtime, link_id, one) for one in _FILTERED}
    searched = {one: await _either_order(runtime, link_id, one) for one in _SEARCHED}
    narrowed = (Filter(), *_FILTERED, *_SEARCHED)
    counted = {one: await _counts(runtime, link_id, one) for one in narrowed}
    either = sorted([took for of_sort in plain.values() for took in of_sort])
    return {
        "page_lines": lines,
        "page_p50_ms": round(either[len(either) // 2]),
        "page_p95_ms": _slowest(plain),
        "page_filtered_p95_ms": _slowest(filtered),
        "page_searched_p95_ms": _slowest(searched),
        "facets_p95_ms": _slowest(counted),
    }


def _slowest(found: Mapping[Any, Sequence[float]]) -> int:
    """Give the highest 95th percentile of sorted times, and say on the side whose it is."""
    p95 = {name: took[int(len(took) * 0.95)] for name, took in found.items()}
    slowest = max(p95, key=lambda name: p95[name])
    print(slowest, p95[slowest], file=sys.stderr)
    return round(p95[slowest])


async def _either_order(runtime: Runtime, link_id: LinkId, wanted: Filter) -> list[float]:
    return sorted([took for sort in Sort for took in await _pages(runtime, link_id, wanted, sort)])


async def _pages(runtime: Runtime, link_id: LinkId, wanted: Filter, sort: Sort) -> list[float]:
    """Read twenty pages, from the first again after the last; give what each took, in order."""
    took: list[float] = []
    after: list[Any] | None = None
    for _ in range(_PAGES):
        started = time.perf_counter()
        await take_fixes_in(runtime, link_id)
        async with runtime.database.reading(link_id) as session:
            plan = await current_plan(session, link_id)
            assert plan is not None
            rows = await page_of_lines(
                session, plan, wanted, after=after, limit=_LIMIT + 1, sort=sort
            )
        shown = [line_answer(row, "nb") for row in rows[:_LIMIT]]
        Listing[ProposalAnswer](items=shown, next_cursor=None).model_dump_json(by_alias=True)
        took.append((time.perf_counter() - started) * 1000)
        after = list(rows[_LIMIT - 1]["place"]) if len(rows) > _LIMIT else None
    return sorted(took)


async def _counts(runtime: Runtime, link_id: LinkId, wanted: Filter) -> list[float]:
    """Count a filter's facets a few times; give what each took, in order."""
    took: list[float] = []
    for _ in range(_COUNTS):
        started = time.perf_counter()
        await take_fixes_in(runtime, link_id)
        async with runtime.database.reading(link_id) as session:
            plan = await current_plan(session, link_id)
            assert plan is not None
            found = await facets(session, plan, wanted)
        FacetsAnswer.model_validate({"total": found.total, **found.counts}).model_dump_json()
        took.append((time.perf_counter() - started) * 1000)
    return sorted(took)

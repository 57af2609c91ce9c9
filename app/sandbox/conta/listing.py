"""Answer lists as Conta does: common query, thin hits, an envelope that may lack its hits."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.sandbox.conta.access import Call
from app.sandbox.conta.store import Kept
from app.sandbox.faults import FaultKind

Record = dict[str, Any]

ZONE = ZoneInfo("Europe/Oslo")
"""Guessed (facts 13.7): the zone in which Conta cuts a day is not stated."""


def page_of(
    call: Call,
    rows: Iterable[Kept],
    hit: Callable[[Kept], Record],
    *,
    searched: tuple[str, ...] = (),
) -> Record:
    """
    Give one page of hits: ``q``, created dates, sort and paging.

    ``hits=0`` gives everything. An empty page has no ``hits`` at all. ``searched`` names the
    members of a hit in which ``q`` looks.
    """
    query = call.query
    hits = [hit(row) for row in _listed(call, rows)]
    if q := query.get("q"):
        hits = [h for h in hits if any(q.casefold() in _text(h.get(n)) for n in searched)]
    hits = _sorted(hits, query.get("sort", ""))
    size, page = query["hits"], query["page"]
    if page and call.store.board.active(FaultKind.REPEAT_PAGE, path=call.path):
        page -= 1
    pages = -(-len(hits) // size) if size else min(1, len(hits))
    shown = hits[page * size : (page + 1) * size] if size else hits[: None if page == 0 else 0]
    answer: Record = {"hitCount": len(hits), "pageCount": pages}
    if shown and not call.store.board.active(FaultKind.OMIT_HITS, path=call.path):
        answer = {"hits": shown, **answer}
    return answer


def within(instant_day: date, first: str | None, last: str | None) -> bool:
    """Say whether a day is inside a span; both ends count (guessed, facts 13.7)."""
    return (not first or instant_day >= date.fromisoformat(first)) and (
        not last or instant_day <= date.fromisoformat(last)
    )


def _listed(call: Call, rows: Iterable[Kept]) -> list[Kept]:
    first, last = call.query.get("fromDate"), call.query.get("toDate")
    if first or last:
        rows = [r for r in rows if within(r.created_at.astimezone(ZONE).date(), first, last)]
    if stale := call.store.board.active(FaultKind.STALE_LIST, path=call.path):
        limit = call.store.clock.now() - timedelta(seconds=stale.seconds)
        rows = [row for row in rows if row.created_at <= limit]
    return list(rows)


def _sorted(hits: list[Record], sort: str) -> list[Record]:
    for word in reversed(sort.split(",")):
        # A literal + arrives as a blank unless it was sent as %2B.
        name = word.strip().lstrip("+-")
        hits.sort(key=_ranked(name), reverse=word.strip().startswith("-"))
    return hits


def _ranked(name: str) -> Callable[[Record], tuple[int, Any]]:
    return lambda hit: _rank(hit.get(name))


def _rank(value: object) -> tuple[int, Any]:
    match value:
        case None:
            return (0, 0)
        case str():
            return (2, value.casefold())
        case dict() | list():
            return (3, 0)
        case _:
            return (1, value)


def _text(value: object) -> str:
    return "" if value is None else str(value).casefold()

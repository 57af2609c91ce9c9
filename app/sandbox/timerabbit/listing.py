"""Serve lists: ordered by (updatedAt, id), paged by an opaque cursor that lives 24 hours."""

import base64
import json
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from app.sandbox.faults import FaultKind
from app.sandbox.timerabbit.calls import Call
from app.sandbox.timerabbit.problems import Refusal
from app.sandbox.timerabbit.store import Record, text_of

LIFETIME = timedelta(hours=24)
Show = Callable[[Record], Record]


def page_of(
    call: Call,
    records: Iterable[Record],
    show: Show,
    *,
    by_date: bool = False,
    **more: Any,  # noqa: ANN401
) -> Record:
    """
    Give one page of what a list call chooses.

    A position is (sort value, id), so that a record that moves while someone pages comes again
    rather than being missed.
    """
    query, store = call.query, call.store
    chosen = [r for r in records if _wanted(call, r)]
    key = "date" if by_date else "updatedAt"
    rows = sorted(chosen, key=lambda r: (r[key], _place(r)))
    as_of = store.now()
    if cursor := query.get("cursor"):
        place, as_of = _read(call, cursor)
        if store.board.active(FaultKind.REPEAT_PAGE, path=call.path) is None:
            rows = [r for r in rows if [r[key], *_place(r)] > place]
    limit = int(query.get("limit", 100))
    page, rest = rows[:limit], rows[limit:]
    last = [page[-1][key], *_place(page[-1])] if page else []
    return {
        "items": [show(record) for record in page],
        "nextCursor": _write(call, last, as_of) if rest else None,
        "asOf": as_of,
        **more,
    }


def _wanted(call: Call, record: Record) -> bool:
    stale = call.store.board.active(FaultKind.STALE_LIST, path=call.path)
    if stale is not None:
        edge = text_of(call.store.clock.now() - timedelta(seconds=stale.seconds))
        if record["createdAt"] > edge:
            return False
    if record["deletedAt"] is not None and not call.query.get("includeDeleted", False):
        return False
    since = call.query.get("updatedSince")
    return since is None or _instant(record["updatedAt"]) >= _instant(str(since))


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _place(record: Record) -> tuple[int, str]:
    return len(record["id"]), record["id"]


def _write(call: Call, place: list[Any], as_of: str) -> str:
    made = call.store.clock.now().timestamp()
    body = json.dumps([call.path, place, as_of, made]).encode()
    return base64.urlsafe_b64encode(body).decode()


def _read(call: Call, cursor: str) -> tuple[list[Any], str]:
    try:
        path, place, as_of, made = json.loads(base64.urlsafe_b64decode(cursor))
        age = call.store.clock.now().timestamp() - made
    except (ValueError, TypeError):
        raise Refusal("cursor_expired") from None
    if path != call.path or age > LIFETIME.total_seconds():
        raise Refusal("cursor_expired")
    return place, as_of

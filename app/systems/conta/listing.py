"""Walk Conta's lists page by page, to the end and never for ever."""

from collections.abc import AsyncIterator, Mapping

from app.systems.calls import Call
from app.systems.conta.account import Account
from app.systems.conta.wire import Listing
from app.systems.ports import Unreachable
from app.systems.reading import read_id, read_json, understood

PAGE_SIZE = 200

# A second walk finds what moved to a page already read; a third would find only what is new since.
_MOST_WALKS = 2

Fresh = tuple[tuple[object, ...], int | None]
"""Rows not given before, and the total where the list says it."""


async def walk(account: Account, route: str, query: Mapping[str, str]) -> AsyncIterator[Fresh]:
    """
    Give every row of a list once, in pages.

    Pages are numbered, so a row can move to a page that was already read. Rows are told apart by
    id; a walk ends with the total reached or with a page that brings nothing new, and is walked
    once more when rows are missing from the total. The page size is a wish: a list that gives
    fewer rows a page is still read to its end.

    Raises:
        Unreachable: Rows are still missing; taking the rest for all would make duplicates.

    """
    seen: set[str] = set()
    total: int | None = None
    for _ in range(_MOST_WALKS):
        page = nameless = 0
        walked: set[str] = set()
        while True:
            listing = await _page(account, route, query, page)
            rows, without_id = _by_id(listing)
            nameless += without_id
            total = listing.hit_count
            fresh = tuple(rows[id_] for id_ in rows if id_ not in seen)
            seen.update(rows)
            if fresh or not seen:
                yield fresh, total
            if total is not None and len(seen) + nameless >= total:
                return
            if walked.issuperset(rows):
                break
            walked.update(rows)
            page += 1
        if total is None:
            return
    raise Unreachable("a list of Conta is shorter than its own total")


async def _page(account: Account, route: str, query: Mapping[str, str], page: int) -> Listing:
    answer = await account.send_here(
        Call("GET", route, query={**query, "hits": str(PAGE_SIZE), "page": str(page)})
    )
    listing = understood(
        lambda: Listing.model_validate(read_json(answer.body)), what="a list", write=False
    )
    if listing.hits is None and listing.hit_count is None:
        # Either may be missing; an object with neither is something else than an empty list.
        raise Unreachable("the answer about a list is no list")
    return listing


def _by_id(listing: Listing) -> tuple[dict[str, object], int]:
    rows: dict[str, object] = {}
    without_id = 0
    for item in listing.hits or ():
        try:
            row_id = read_id(item.get("id") if isinstance(item, dict) else None)
        except ValueError:
            without_id += 1
        else:
            rows.setdefault(row_id, item)
    return rows, without_id

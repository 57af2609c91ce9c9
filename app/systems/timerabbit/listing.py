"""Walk Timerabbit's lists by cursor, to the end and never for ever."""

from collections.abc import AsyncIterator, Mapping

from app.systems.calls import Call
from app.systems.ports import Rejected, Unreachable
from app.systems.reading import read_json, understood
from app.systems.timerabbit.account import Account
from app.systems.timerabbit.refusals import CURSOR_EXPIRED
from app.systems.timerabbit.wire import Listing

PAGE_SIZE = "500"


async def walk(account: Account, route: str, query: Mapping[str, str]) -> AsyncIterator[Listing]:
    """
    Give the pages of a list in order.

    A cursor that expired on the way starts the list anew, once: items then come twice, none is
    missed.

    Raises:
        Unreachable: The list leads back to a cursor it already gave, so it would never end.

    """
    used: set[str] = set()
    restarted = False
    cursor: str | None = None
    while True:
        try:
            listing = await _page(account, route, query, cursor)
        except Rejected as err:
            if restarted or not any(reason.code == CURSOR_EXPIRED for reason in err.reasons):
                raise
            restarted, cursor = True, None
            used.clear()
            continue
        yield listing
        cursor = listing.next_cursor
        if not cursor:
            return
        if cursor in used:
            raise Unreachable("a list of Timerabbit leads back to itself")
        used.add(cursor)


async def _page(
    account: Account, route: str, query: Mapping[str, str], cursor: str | None
) -> Listing:
    at = {"cursor": cursor} if cursor else {}
    answer = await account.send(Call("GET", route, query={**query, "limit": PAGE_SIZE, **at}))
    return understood(
        lambda: Listing.model_validate(read_json(answer.body)), what="a list", write=False
    )

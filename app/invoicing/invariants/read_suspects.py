"""
Read what may break an invariant of the ledger: the database groups and sums, few rows come out.

For one link, in a transaction that can only read. Each suspect comes of one statement, so that
what moves meanwhile looks like none.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text

from app.canonical import LinkId
from app.invoicing.invariants import suspect_statements as statements
from app.invoicing.invariants.violations import (
    Carried,
    HeldTwice,
    OnTwoLines,
    Summed,
    Suspects,
    Waiting,
)
from app.runtime import Runtime

MOST: Final = 200
"""Most suspects of a kind that are read; how many more there are is told."""

STUCK_AFTER: Final = timedelta(minutes=30)
"""After this long hours that are on their way must be done, or somebody must see why not."""

MOVED_WITHIN: Final = timedelta(minutes=5)
"""What moved within this time is not stuck."""

_READ: Final[Mapping[str, tuple[str, type]]] = {
    "summed": (statements.SUMMED, Summed),
    "carried": (statements.CARRIED, Carried),
    "held_twice": (statements.HELD_TWICE, HeldTwice),
    "on_two_lines": (statements.ON_TWO_LINES, OnTwoLines),
    "stuck": (statements.STUCK, Waiting),
    "ended": (statements.ENDED, Waiting),
}


async def read_suspects(
    runtime: Runtime, link_id: LinkId, *, now: datetime
) -> tuple[Suspects, int]:
    """Read a link's suspects, and how many more there are than were read."""
    values = {
        "link": link_id, "now": now, "late": now - STUCK_AFTER, "moved": now - MOVED_WITHIN,
        "most": MOST,
    }  # fmt: skip
    found: dict[str, Any] = {}
    more = 0
    async with runtime.database.reading(link_id) as session:
        await session.execute(text("SET TRANSACTION READ ONLY"))
        for name, (statement, shape) in _READ.items():
            rows = [
                dict(row) for row in (await session.execute(text(statement), values)).mappings()
            ]
            more += next((row["suspects"] - len(rows) for row in rows), 0)
            found[name] = [
                shape(**{key: value for key, value in row.items() if key != "suspects"})
                for row in rows
            ]
    return Suspects(**found), more

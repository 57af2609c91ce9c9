"""Count what is sealed with which key, so that an operator knows when an old one may go."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId
from app.database import Database

_AT_ONCE: Final = 500

# The vault writes the key's id, a colon (3a) and what only the key opens.
_KEY: Final = r"substring({0} FROM 1 FOR greatest(position('\x3a'::bytea IN {0}), 1) - 1)"

# A webhook secret after its grace, and a log-in that is used or too late, are opened by nobody.
_OF_LINKS: Final = text(
    f"SELECT {_KEY.format('sealed')}, count(*) FROM ("  # noqa: S608 - our own words only
    "SELECT sealed FROM credentials UNION ALL SELECT sealed FROM webhook_secrets"
    " WHERE expires_at IS NULL OR expires_at > :now) AS kept GROUP BY 1"
)
_OF_LOG_INS: Final = text(
    f"SELECT {_KEY.format('sealed_verifier')}, count(*) FROM oauth_states"  # noqa: S608 - as above
    " WHERE used_at IS NULL AND expires_at > :now GROUP BY 1"
)


@dataclass(frozen=True, slots=True)
class Sealed:
    """
    Tell how many secrets are sealed with each key, by the key's id in ``TC_KEYRING``.

    Args:
        in_use: Of open links: credentials, webhook secrets and log-ins under way.
        of_closed: Of closed links, which come to use again only when the couple is linked anew.

    """

    in_use: Mapping[str, int] = field(default_factory=dict)
    of_closed: Mapping[str, int] = field(default_factory=dict)


async def count_sealed(
    database: Database, still_open: Sequence[LinkId], closed: Sequence[LinkId], *, now: datetime
) -> Sealed:
    """Count over all links, in transactions bound to many at once; opens nothing."""
    in_use = await _of_links(database, still_open, now)
    async with database.reading() as session:
        in_use += await _count(session, _OF_LOG_INS, now)
    return Sealed(dict(in_use), dict(await _of_links(database, closed, now)))


async def _of_links(database: Database, links: Sequence[LinkId], now: datetime) -> Counter[str]:
    found: Counter[str] = Counter()
    for start in range(0, len(links), _AT_ONCE):
        async with database.reading(*links[start : start + _AT_ONCE]) as session:
            found += await _count(session, _OF_LINKS, now)
    return found


async def _count(session: AsyncSession, asked: TextClause, now: datetime) -> Counter[str]:
    rows = await session.execute(asked, {"now": now})
    return Counter({key.decode(errors="replace"): count for key, count in rows})

"""Say in one word what a plan's lines were drawn from, so that nothing is matched twice alike."""

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, Side
from app.systems.ports import Capabilities

# A record's revision rises with each change of what is known of it. Some 40 ms for 10,000 records.
_SEEN: Final = text("""
SELECT md5(concat(
  (SELECT string_agg(concat_ws(' ', side, kind, record_id, revision, complete, gone_at IS NULL), ','
          ORDER BY side, kind, record_id) FROM records WHERE link_id = :link_id), '|',
  (SELECT string_agg(concat_ws(' ', kind, time_id, books_id), ',' ORDER BY kind, time_id)
   FROM pairs WHERE link_id = :link_id), '|',
  (SELECT string_agg(concat_ws(' ', kind, time_id, books_id), ',' ORDER BY kind, time_id, books_id)
   FROM refusals WHERE link_id = :link_id)))
""")


async def sources_of(
    session: AsyncSession, link_id: LinkId, capabilities: Mapping[Side, Capabilities]
) -> str:
    """
    Give a SHA-256 hex of all that lines are drawn from: records, pairs, every no, and our rules.

    Equal ones mean equal lines. A person's answers are not in it: they live in the lines.
    """
    seen = await session.scalar(_SEEN, {"link_id": link_id})
    projects = all(found.projects for found in capabilities.values())
    said = json.dumps([seen, projects, version("timerabbit-conta")])
    return hashlib.sha256(said.encode()).hexdigest()

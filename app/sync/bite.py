"""Take a bounded bite of a link's due changes, with all that is needed to look at them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, RecordKind, Side
from app.changes.store import Due, take_due
from app.links.lifecycle import PROJECTS
from app.links.pairs import Pair
from app.links.store import LinkState, directory_entry, read_link
from app.records.fields import FIELDS
from app.runtime import Runtime
from app.sync.merge import Policy
from app.sync.store import ConflictRow, current_conflicts
from app.systems.ports import Capabilities, RecordKeeper


@dataclass(frozen=True, slots=True)
class Work:
    """
    Hold the changes that are one look: those of one pair, or of one record in no pair.

    Args:
        conflicts: The pair's open and decided conflicts.

    """

    kind: RecordKind
    dues: tuple[Due, ...]
    pair: Pair | None = None
    conflicts: Sequence[ConflictRow] = ()


@dataclass(frozen=True, slots=True)
class Bite:
    """
    Hold what one drain looks at.

    Args:
        held_until: A system asked for patience until then; nothing is taken before.
        projects: The books account may have projects.

    """

    works: tuple[Work, ...]
    policies: Mapping[str, Policy]
    projects: bool
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """Hold what every look of one drain shares: the link's two systems and its rules."""

    runtime: Runtime
    link_id: LinkId
    keepers: Mapping[Side, RecordKeeper]
    policies: Mapping[str, Policy]
    projects: bool
    abilities: dict[Side, Capabilities] = field(default_factory=dict)

    async def able(self, side: Side) -> Capabilities:
        """Give what a side can do, asked for once a drain and only when needed."""
        if side not in self.abilities:
            self.abilities[side] = await self.keepers[side].capabilities()
        return self.abilities[side]


async def take_bite(runtime: Runtime, link_id: LinkId) -> Bite | None:
    """Read the link's due changes, customers before projects; ``None`` if it does not work now."""
    now = runtime.clock()
    async with runtime.database.reading(link_id) as session:
        entry = await directory_entry(session, link_id)
        link = await read_link(session, link_id)
        if entry is None or link is None or entry.state != LinkState.ACTIVE:
            return None
        policies = read_policies(link.settings)
        held = max(
            (t for t in (entry.time_not_before, entry.books_not_before) if t and t > now),
            default=None,
        )
        if held is not None:
            return Bite((), policies, PROJECTS in link.features, held)
        dues = await take_due(session, link_id, now=now, bite=runtime.settings.drain_bite)
        works = await _group(session, link_id, dues)
    return Bite(works, policies, PROJECTS in link.features)


def read_policies(settings: Mapping[str, Any]) -> Mapping[str, Policy]:
    """Give the policy of each field: one for the link, and exceptions by field where set."""
    policy = Policy(settings.get("conflict_policy", Policy.ASK))
    exceptions = settings.get("field_policies", {})
    names = {name for fields in FIELDS.values() for name in fields}
    return {name: Policy(exceptions.get(name, policy)) for name in names}


async def _group(session: AsyncSession, link_id: LinkId, dues: Sequence[Due]) -> tuple[Work, ...]:
    pairs = await _pairs(session, link_id, dues)
    conflicts = await current_conflicts(
        session, link_id, list({pair.pair_id for pair in pairs.values()})
    )
    groups: dict[tuple[str, ...], list[Due]] = {}
    for due in dues:
        pair = pairs.get((due.side, due.kind, due.record_id))
        key = (due.kind, str(pair.pair_id)) if pair else (due.kind, due.side, due.record_id)
        groups.setdefault(key, []).append(due)
    works = []
    for group in groups.values():
        first = group[0]
        pair = pairs.get((first.side, first.kind, first.record_id))
        open_ones = conflicts.get(pair.pair_id, ()) if pair else ()
        works.append(Work(first.kind, tuple(group), pair, open_ones))
    return tuple(works)


async def _pairs(
    session: AsyncSession, link_id: LinkId, dues: Sequence[Due]
) -> dict[tuple[str, str, str], Pair]:
    """Find the pairs of the changed records, by side, kind and record id."""
    wanted = {side: [due.record_id for due in dues if due.side is side] for side in Side}
    if not dues:
        return {}
    rows = await session.scalars(
        select(Pair).where(
            Pair.link_id == link_id,
            or_(Pair.time_id.in_(wanted[Side.TIME]), Pair.books_id.in_(wanted[Side.BOOKS])),
        )
    )
    return {(side, pair.kind, pair.record_id(side)): pair for pair in rows.all() for side in Side}

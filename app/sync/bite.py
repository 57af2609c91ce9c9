"""Take a bounded bite of a link's due changes, with all that is needed to look at them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, RecordKind, Side
from app.changes.take import Due, take_due
from app.links.lifecycle import PROJECTS
from app.links.pairs import Pair
from app.links.store import LinkState
from app.records.expected import policies_of
from app.records.matching import Indexes
from app.runtime import Runtime
from app.sync.merge import Policy
from app.sync.open_both import Opened, read_opened
from app.sync.standing import Standing
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
        opened: The link's rows, for opening its two systems without another look.

    """

    works: tuple[Work, ...]
    policies: Mapping[str, Policy]
    projects: bool
    opened: Opened
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """
    Hold what every look of one drain shares: the link's two systems and its rules.

    Args:
        standing: Says whether a pair may still be written to.
        abilities: What each side can do, as asked for by ``able``.
        indexes: The two sides as read for matching, for all records of the drain.
        refreshed: Lists that were read anew in this drain, by side and kind.

    """

    runtime: Runtime
    link_id: LinkId
    keepers: Mapping[Side, RecordKeeper]
    policies: Mapping[str, Policy]
    projects: bool
    standing: Standing
    abilities: dict[Side, Capabilities] = field(default_factory=dict)
    indexes: Indexes = field(default_factory=Indexes)
    refreshed: dict[tuple[Side, RecordKind], asyncio.Future[None]] = field(default_factory=dict)

    async def able(self, side: Side) -> Capabilities:
        """Give what a side can do, asked for once a drain and only when needed."""
        if side not in self.abilities:
            self.abilities[side] = await self.keepers[side].capabilities()
        return self.abilities[side]


async def take_bite(runtime: Runtime, link_id: LinkId) -> Bite | None:
    """Read the link's due changes, customers before projects; ``None`` if it does not work now."""
    now = runtime.clock()
    async with runtime.database.reading(link_id) as session:
        opened = await read_opened(session, link_id)
        if opened is None or opened.state != LinkState.ACTIVE:
            return None
        until = opened.not_before
        held = until if until is not None and until > now else None
        bite = Bite((), read_policies(opened.settings), PROJECTS in opened.features, opened, held)
        if held is not None:
            return bite
        dues = await take_due(session, link_id, now=now, bite=runtime.settings.drain_bite)
        return replace(bite, works=await _group(session, link_id, dues))


def read_policies(settings: Mapping[str, Any]) -> Mapping[str, Policy]:
    """Give the policy of each field: one for the link, and exceptions by field where set."""
    return {name: Policy(policy) for name, policy in policies_of(settings).items()}


async def _group(
    session: AsyncSession, link_id: LinkId, dues: Sequence[tuple[Due, Pair | None]]
) -> tuple[Work, ...]:
    """Put the changes of one pair together, with its conflicts; a pair in step has none."""
    troubled = {pair.pair_id for _, pair in dues if pair is not None and pair.problem is not None}
    conflicts = await current_conflicts(session, link_id, sorted(troubled))
    groups: dict[tuple[str, ...], list[tuple[Due, Pair | None]]] = {}
    for due, pair in dues:
        key = (due.kind, str(pair.pair_id)) if pair else (due.kind, due.side, due.record_id)
        groups.setdefault(key, []).append((due, pair))
    works = []
    for group in groups.values():
        first, pair = group[0]
        open_ones = conflicts.get(pair.pair_id, ()) if pair else ()
        works.append(Work(first.kind, tuple(due for due, _ in group), pair, open_ones))
    return tuple(works)

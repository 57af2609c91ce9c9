"""Hold what one look at a pair came to, as it is kept in one short transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.canonical import Side
from app.links.pairs import Pair
from app.records.agreement import SHOWN
from app.records.fields import FieldMap
from app.sync.bite import Work
from app.sync.merge import Conflict, Loss
from app.sync.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Kept:
    """
    Hold what a look leaves in the pair.

    Args:
        base: The new base, ``SHOWN`` included.
        problem: What keeps the pair from being in step, or ``None``.
        written: The fields written on each side.

    """

    pair: Pair
    base: FieldMap
    problem: str | None
    conflicts: tuple[Conflict, ...] = ()
    losses: tuple[Loss, ...] = ()
    written: Mapping[Side, tuple[str, ...]] = field(default_factory=dict)

    @property
    def changes_pair(self) -> bool:
        """Say whether the pair's row must be written."""
        return dict(self.pair.base) != dict(self.base) or self.pair.problem != self.problem


@dataclass(frozen=True, slots=True)
class Outcome:
    """Hold a look's verdict for all its changes; ``kept`` where the two sides were compared."""

    work: Work
    verdict: Verdict
    kept: Kept | None = None


def with_shown(base: FieldMap, shown: Mapping[Side, FieldMap]) -> FieldMap:
    """Give a base with what each side makes of it; nothing is added where nothing differs."""
    said = {side.value: dict(fields) for side, fields in sorted(shown.items()) if fields}
    plain = {name: value for name, value in base.items() if name != SHOWN}
    return plain | {SHOWN: said} if said else plain

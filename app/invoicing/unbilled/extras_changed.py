"""
Note expenses and kilometres that are otherwise now than they were billed.

Nothing bills the difference: of an hour's expenses nobody can say which is which, and each, as its
kilometres, is billed once. A person is told for as long as they differ and stand billed.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, Ore, TimeEntry
from app.invoicing.ledger.corrections import (
    BILLED,
    CorrectionRow,
    billed_extras,
    corrections_of,
    is_extra,
)
from app.invoicing.lines.extras import (
    DRIVEN,
    EXPENSES,
    KILOMETRES,
    expense_ore,
    extra_id,
    extras_of,
)
from app.invoicing.lines.lines import line_net
from app.invoicing.store import Draft, LedgerRow

CHANGED: Final = "expensesChanged"
"""Names, among a draft's facts, what of its hours' is otherwise than billed: by entry id, kind."""

_AT_ONCE: Final = 1000
_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Standing:
    """Hold an expense, or an hour's kilometres, as a living draft bills it; øre a piece."""

    quantity: Decimal
    price: Ore

    @property
    def ore(self) -> Ore:
        """Give what it comes to before any discount."""
        return line_net(self.quantity, self.price)


Standings = Mapping[str, Mapping[UUID, Standing | None]]
"""What living drafts bill beside time, by entry and ``extra_id``; ``None`` where none says what."""


class ChangedExtra(NamedTuple):
    """Say that an hour's expenses, or its kilometres, were billed at other øre than they are."""

    draft_id: UUID
    entry_id: str
    what: str
    before: int
    after: int


async def read_standing(
    session: AsyncSession, link_id: LinkId, entry_ids: Sequence[str]
) -> Standings:
    """Read what living drafts bill of these hours beside time, and what it came to."""
    found: dict[str, dict[UUID, UUID]] = {}
    for start in range(0, len(entry_ids), _AT_ONCE):
        rows = await session.execute(
            select(CorrectionRow.entry_id, CorrectionRow.change_id, CorrectionRow.draft_id).where(
                CorrectionRow.link_id == link_id, CorrectionRow.active,
                CorrectionRow.corrected_line == 0,
                CorrectionRow.entry_id.in_(entry_ids[start : start + _AT_ONCE]),
            )
        )  # fmt: skip
        for entry_id, change_id, draft_id in rows:
            found.setdefault(entry_id, {})[change_id] = draft_id
    ids = {draft_id for there in found.values() for draft_id in there.values()}
    drafts = await session.scalars(
        select(Draft).where(Draft.link_id == link_id, Draft.draft_id.in_(ids))
    )
    said = {draft.draft_id: dict(_billed(draft)) for draft in drafts}
    return {
        entry_id: {one: said[draft_id].get(one) for one, draft_id in there.items()}
        for entry_id, there in found.items()
    }


def _billed(draft: Draft) -> Iterator[tuple[UUID, Standing]]:
    """Give what a draft bills beside time; one of an earlier version may not say how far."""
    about: Mapping[str, Any] = draft.body.get("about", {})
    driven = about.get(DRIVEN, {})
    for entry_id, names in about.get(BILLED, {}).items():
        for what in names:
            ore = expense_ore(what)
            if ore is not None:
                yield extra_id(entry_id, what), Standing(Decimal(1), ore)
            elif entry_id in driven:
                rate = Ore(driven[entry_id]["rate"])
                yield extra_id(entry_id, what), Standing(Decimal(driven[entry_id]["driven"]), rate)
    for one in corrections_of(draft):
        if is_extra(one):
            line = draft.body["lines"][one["lines"][0] - 1]
            yield UUID(one["changeId"]), Standing(Decimal(line["quantity"]), line["unitPrice"])


def differing(
    entry: TimeEntry, standing: Mapping[UUID, Standing | None], *, there: bool
) -> dict[str, Any]:
    """
    Say of an hour, by kind, what stands billed of it and what it has instead, each in øre.

    Args:
        there: Whether the hour is there still, and the customer's who was billed.

    """
    costs = {
        str(extra_id(entry.id, one.what)): one.cost.amount
        for one in (extras_of(entry) if there else ())
        if one.cost is not None
    }
    by_road = extra_id(entry.id, KILOMETRES)
    lost = {str(one): held for one, held in standing.items() if one != by_road}
    gone = {one: held.ore if held else None for one, held in lost.items() if one not in costs}
    fresh = {one: ore for one, ore in costs.items() if one not in lost}
    found: dict[str, Any] = {}
    known = [ore for ore in gone.values() if ore is not None]
    if known and len(known) == len(gone) and sum(known) != sum(fresh.values()):
        found[EXPENSES] = {"billed": gone, "now": fresh}
    road = standing.get(by_road)
    if road is not None:
        driven = (entry.kilometers or Decimal(0)) if there else Decimal(0)
        now = line_net(driven.quantize(_CENT), road.price)
        if now != road.ore:
            found[KILOMETRES] = {"billed": {str(by_road): road.ore}, "now": {KILOMETRES: now}}
    return found


async def changed_extras(
    session: AsyncSession, link_id: LinkId, drafts: Iterable[Draft]
) -> list[ChangedExtra]:
    """Give what was noted of these drafts' hours, where they hold them and it stands billed."""
    noted = {one.draft_id: one.facts.get(CHANGED, {}) for one in drafts}
    ids = sorted({entry_id for there in noted.values() for entry_id in there})
    if not ids:
        return []
    held = await session.execute(
        select(LedgerRow.draft_id, LedgerRow.entry_id).where(
            LedgerRow.link_id == link_id, LedgerRow.active, LedgerRow.entry_id.in_(ids)
        )
    )
    hours = {(draft_id, entry_id) for draft_id, entry_id in held}
    taken = await billed_extras(session, link_id, ids)
    return [
        ChangedExtra(draft_id, entry_id, what, before, after)
        for draft_id, there in noted.items()
        for entry_id, kinds in there.items()
        if (draft_id, entry_id) in hours
        for what, one in kinds.items()
        for before, after in [_sums(one, {str(name) for name in taken.get(entry_id, ())})]
        if before
    ]


def _sums(one: Mapping[str, Mapping[str, int]], taken: Collection[str]) -> tuple[int, int]:
    """Sum what stands billed still, and what does not; a draft may have been released since."""
    before = sum(ore for name, ore in one["billed"].items() if name in taken)
    return before, sum(ore for name, ore in one["now"].items() if name not in taken)

"""Sum the money on the table: unbilled kroner by customer, age and what hinders each hour."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, case, exists, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, RecordKind, Side
from app.invoicing.ledger.corrections import CorrectionRow
from app.invoicing.lines.extras import KILOMETRES, extra_id, unbilled_costs
from app.invoicing.store import LedgerRow
from app.invoicing.unbilled.hindrances import WARN_FROM, Hindrance, first_in_time
from app.invoicing.unbilled.hours import HourRow
from app.links.pairs import Pair
from app.records.store import KnownRecord

AGES: Final = ("fresh", "close-to-limit", "past-limit", "old")
OLD_DAYS: Final = 90


@dataclass(slots=True)
class Pile:
    """
    Hold one customer's unbilled hours; amounts in øre, hours without a rate count as none.

    Args:
        expenses_ore: What is not billed of its expenses, apart from the hours' ``ore``; likewise
            ``kilometres``.

    """

    customer_id: str | None
    customer_name: str | None
    ore: int = 0
    minutes: int = 0
    entry_count: int = 0
    oldest: date | None = None
    by_age: dict[str, int] = field(default_factory=lambda: dict.fromkeys(AGES, 0))
    entries_by_age: dict[str, int] = field(default_factory=lambda: dict.fromkeys(AGES, 0))
    by_hindrance: dict[str, dict[str, int]] = field(default_factory=dict)
    in_drafts_ore: int = 0
    expenses_ore: int = 0
    kilometres: Decimal = Decimal(0)


async def piles(
    session: AsyncSession, link_id: LinkId, *, today: date, approval_required: bool
) -> list[Pile]:
    """Give the customers with unbilled hours, the most money first; two statements."""
    age = today - HourRow.day
    ages = case(
        (age >= OLD_DAYS, "old"), (HourRow.day < first_in_time(today), "past-limit"),
        (age >= WARN_FROM.days, "close-to-limit"), else_="fresh",
    ).label("age")  # fmt: skip
    timed = HourRow.minutes > 0  # another is kept only for its expenses, at any rate
    hindrance = case(
        (LedgerRow.entry_id.is_not(None), Hindrance.IN_DRAFT.value),
        (HourRow.customer_id.is_(None), Hindrance.NO_CUSTOMER.value),
        (Pair.time_id.is_(None), Hindrance.CUSTOMER_NOT_LINKED.value),
        (HourRow.amount.is_(None), Hindrance.NO_RATE.value),
        ((HourRow.amount <= 0) & timed, Hindrance.ZERO_RATE.value),
        ((~HourRow.approved) & literal(approval_required), Hindrance.NOT_APPROVED.value),
        (HourRow.held, Hindrance.HELD.value),
        (HourRow.day > today, Hindrance.FUTURE.value),
        else_="",
    ).label("hindrance")
    pair = (
        (Pair.link_id == HourRow.link_id)
        & (Pair.kind == RecordKind.CUSTOMER.value)
        & (Pair.time_id == HourRow.customer_id)
    )
    ledger = (
        (LedgerRow.link_id == HourRow.link_id)
        & (LedgerRow.entry_id == HourRow.entry_id)
        & LedgerRow.active
    )
    name = func.coalesce(Pair.base["name"].astext, func.nullif(KnownRecord.name, ""))
    each = (
        select(
            HourRow.customer_id, name.label("name"), ages, hindrance,
            HourRow.minutes, HourRow.amount, HourRow.day, HourRow.expenses, HourRow.kilometres,
        )
        .outerjoin(Pair, pair)
        .outerjoin(LedgerRow, ledger)
        .outerjoin(KnownRecord, _seen())
        .where(HourRow.link_id == link_id)
        .subquery()
    )  # fmt: skip
    own = each.c
    rows = await session.execute(
        select(
            own.customer_id, own.name, own.age, own.hindrance, func.count().label("entries"),
            func.sum(own.minutes).label("minutes"),
            func.coalesce(func.sum(own.amount), 0).label("ore"),
            func.min(own.day).label("oldest"),
            func.coalesce(func.sum(own.expenses), 0).label("expenses"),
            func.coalesce(func.sum(own.kilometres), 0).label("kilometres"),
        ).group_by(own.customer_id, own.name, own.age, own.hindrance)
    )  # fmt: skip
    found: dict[str | None, Pile] = {}
    for row in rows.mappings():
        customer = row["customer_id"]
        _add(found.setdefault(customer, Pile(customer, row["name"])), row)
    await _take_off_billed(session, link_id, found)
    return sorted(found.values(), key=lambda pile: (-pile.ore, pile.customer_id or ""))


async def _take_off_billed(
    session: AsyncSession, link_id: LinkId, found: Mapping[str | None, Pile]
) -> None:
    """Take off what living drafts bill of free hours: a draft of what was left out outlives it."""
    in_draft = (
        exists()
        .where(LedgerRow.link_id == link_id, LedgerRow.entry_id == HourRow.entry_id)
        .where(LedgerRow.active)
    )
    rows = await session.execute(
        select(HourRow, func.array_agg(CorrectionRow.change_id))
        .join(
            CorrectionRow,
            (CorrectionRow.link_id == HourRow.link_id)
            & (CorrectionRow.entry_id == HourRow.entry_id)
            & CorrectionRow.active
            & (CorrectionRow.corrected_line == 0),
        )
        .where(
            HourRow.link_id == link_id,
            HourRow.expenses.is_not(None) | HourRow.kilometres.is_not(None),
            ~in_draft,
        )
        .group_by(HourRow.link_id, HourRow.entry_id)
    )
    for hour, billed in rows:
        pile, costs = found.get(hour.customer_id, Pile(None, None)), hour.costs or {}
        pile.expenses_ore -= sum(costs.values()) - unbilled_costs(hour.entry_id, costs, billed)
        if extra_id(hour.entry_id, KILOMETRES) in billed:
            pile.kilometres -= hour.kilometres or 0


def total(found: list[Pile]) -> Pile:
    """Sum all customers."""
    whole = Pile(None, None)
    hindered: dict[str, dict[str, int]] = defaultdict(lambda: {"ore": 0, "entryCount": 0})
    for pile in found:
        whole.ore += pile.ore
        whole.minutes += pile.minutes
        whole.entry_count += pile.entry_count
        whole.in_drafts_ore += pile.in_drafts_ore
        whole.expenses_ore += pile.expenses_ore
        whole.kilometres += pile.kilometres
        whole.oldest = min((d for d in (whole.oldest, pile.oldest) if d), default=None)
        for age in AGES:
            whole.by_age[age] += pile.by_age[age]
            whole.entries_by_age[age] += pile.entries_by_age[age]
        for code, sums in pile.by_hindrance.items():
            hindered[code]["ore"] += sums["ore"]
            hindered[code]["entryCount"] += sums["entryCount"]
    whole.by_hindrance = dict(hindered)
    return whole


def _seen() -> ColumnElement[bool]:
    """Choose the customer as its system was last read: one without a partner has a name too."""
    return (
        (KnownRecord.link_id == HourRow.link_id)
        & (KnownRecord.side == Side.TIME.value)
        & (KnownRecord.kind == RecordKind.CUSTOMER.value)
        & (KnownRecord.record_id == HourRow.customer_id)
    )


def _add(pile: Pile, row: Mapping[Any, Any]) -> None:
    ore, count = int(row["ore"]), int(row["entries"])
    if row["hindrance"] == Hindrance.IN_DRAFT.value:
        pile.in_drafts_ore += ore
        return
    pile.ore += ore
    pile.minutes += int(row["minutes"])
    pile.expenses_ore += int(row["expenses"])
    pile.kilometres += row["kilometres"]
    pile.entry_count += count
    pile.oldest = min(d for d in (pile.oldest, row["oldest"]) if d)
    pile.by_age[row["age"]] += ore
    pile.entries_by_age[row["age"]] += count
    if row["hindrance"]:
        sums = pile.by_hindrance.setdefault(row["hindrance"], {"ore": 0, "entryCount": 0})
        sums["ore"] += ore
        sums["entryCount"] += count

"""Take in the question how much money is unbilled."""

from datetime import date, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from pydantic import Field

from app.access.caller import Scope
from app.database import CommitPoint
from app.documents import AnswerDocument
from app.invoicing.as_of import read_again
from app.invoicing.unbilled.hindrances import last_in_time, oslo_day
from app.invoicing.unbilled.money import Pile, piles, total
from app.links.reach import Reached, reach
from app.problems import responses
from app.runtime import Running

router = APIRouter()
MayRead = Annotated[Reached, Depends(reach(Scope.INVOICES_READ))]
_COMMON: Final = ("not-signed-in", "scope-missing", "not-found", "invalid-request")
_PILE: Final[dict[str, Any]] = {
    "customerId": "cus_4", "customerName": "Eksempel AS", "ore": 712500, "minutes": 450,
    "entryCount": 1, "oldest": "2026-11-20", "billBefore": "2026-12-20",
    "byAge": {"fresh": 712500, "close-to-limit": 0, "past-limit": 0, "old": 0},
    "entriesByAge": {"fresh": 1, "close-to-limit": 0, "past-limit": 0, "old": 0},
    "byHindrance": {"not-approved": {"ore": 712500, "entryCount": 1}}, "inDraftsOre": 0,
    "expensesOre": 12000, "kilometres": "18.50",
}  # fmt: skip


class PileAnswer(AnswerDocument):
    """Hold unbilled hours of one customer (or of all): kroner in øre by age and hindrance."""

    customer_id: str | None
    customer_name: str | None
    ore: int
    minutes: int
    entry_count: int = Field(description="How many entries; `minutes` are their time.")
    oldest: date | None
    bill_before: date | None = Field(
        description="The last day on which the oldest hour can be billed in time: § 5-2-2."
    )
    by_age: dict[str, int] = Field(description="Øre.")
    entries_by_age: dict[str, int] = Field(description="How many entries.")
    by_hindrance: dict[str, dict[str, int]]
    in_drafts_ore: int
    expenses_ore: int = Field(
        description="Expenses on the hours that no draft holds or bills, in none of the other sums."
    )
    kilometres: str = Field(description="Kilometres on the hours, likewise.")


class MoneyAnswer(AnswerDocument):
    """Hold the money on the table as of an instant; `asOf` is null until it was first read."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {"asOf": "2026-11-24T09:00:00Z", "reading": False, "total": _PILE,
                 "customers": [_PILE]}
            ]
        }
    }  # fmt: skip

    as_of: datetime | None
    reading: bool = Field(description="Timerabbit is being read now; ask again in a while.")
    total: PileAnswer
    customers: list[PileAnswer]


@router.get(
    "/v1/links/{link_id}/money-on-the-table",
    tags=["hours"],
    operation_id="readMoneyOnTheTable",
    summary="Sum unbilled kroner by customer, age and hindrance.",
    responses=responses(*_COMMON),
)
async def get_money(reached: MayRead, runtime: Running) -> MoneyAnswer:
    """
    Use this to remind people.

    `close-to-limit` are 24 days and more, `past-limit` over a month, `old` 90 days.
    Hours are read from Timerabbit in the background, changes only. Scope `invoices:read`.
    """
    now = runtime.clock()
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        mark, reading = await read_again(session, reached, now)
        found = await piles(
            session, reached.link_id, today=oslo_day(now),
            approval_required=bool(mark and mark.approval_required),
        )  # fmt: skip
    return MoneyAnswer(
        as_of=mark.seen_at if mark else None, reading=reading, total=_pile(total(found)),
        customers=[_pile(pile) for pile in found if pile.entry_count or pile.in_drafts_ore],
    )  # fmt: skip


def _pile(pile: Pile) -> PileAnswer:
    return PileAnswer(
        customer_id=pile.customer_id, customer_name=pile.customer_name, ore=pile.ore,
        minutes=pile.minutes, entry_count=pile.entry_count, oldest=pile.oldest,
        bill_before=last_in_time(pile.oldest) if pile.oldest else None,
        by_age=pile.by_age, entries_by_age=pile.entries_by_age,
        by_hindrance=pile.by_hindrance, in_drafts_ore=pile.in_drafts_ore,
        expenses_ore=pile.expenses_ore, kilometres=f"{pile.kilometres:.2f}",
    )  # fmt: skip

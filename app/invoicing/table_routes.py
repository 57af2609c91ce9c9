"""Take in questions about unbilled money and about hours that changed after they were billed."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.caller import Scope
from app.database import CommitPoint
from app.documents import AnswerDocument, RequestDocument
from app.invoicing.answers import PreviewAnswer
from app.invoicing.drafts.record import make_due
from app.invoicing.ledger.decided import choose, is_open
from app.invoicing.lines.difference import worth
from app.invoicing.previews.follow_up import preview_follow_up
from app.invoicing.show import show_preview
from app.invoicing.store import Draft, EntryChange
from app.invoicing.unbilled.due import is_stale
from app.invoicing.unbilled.extras_added import added_extras, drafts_with_added
from app.invoicing.unbilled.hindrances import oslo_day
from app.invoicing.unbilled.hours import HoursMark, read_mark
from app.invoicing.unbilled.money import Pile, piles, total
from app.links.reach import Reached, reach
from app.links.store import LinkState
from app.problems import Problem, preferred_language, responses
from app.queue import Job, defer
from app.runtime import Running

router = APIRouter()
MayRead = Annotated[Reached, Depends(reach(Scope.INVOICES_READ))]
MayWrite = Annotated[Reached, Depends(reach(Scope.INVOICES_WRITE))]
_COMMON: Final = ("not-signed-in", "scope-missing", "not-found", "invalid-request")
_PILE: Final[dict[str, Any]] = {
    "customerId": "cus_4", "customerName": "Eksempel AS", "ore": 712500, "minutes": 450,
    "entryCount": 1, "oldest": "2026-11-20",
    "byAge": {"fresh": 712500, "close-to-limit": 0, "past-limit": 0, "old": 0},
    "byHindrance": {"not-approved": {"ore": 712500, "entryCount": 1}}, "inDraftsOre": 0,
}  # fmt: skip
_CHANGE: Final[dict[str, Any]] = {
    "id": "0199f3a0-0000-7000-8000-0000000000e1",
    "draftId": "0199f3a0-0000-7000-8000-0000000000d1", "entryId": "ent_3", "what": ["minutes"],
    "before": {"minutes": 450, "rate": 95000}, "after": {"minutes": 480, "rate": 95000},
    "beforeOre": 712500, "afterOre": 760000, "differenceOre": 47500, "choice": None,
    "chosenBy": None, "seenAt": "2026-11-24T09:00:00Z", "chosenAt": None,
}  # fmt: skip


class PileAnswer(AnswerDocument):
    """Hold unbilled hours of one customer (or of all): kroner in øre by age and hindrance."""

    customer_id: str | None
    customer_name: str | None
    ore: int
    minutes: int
    entry_count: int = Field(description="How many entries; `minutes` are their time.")
    oldest: date | None
    by_age: dict[str, int]
    by_hindrance: dict[str, dict[str, int]]
    in_drafts_ore: int


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


class ChangedHour(AnswerDocument):
    """Hold a billed hour that is otherwise now, with old and new in minutes and øre."""

    id: str
    draft_id: str
    entry_id: str
    what: list[str]
    before: dict[str, Any]
    after: dict[str, Any] | None
    before_ore: int
    after_ore: int
    difference_ore: int
    choice: str | None
    chosen_by: str | None
    seen_at: datetime
    chosen_at: datetime | None


class AddedExpenses(AnswerDocument):
    """Name what came to a billed hour and nothing bills: `expenses`, `kilometres`."""

    draft_id: str
    entry_id: str
    what: list[str]


class ChangedHours(AnswerDocument):
    """
    Hold changed hours, the newest first, with the sum of their differences.

    What was changed in Timerabbit after `asOf` is not among them yet.
    """

    model_config = {
        "json_schema_extra": {
            "examples": [
                {"asOf": "2026-11-24T09:00:00Z", "reading": False, "items": [_CHANGE],
                 "differenceOre": 47500, "expensesAdded": []}
            ]
        }
    }  # fmt: skip

    as_of: datetime | None
    reading: bool = Field(description="Timerabbit is being read now; ask again in a while.")
    items: list[ChangedHour]
    difference_ore: int
    expenses_added: list[AddedExpenses] = Field(
        default=[], description="Bill them by `left-out` of the draft."
    )


class ChoiceOfChanges(RequestDocument):
    """Leave changed hours as they were billed, or preview a follow-up of the difference."""

    model_config = {
        "json_schema_extra": {
            "examples": [{"changeIds": ["0199f3a0-0000-7000-8000-0000000000e1"], "choice": "leave"}]
        }
    }

    change_ids: list[UUID] = Field(min_length=1, max_length=500)
    choice: Literal["leave", "follow-up"]


class ChosenAnswer(AnswerDocument):
    """Say how many changes were decided now, or hold the preview of a follow-up."""

    model_config = {"json_schema_extra": {"examples": [{"decided": 1, "preview": None}]}}

    decided: int
    preview: PreviewAnswer | None


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
        mark, reading = await _read_again(session, reached, now)
        found = await piles(
            session, reached.link_id, today=oslo_day(now),
            approval_required=bool(mark and mark.approval_required),
        )  # fmt: skip
    return MoneyAnswer(
        as_of=mark.seen_at if mark else None, reading=reading, total=_pile(total(found)),
        customers=[_pile(pile) for pile in found if pile.entry_count or pile.in_drafts_ore],
    )  # fmt: skip


@router.get(
    "/v1/links/{link_id}/changed-hours",
    tags=["hours"],
    operation_id="listChangedHours",
    summary="List billed hours that were changed, moved, deleted or re-priced since.",
    responses=responses(*_COMMON),
)
async def get_changed(
    reached: MayRead,
    runtime: Running,
    choice: Annotated[Literal["open", "all"], Query()] = "open",
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
) -> ChangedHours:
    """
    Use this before month end; what was billed stays until you choose.

    Hours are read from Timerabbit every 15 minutes while any is billed, and asking refreshes what
    is older than that in the background. Scope `invoices:read`.
    """
    statement = (
        select(EntryChange, Draft.customer_time_id)
        .join(
            Draft, (Draft.link_id == EntryChange.link_id) & (Draft.draft_id == EntryChange.draft_id)
        )
        .where(EntryChange.link_id == reached.link_id)
    )
    if choice == "open":
        statement = statement.where(is_open(reached.link_id))
    now = runtime.clock()
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        mark, reading = await _read_again(session, reached, now)
        rows = await session.execute(statement.order_by(EntryChange.change_id.desc()).limit(limit))
        items = [_changed(row, customer) for row, customer in rows]
        drafts = await drafts_with_added(session, reached.link_id)
        added = await added_extras(session, reached.link_id, drafts)
    return ChangedHours(
        as_of=mark.seen_at if mark else None, reading=reading, items=items,
        difference_ore=sum(one.difference_ore for one in items),
        expenses_added=[
            AddedExpenses(draft_id=draft_id, entry_id=entry_id, what=what)
            for draft_id, there in added.items()
            for entry_id, what in there.items()
        ],
    )  # fmt: skip


@router.post(
    "/v1/links/{link_id}/changed-hours",
    tags=["hours"],
    operation_id="decideChangedHours",
    summary="Leave changed hours, or preview a follow-up draft of the difference.",
    responses=responses(
        *_COMMON, "link-not-active", "nothing-to-bill", "customer-not-linked", "draft-not-standing",
        "system-unreachable", "system-access-refused", "system-refused",
    ),
)  # fmt: skip
async def post_changed(
    body: ChoiceOfChanges, reached: MayWrite, runtime: Running, request: Request
) -> ChosenAnswer:
    """
    Use this to decide; the choice and who made it are kept. A follow-up is of one customer.

    It is decided when its preview is sent, and open again if that draft is refused or released. Its
    lines may be negative, its total may not: that were a credit note, which a person makes in
    Conta. Scope `invoices:write`.
    """
    reached.require_active()
    by, now = reached.caller.subject, runtime.clock()
    if body.choice == "leave":
        async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
            decided = await choose(
                session, reached.link_id, body.change_ids, "leave", by=by, now=now
            )
            if not decided:
                raise Problem("not-found")
        return ChosenAnswer(decided=decided, preview=None)
    made = await preview_follow_up(runtime, reached.link_id, body.change_ids)
    language = preferred_language(request.headers.get("accept-language"))
    shown = await show_preview(runtime, reached.link_id, made, language)
    return ChosenAnswer(decided=0, preview=shown)


async def _read_again(
    session: AsyncSession, reached: Reached, now: datetime
) -> tuple[HoursMark | None, bool]:
    """Ask for the hours to be read where that is due; gives as of when they are known by now."""
    mark = await read_mark(session, reached.link_id)
    reading = reached.state is LinkState.ACTIVE and is_stale(mark, now)
    if reading:
        await defer(session, Job.READ_HOURS, reached.link_id)
        await make_due(session, reached.link_id, now)  # from then on as long as hours are billed
    return mark, reading


def _pile(pile: Pile) -> PileAnswer:
    return PileAnswer(
        customer_id=pile.customer_id, customer_name=pile.customer_name, ore=pile.ore,
        minutes=pile.minutes, entry_count=pile.entry_count, oldest=pile.oldest, by_age=pile.by_age,
        by_hindrance=pile.by_hindrance, in_drafts_ore=pile.in_drafts_ore,
    )  # fmt: skip


def _changed(row: EntryChange, customer_id: str) -> ChangedHour:
    """Show a change; an hour that is another customer's now is worth nothing to this one."""
    before: Mapping[str, Any] = row.before
    old = worth(before, before.get("customerId", customer_id))
    new = worth(row.after, customer_id)
    return ChangedHour(
        id=str(row.change_id), draft_id=str(row.draft_id), entry_id=row.entry_id,
        what=list(row.what), before=dict(before), after=dict(row.after) or None, before_ore=old,
        after_ore=new, difference_ore=new - old, choice=row.choice, chosen_by=row.chosen_by,
        seen_at=row.seen_at, chosen_at=row.chosen_at,
    )  # fmt: skip

"""Take in questions about hours that changed after they were billed, and what becomes of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from sqlalchemy import select

from app.access.caller import Scope
from app.database import CommitPoint
from app.documents import AnswerDocument, RequestDocument
from app.invoicing.answers import PreviewAnswer
from app.invoicing.as_of import read_again
from app.invoicing.ledger.decided import choose, is_open
from app.invoicing.lines.difference import worth
from app.invoicing.previews.follow_up import preview_follow_up
from app.invoicing.show import show_preview
from app.invoicing.store import Draft, EntryChange
from app.invoicing.unbilled.extras_added import ADDED, added_extras, drafts_noting
from app.invoicing.unbilled.extras_changed import CHANGED, changed_extras
from app.links.reach import Reached, reach
from app.paging import Paging
from app.problems import Problem, preferred_language, responses
from app.runtime import Running

router = APIRouter()
MayRead = Annotated[Reached, Depends(reach(Scope.INVOICES_READ))]
MayWrite = Annotated[Reached, Depends(reach(Scope.INVOICES_WRITE))]
_COMMON: Final = ("not-signed-in", "scope-missing", "not-found", "invalid-request")
_CHANGE: Final[dict[str, Any]] = {
    "id": "0199f3a0-0000-7000-8000-0000000000e1",
    "draftId": "0199f3a0-0000-7000-8000-0000000000d1", "entryId": "ent_3", "what": ["minutes"],
    "before": {"minutes": 450, "rate": 95000}, "after": {"minutes": 480, "rate": 95000},
    "beforeOre": 712500, "afterOre": 760000, "differenceOre": 47500, "choice": None,
    "chosenBy": None, "seenAt": "2026-11-24T09:00:00Z", "chosenAt": None,
}  # fmt: skip


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


class ChangedExpenses(AnswerDocument):
    """Show what a billed hour's `expenses` or `kilometres` came to, and what they come to now."""

    draft_id: str
    entry_id: str
    what: Literal["expenses", "kilometres"]
    before_ore: int = Field(description="What stands billed, before any discount.")
    after_ore: int = Field(description="What is there instead, at the rate that was billed.")


class ChangedHours(AnswerDocument):
    """
    Hold a page of changed hours, the newest first, with the sum of all pages' differences.

    What was changed in Timerabbit after `asOf` is not among them yet.
    """

    model_config = {
        "json_schema_extra": {
            "examples": [
                {"asOf": "2026-11-24T09:00:00Z", "reading": False, "items": [_CHANGE],
                 "differenceOre": 47500, "expensesAdded": [], "expensesChanged": [],
                 "nextCursor": None}
            ]
        }
    }  # fmt: skip

    as_of: datetime | None
    reading: bool = Field(description="Timerabbit is being read now; ask again in a while.")
    items: list[ChangedHour]
    difference_ore: int = Field(description="The sum over all that match, not this page alone.")
    expenses_added: list[AddedExpenses] = Field(
        default=[], description="All there are. Bill them by `left-out` of the draft."
    )
    expenses_changed: list[ChangedExpenses] = Field(
        default=[],
        description="All there are, while they differ and stand billed. The draft holds the hour;"
        " nothing bills the difference by itself.",
    )
    next_cursor: str | None


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
    "/v1/links/{link_id}/changed-hours",
    tags=["hours"],
    operation_id="listChangedHours",
    summary="List billed hours that were changed, moved, deleted or re-priced since.",
    responses=responses(*_COMMON, "invalid-cursor"),
)
async def get_changed(
    reached: MayRead,
    runtime: Running,
    paging: Paging,
    choice: Annotated[Literal["open", "all"], Query()] = "open",
) -> ChangedHours:
    """
    Use this before month end; what was billed stays until you choose.

    Hours are read from Timerabbit every 15 minutes while any is billed, and asking refreshes what
    is older than that in the background. Scope `invoices:read`.
    """
    page = paging.of(f"changed-hours {reached.link_id} {choice}", key=runtime.cursor_key)
    matching = (
        select(EntryChange, Draft.customer_time_id)
        .join(
            Draft, (Draft.link_id == EntryChange.link_id) & (Draft.draft_id == EntryChange.draft_id)
        )
        .where(EntryChange.link_id == reached.link_id)
    )
    if choice == "open":
        matching = matching.where(is_open(reached.link_id))
    newest_first = matching.order_by(EntryChange.change_id.desc())
    now = runtime.clock()
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        mark, reading = await read_again(session, reached, now)
        everything = [_changed(*row) for row in await session.execute(newest_first)]
        drafts = await drafts_noting(session, reached.link_id, ADDED)
        added = await added_extras(session, reached.link_id, drafts)
        drafts = await drafts_noting(session, reached.link_id, CHANGED)
        otherwise = await changed_extras(session, reached.link_id, drafts)
    rest = [one for one in everything if page.after_id is None or UUID(one.id) < page.after_id]
    items, more = page.cut(rest, lambda one: [one.id])
    return ChangedHours(
        as_of=mark.seen_at if mark else None, reading=reading, items=list(items),
        difference_ore=sum(one.difference_ore for one in everything),
        expenses_added=[
            AddedExpenses(draft_id=draft_id, entry_id=entry_id, what=what)
            for draft_id, there in added.items()
            for entry_id, what in there.items()
        ],
        expenses_changed=[
            ChangedExpenses(
                draft_id=str(one.draft_id), entry_id=one.entry_id, what=one.what,
                before_ore=one.before, after_ore=one.after,
            )
            for one in otherwise
        ],
        next_cursor=more,
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

"""Take in what comes before a draft: the hours to choose from, and the preview."""

from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from app.access.caller import Scope
from app.canonical import RecordId
from app.documents import Day
from app.invoicing.answers import PreviewAnswer
from app.invoicing.asked import LeftOutRequest, PreviewRequest
from app.invoicing.drafts.draft import read_preview
from app.invoicing.listed import EntryList, entry_list
from app.invoicing.previews.left_out import preview_left_out
from app.invoicing.previews.preview import make_preview
from app.invoicing.show import existing_draft, show_preview
from app.invoicing.unbilled.choose import read_choice
from app.invoicing.wished import require_period, wish_of
from app.invoicing.words import say_refusal
from app.links.reach import Reached, reach
from app.problems import Problem, preferred_language, responses
from app.runtime import Running
from app.systems.ports import EntryQuery

router = APIRouter()
MayRead = Annotated[Reached, Depends(reach(Scope.INVOICES_READ))]
MayWrite = Annotated[Reached, Depends(reach(Scope.INVOICES_WRITE))]
_COMMON: Final = ("not-signed-in", "scope-missing", "not-found", "invalid-request")
_SYSTEMS: Final = (
    "link-not-active", "system-unreachable", "system-access-refused", "system-refused",
)  # fmt: skip


_ShortId = Annotated[str, Field(min_length=1, max_length=64)]


@dataclass(frozen=True, slots=True)
class _Hours:
    """Hold which hours a caller asks for."""

    query: EntryQuery
    overtime: str | None


def _hours(
    customer_id: Annotated[_ShortId | None, Query(alias="customerId")] = None,
    project_id: Annotated[_ShortId | None, Query(alias="projectId")] = None,
    employee_id: Annotated[_ShortId | None, Query(alias="employeeId")] = None,
    overtime_type: Annotated[str | None, Query(alias="overtimeType", max_length=100)] = None,
    first_day: Annotated[Day | None, Query(alias="firstDay")] = None,
    last_day: Annotated[Day | None, Query(alias="lastDay")] = None,
) -> _Hours:
    query = EntryQuery(
        customer_id=RecordId(customer_id) if customer_id else None,
        project_id=RecordId(project_id) if project_id else None,
        employee_id=employee_id,
        first_day=first_day,
        last_day=last_day,
    )
    return _Hours(query, overtime_type)


@router.get(
    "/v1/links/{link_id}/billable-entries",
    tags=["hours"],
    operation_id="listBillableEntries",
    summary="List hours to bill, with the reason for each that cannot be billed.",
    responses=responses(*_COMMON, *_SYSTEMS, "billable-hours-off"),
)
async def get_billable_entries(
    reached: MayRead,
    runtime: Running,
    request: Request,
    wanted: Annotated[_Hours, Depends(_hours)],
) -> EntryList:
    """
    Use this to let a person choose: each hour with its amount and, where it cannot be billed, why.

    Days are inclusive; ids are Timerabbit's; a project takes its subprojects along; an empty
    `overtimeType` takes plain hours only. `expenses` and `kilometres` are what an hour has beside
    time and nothing bills yet, in no sum of hours. All that match come in one answer, since they
    are chosen from and summed together; narrow them by customer or days. Scope `invoices:read`.
    """
    reached.require_active()
    require_period(wanted.query, "#query/lastDay")
    choice = await read_choice(runtime, reached.link_id, wanted.query, overtime=wanted.overtime)
    language = preferred_language(request.headers.get("accept-language"))
    return entry_list(choice, language)


@router.post(
    "/v1/links/{link_id}/invoice-drafts/preview",
    tags=["drafts"],
    status_code=201,
    operation_id="previewInvoiceDraft",
    summary="Show a draft exactly as it will be sent, with every problem at once.",
    responses=responses(
        *_COMMON,
        *_SYSTEMS,
        "customer-not-linked",
        "nothing-to-bill",
        "billable-hours-off",
        "template-invalid",
        "currency-not-supported",
    ),
)
async def post_preview(
    body: PreviewRequest, reached: MayWrite, runtime: Running, request: Request
) -> PreviewAnswer:
    """
    Use this before every draft: what is sent later is this preview, line by line.

    It is kept for an hour. Hours that cannot be billed are left out and named. Minutes are summed
    first and converted once per line; printed hours times printed price is the line, to the øre.
    Scope `invoices:write`.
    """
    reached.require_active()
    earlier = None
    if body.based_on is not None:
        earlier = dict((await read_preview(runtime, reached.link_id, body.based_on, old=True)).wish)
    language = preferred_language(request.headers.get("accept-language"))
    try:
        preview = await make_preview(runtime, reached.link_id, wish_of(body, earlier))
    except Problem as refused:
        raise say_refusal(refused, language) from None
    return await show_preview(runtime, reached.link_id, preview, language)


@router.post(
    "/v1/links/{link_id}/invoice-drafts/{draft_id}/left-out",
    tags=["drafts"],
    status_code=201,
    operation_id="previewLeftOut",
    summary="Preview the expenses and kilometres that a draft left out.",
    responses=responses(
        *_COMMON, *_SYSTEMS, "customer-not-linked", "nothing-to-bill", "draft-state"
    ),
)
async def post_left_out(
    body: LeftOutRequest, draft_id: UUID, reached: MayWrite, runtime: Running, request: Request
) -> PreviewAnswer:
    """
    Use this where a draft shows `expensesLeftOut`: they become a draft of their own, once.

    The hours stay in the first draft. Where that is released, what was billed here is billed: a
    new draft of the hours leaves it out. Scope `invoices:write`.
    """
    reached.require_active()
    draft = await existing_draft(runtime, reached.link_id, draft_id)
    preview = await preview_left_out(runtime, reached.link_id, draft, body.wish())
    language = preferred_language(request.headers.get("accept-language"))
    return await show_preview(runtime, reached.link_id, preview, language)

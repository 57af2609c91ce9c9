"""Take in what comes before a draft: the hours to choose from, and the preview."""

from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request

from app.access.caller import Scope
from app.canonical import EntryId, RecordId
from app.invoicing.answers import (
    EntryList,
    PreviewAnswer,
    PreviewRequest,
    entry_answer,
    preview_answer,
)
from app.invoicing.choose import read_choice
from app.invoicing.lines import hours, line_net
from app.invoicing.preview import Wish, make_preview
from app.invoicing.vat import PERCENT
from app.links.reach import Reached, reach
from app.problems import preferred_language, responses
from app.runtime import Running
from app.systems.ports import EntryQuery

router = APIRouter()
MayRead = Annotated[Reached, Depends(reach(Scope.INVOICES_READ))]
MayWrite = Annotated[Reached, Depends(reach(Scope.INVOICES_WRITE))]
_COMMON: Final = ("not-signed-in", "scope-missing", "not-found", "invalid-request")
_SYSTEMS: Final = (
    "link-not-active", "system-unreachable", "system-access-refused", "system-refused",
)  # fmt: skip


@router.get(
    "/v1/links/{link_id}/billable-entries",
    tags=["hours"],
    operation_id="listBillableEntries",
    summary="List hours to bill, with the reason for each that cannot be billed.",
    responses=responses(*_COMMON, *_SYSTEMS),
)
async def get_billable_entries(
    reached: MayRead,
    runtime: Running,
    request: Request,
    customer_id: Annotated[str | None, Query(alias="customerId", max_length=64)] = None,
    project_id: Annotated[str | None, Query(alias="projectId", max_length=64)] = None,
    employee_id: Annotated[str | None, Query(alias="employeeId", max_length=64)] = None,
    first_day: Annotated[date | None, Query(alias="firstDay")] = None,
    last_day: Annotated[date | None, Query(alias="lastDay")] = None,
) -> EntryList:
    """
    Use this to let a person choose: each hour with its amount and, where it cannot be billed, why.

    Days are inclusive; ids are Timerabbit's. Scope `invoices:read`.
    """
    reached.require_active()
    query = EntryQuery(
        customer_id=RecordId(customer_id) if customer_id else None,
        project_id=RecordId(project_id) if project_id else None,
        employee_id=employee_id,
        first_day=first_day,
        last_day=last_day,
    )
    choice = await read_choice(runtime, reached.link_id, query)
    language = preferred_language(request.headers.get("accept-language"))
    billable = choice.billable
    return EntryList(
        items=[entry_answer(judged, language) for judged in choice.judged],
        count=len(choice.judged),
        billable_count=len(billable),
        billable_minutes=sum(entry.minutes for entry in billable),
        billable_ore=sum(
            line_net(hours(e.minutes), e.hourly_rate) for e in billable if e.hourly_rate
        ),
    )


@router.post(
    "/v1/links/{link_id}/invoice-drafts/preview",
    tags=["drafts"],
    status_code=201,
    operation_id="previewInvoiceDraft",
    summary="Show a draft exactly as it will be sent, with every problem at once.",
    responses=responses(*_COMMON, *_SYSTEMS, "customer-not-linked", "nothing-to-bill"),
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
    wish = Wish(
        query=EntryQuery(
            customer_id=RecordId(body.customer_id),
            project_id=RecordId(body.project_id) if body.project_id else None,
            first_day=body.first_day, last_day=body.last_day,
        ),
        entry_ids=tuple(EntryId(e) for e in body.entry_ids) if body.entry_ids else None,
        grouping=body.grouping, vat_code=body.vat_code, texts=body.texts,
    )  # fmt: skip
    preview = await make_preview(runtime, reached.link_id, wish)
    language = preferred_language(request.headers.get("accept-language"))
    return preview_answer(preview, PERCENT, language)

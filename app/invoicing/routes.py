"""Take in what concerns hours and drafts: choose, preview, make, look, send again, release."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import select

from app.access.caller import Scope
from app.database import CommitPoint
from app.documents import Listing
from app.idempotency import REPLAYED, Fresh, KeyedCall, KeyHeader, Repeat, claim, free, keyed_call
from app.invoicing.answers import DraftAnswer
from app.invoicing.asked import DraftRequest, InvoiceRequest, ReleaseRequest
from app.invoicing.batch_routes import router as batch_router
from app.invoicing.changed_routes import router as changed_router
from app.invoicing.choice_routes import router as choice_router
from app.invoicing.drafts.decide import look_now, name_invoice, release_hours, send_again
from app.invoicing.drafts.draft import asked_by, create_draft, read_preview
from app.invoicing.drafts.release_lines import release_lines
from app.invoicing.ledger_routes import router as ledger_router
from app.invoicing.needs import DraftProblem, with_problem
from app.invoicing.preview_routes import router as preview_router
from app.invoicing.show import existing_draft, show_draft, show_drafts
from app.invoicing.specification_routes import router as specification_router
from app.invoicing.store import Draft, DraftState
from app.invoicing.table_routes import router as table_router
from app.links.reach import Reached, reach
from app.paging import Paging
from app.problems import preferred_language, responses
from app.runtime import Running, Runtime

router = APIRouter()
for _router in (
    preview_router, batch_router, changed_router, choice_router, ledger_router,
    specification_router, table_router,
):  # fmt: skip
    router.include_router(_router)
MayRead = Annotated[Reached, Depends(reach(Scope.INVOICES_READ))]
MayWrite = Annotated[Reached, Depends(reach(Scope.INVOICES_WRITE))]
_COMMON: Final = ("not-signed-in", "scope-missing", "not-found", "invalid-request")
_SYSTEMS: Final = (
    "link-not-active", "system-unreachable", "system-access-refused", "system-refused",
)  # fmt: skip
_DONE: Final = (DraftState.CREATED, DraftState.COMPLETED, DraftState.REFUSED, DraftState.RELEASED)


@router.post(
    "/v1/links/{link_id}/invoice-drafts",
    tags=["drafts"],
    status_code=201,
    operation_id="makeInvoiceDraft",
    summary="Make the previewed draft in Conta; each hour once.",
    responses={
        202: {"model": DraftAnswer, "description": "Taken; the draft is on its way, see `state`."},
        200: {"model": DraftAnswer, "description": "A repeat: the draft as it is now."},
        **responses(
            *_COMMON, *_SYSTEMS, "preview-outdated", "preview-blocked", "hours-already-in-draft",
            "hours-held-by-earlier-link", "idempotency-key-missing", "idempotency-key-reused",
            "idempotency-key-in-progress",
        ),
    },
)  # fmt: skip
async def post_draft(
    body: DraftRequest,
    reached: MayWrite,
    runtime: Running,
    request: Request,
    response: Response,
    idempotency_key: KeyHeader = None,  # noqa: ARG001 - declared here, read by keyed_call
) -> DraftAnswer:
    """
    Use this when the person presses «Send til Conta».

    201: the draft stands in Conta. 202: it is on its way, or Conta's answer was lost; we look for
    it and never send it twice: read the draft to follow it. `state` is `refused` when Conta said
    no; the hours are free again then. The same key again shows the draft as it is now.
    Scope `invoices:write`.
    """
    call = await keyed_call(request, reached.caller.name)
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        claimed = await claim(session, call, link_id=reached.link_id, now=runtime.clock())
    if isinstance(claimed, Repeat):
        response.headers.update(REPLAYED)
        response.status_code = 200
        draft_id = UUID(claimed.resource_id)
    else:
        draft = await _make(runtime, reached, body, call, claimed)
        draft_id = draft.draft_id
        response.status_code = 201 if draft.state in _DONE else 202
    response.headers["Location"] = f"/v1/links/{reached.link_id}/invoice-drafts/{draft_id}"
    return await show_draft(runtime, reached.link_id, draft_id, _language(request))


async def _make(
    runtime: Runtime, reached: Reached, body: DraftRequest, call: KeyedCall, fresh: Fresh
) -> Draft:
    try:
        reached.require_active()
        preview = await read_preview(runtime, reached.link_id, body.preview_id)
        preview = asked_by(preview, body.requested_by_employee_id)
        return await create_draft(
            runtime, reached.link_id, preview, requested_by=reached.caller.subject,
            keyed=(call, fresh),
        )  # fmt: skip
    except Exception:
        async with runtime.database.transaction(CommitPoint.PLAIN) as session:
            await free(session, call, fresh)  # frees only a key that made nothing
        raise


@router.get(
    "/v1/links/{link_id}/invoice-drafts",
    tags=["drafts"],
    operation_id="listInvoiceDrafts",
    summary="List drafts, the newest first.",
    responses=responses(*_COMMON, "invalid-cursor"),
)
async def get_drafts(
    reached: MayRead,
    runtime: Running,
    request: Request,
    paging: Paging,
    state: Annotated[DraftState | None, Query()] = None,
    problem: Annotated[
        DraftProblem | None, Query(description="One problem; `any`: all that waits for a person.")
    ] = None,
) -> Listing[DraftAnswer]:
    """Use this to see what was sent and what waits for you. Scope `invoices:read`."""
    page = paging.of(f"drafts {reached.link_id} {state} {problem}", key=runtime.cursor_key)
    statement = select(Draft).where(Draft.link_id == reached.link_id)
    if state is not None:
        statement = statement.where(Draft.state == state.value)
    if problem is not None:
        statement = statement.where(with_problem(problem))
    if page.after_id is not None:
        statement = statement.where(Draft.draft_id < page.after_id)
    newest_first = statement.order_by(Draft.draft_id.desc()).limit(page.row_limit)
    async with runtime.database.reading(reached.link_id) as session:
        drafts = (await session.scalars(newest_first)).all()
    shown, more = page.cut(drafts, lambda draft: [str(draft.draft_id)])
    items = await show_drafts(runtime, reached.link_id, shown, _language(request))
    return Listing[DraftAnswer](items=items, next_cursor=more)


@router.get(
    "/v1/links/{link_id}/invoice-drafts/{draft_id}",
    tags=["drafts"],
    operation_id="getInvoiceDraft",
    summary="Read a draft: how far it has come, its lines, its hours.",
    responses=responses(*_COMMON),
)
async def get_draft(
    draft_id: UUID, reached: MayRead, runtime: Running, request: Request
) -> DraftAnswer:
    """Use this to follow a draft that was answered 202, and to see which hours it holds.

    Scope `invoices:read`.
    """
    return await show_draft(runtime, reached.link_id, draft_id, _language(request))


@router.post(
    "/v1/links/{link_id}/invoice-drafts/{draft_id}/resend",
    tags=["drafts"],
    operation_id="resendInvoiceDraft",
    summary="Send a draft again because a person looked and it is not in Conta.",
    responses=responses(*_COMMON, *_SYSTEMS, "draft-state"),
)
async def post_resend(
    draft_id: UUID, reached: MayWrite, runtime: Running, request: Request
) -> DraftAnswer:
    """
    Use this only where `state` is `needs-person` and the draft is not in Conta.

    The service itself never sends twice when it cannot know. Scope `invoices:write`.
    """
    reached.require_active()
    draft = await existing_draft(runtime, reached.link_id, draft_id)
    await send_again(runtime, reached.link_id, draft, by=reached.caller.subject)
    return await show_draft(runtime, reached.link_id, draft_id, _language(request))


@router.post(
    "/v1/links/{link_id}/invoice-drafts/{draft_id}/release",
    tags=["drafts"],
    operation_id="releaseInvoiceDraft",
    summary="Set a draft's hours free, where Conta holds neither the draft nor an invoice of it.",
    responses=responses(
        *_COMMON,
        *_SYSTEMS,
        "draft-state",
        "draft-holds-hours",
        "draft-just-gone",
        "draft-may-be-invoiced",
        "follow-up-holds-hours",
        "follow-up-gave-hours-back",
    ),
)
async def post_release(
    body: ReleaseRequest, draft_id: UUID, reached: MayWrite, runtime: Running, request: Request
) -> DraftAnswer:
    """
    Use this after a draft was deleted in Conta, or its invoice credited; once.

    Where an invoice without the mark looks like the draft, look in Conta first and say so with
    `lookedInConta`, or name the invoice. Where a person took lines out of the draft in Conta, name
    them in `lines`: only their hours are set free, and the draft stays. Scope `invoices:write`.
    """
    reached.require_active()
    draft = await existing_draft(runtime, reached.link_id, draft_id)
    told = {"reason": body.reason, "by": reached.caller.subject}
    looked = body.looked_in_conta
    if body.lines is None:
        await release_hours(runtime, reached.link_id, draft, **told, looked=looked)
    else:
        await release_lines(runtime, reached.link_id, draft, body.lines, **told, looked=looked)
    return await show_draft(runtime, reached.link_id, draft_id, _language(request))


@router.post(
    "/v1/links/{link_id}/invoice-drafts/{draft_id}/look",
    tags=["drafts"],
    operation_id="lookAtInvoiceDraft",
    summary="Look in Conta now for what became of a draft.",
    responses=responses(*_COMMON, *_SYSTEMS),
)
async def post_look(
    draft_id: UUID, reached: MayWrite, runtime: Running, request: Request
) -> DraftAnswer:
    """Use this when a person opens a draft and does not want to wait. Scope `invoices:write`."""
    reached.require_active()
    draft = await existing_draft(runtime, reached.link_id, draft_id)
    await look_now(runtime, reached.link_id, draft)
    return await show_draft(runtime, reached.link_id, draft_id, _language(request))


@router.post(
    "/v1/links/{link_id}/invoice-drafts/{draft_id}/invoice",
    tags=["drafts"],
    operation_id="nameInvoiceOfDraft",
    summary="Say which invoice a draft became, where its mark was edited away.",
    responses=responses(*_COMMON, *_SYSTEMS, "draft-state"),
)
async def post_invoice(
    body: InvoiceRequest, draft_id: UUID, reached: MayWrite, runtime: Running, request: Request
) -> DraftAnswer:
    """Use this where `became.what` is `unclear`. Scope `invoices:write`."""
    reached.require_active()
    draft = await existing_draft(runtime, reached.link_id, draft_id)
    await name_invoice(
        runtime, reached.link_id, draft, invoice_id=body.invoice_id, by=reached.caller.subject
    )
    return await show_draft(runtime, reached.link_id, draft_id, _language(request))


def _language(request: Request) -> str:
    return preferred_language(request.headers.get("accept-language"))

"""Take in several customers at once: previews and drafts, each with a result of its own."""

import hashlib
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from app.access.caller import Scope
from app.database import CommitPoint
from app.documents import AnswerDocument
from app.idempotency import Fresh, KeyedCall, KeyHeader, Repeat, claim, finish, free, keyed_call
from app.invoicing.answers import DraftAnswer, PreviewAnswer, preview_answer
from app.invoicing.asked import BatchPreviewRequest, BatchRequest
from app.invoicing.drafts.draft import asked_by, create_draft, read_preview
from app.invoicing.examples import EXAMPLE_DRAFT, EXAMPLE_PREVIEW
from app.invoicing.lines.vat import PERCENT
from app.invoicing.previews.preview import make_preview, vat_said
from app.invoicing.show import show_draft
from app.invoicing.wished import batch_wish, require_period
from app.invoicing.words import say_refusal
from app.links.reach import Reached, reach
from app.links.system_problems import problem_of
from app.problems import Problem, preferred_language, responses
from app.runtime import Running, Runtime
from app.systems.ports import EntryQuery, SystemFault

router = APIRouter()
MayWrite = Annotated[Reached, Depends(reach(Scope.INVOICES_WRITE))]
_COMMON: Final = ("not-signed-in", "scope-missing", "not-found", "invalid-request")
_SYSTEMS: Final = (
    "link-not-active", "system-unreachable", "system-access-refused", "system-refused",
)  # fmt: skip


class PreviewResult(AnswerDocument):
    """Hold one customer's preview, or the problem that stands in its way."""

    customer_id: str
    preview: PreviewAnswer | None = None
    problem: dict[str, Any] | None = None


class PreviewResults(AnswerDocument):
    """Hold one result for each customer, in the order asked for."""

    model_config = {
        "json_schema_extra": {
            "examples": [{"items": [{"customerId": "cus_4", "preview": EXAMPLE_PREVIEW}]}]
        }
    }

    items: list[PreviewResult]


class DraftResult(AnswerDocument):
    """Hold one preview's draft as it stands, or the problem that stands in its way."""

    preview_id: str
    draft: DraftAnswer | None = None
    problem: dict[str, Any] | None = None


class DraftResults(AnswerDocument):
    """Hold one result for each preview, in the order asked for."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "items": [
                        {
                            "previewId": "0199f3a0-0000-7000-8000-0000000000c1",
                            "draft": EXAMPLE_DRAFT,
                        }
                    ]
                }
            ]
        }
    }

    items: list[DraftResult]


@router.post(
    "/v1/links/{link_id}/invoice-drafts/previews",
    tags=["drafts"],
    operation_id="previewInvoiceDrafts",
    summary="Preview a draft for each of several customers.",
    responses=responses(*_COMMON, *_SYSTEMS),
)
async def post_previews(
    body: BatchPreviewRequest, reached: MayWrite, runtime: Running, request: Request
) -> PreviewResults:
    """
    Use this at month end: one preview a customer, or the problem that stands in its way.

    No hours, or a system that failed for one customer, stops no other. `expenseVatCode` and
    `kilometres` bill each customer's own, as in a preview of one. Scope `invoices:write`.
    """
    reached.require_active()
    require_period(EntryQuery(first_day=body.first_day, last_day=body.last_day))
    language = preferred_language(request.headers.get("accept-language"))
    async with runtime.database.reading(reached.link_id) as session:
        said = await vat_said(session, reached.link_id)
    items = []
    for customer in dict.fromkeys(body.customer_ids):
        try:
            made = await make_preview(runtime, reached.link_id, batch_wish(body, customer))
        except (Problem, SystemFault) as failed:
            told = _document(failed, request, language)
            items.append(PreviewResult(customer_id=customer, problem=told))
        else:
            shown = preview_answer(made, PERCENT, said, language)
            items.append(PreviewResult(customer_id=customer, preview=shown))
    return PreviewResults(items=items)


@router.post(
    "/v1/links/{link_id}/invoice-drafts/batch",
    tags=["drafts"],
    operation_id="makeInvoiceDrafts",
    summary="Make several previewed drafts in Conta, one result each.",
    responses=responses(*_COMMON, *_SYSTEMS, "idempotency-key-missing", "idempotency-key-reused"),
)
async def post_batch(
    body: BatchRequest,
    reached: MayWrite,
    runtime: Running,
    request: Request,
    idempotency_key: KeyHeader = None,  # noqa: ARG001 - declared here, read by keyed_call
) -> DraftResults:
    """
    Use this after several previews. One that cannot be made does not stop the others.

    The same key again shows each draft as it is now and makes those that were refused by a
    problem; it never makes one twice. With other previews it is refused. Scope `invoices:write`.
    """
    reached.require_active()
    call = await keyed_call(request, reached.caller.name)
    await _hold_to_body(runtime, reached, call)
    language = preferred_language(request.headers.get("accept-language"))
    items = []
    for preview_id in dict.fromkeys(body.preview_ids):
        try:
            draft_id = await _make(runtime, reached, preview_id, body, call)
        except (Problem, SystemFault) as failed:
            told = _document(failed, request, language)
            items.append(DraftResult(preview_id=preview_id, problem=told))
        else:
            shown = await show_draft(runtime, reached.link_id, draft_id, language)
            items.append(DraftResult(preview_id=preview_id, draft=shown))
    return DraftResults(items=items)


async def _hold_to_body(runtime: Runtime, reached: Reached, whole: KeyedCall) -> None:
    """
    Refuse the batch's key with another body.

    Each draft has a key of its own, so the batch's is done as soon as it is taken: a repeat goes
    on wherever a death left it.
    """
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        claimed = await claim(session, whole, link_id=reached.link_id, now=runtime.clock())
        if isinstance(claimed, Fresh):
            await finish(session, whole, claimed, resource_id="batch")


async def _make(
    runtime: Runtime, reached: Reached, preview_id: str, body: BatchRequest, whole: KeyedCall
) -> UUID:
    """Make one draft of the batch under a key of its own, derived from the batch's."""
    own = hashlib.sha256(preview_id.encode()).digest()
    call = KeyedCall(hashlib.sha256(whole.scope + own).digest(), own)
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        claimed = await claim(session, call, link_id=reached.link_id, now=runtime.clock())
    if isinstance(claimed, Repeat):
        return UUID(claimed.resource_id)
    try:
        preview = await read_preview(runtime, reached.link_id, preview_id)
        preview = asked_by(preview, body.requested_by_employee_id)
        draft = await create_draft(
            runtime, reached.link_id, preview, requested_by=reached.caller.subject,
            keyed=(call, claimed),
        )  # fmt: skip
    except Exception:
        async with runtime.database.transaction(CommitPoint.PLAIN) as session:
            await free(session, call, claimed)
        raise
    return draft.draft_id


def _document(failed: Problem | SystemFault, request: Request, language: str) -> dict[str, Any]:
    problem = failed if isinstance(failed, Problem) else problem_of(failed)
    return say_refusal(problem, language).document(
        language, base_url=request.app.state.public_url, instance=request.url.path,
        request_id=getattr(request.state, "request_id", ""),
    )  # fmt: skip

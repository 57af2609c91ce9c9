"""Take in what concerns a link as a whole: start, log in, read, change, pause, resume, unlink."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.caller import Caller, Scope
from app.access.require import require
from app.canonical import LinkId, Side
from app.database import CommitPoint
from app.documents import IfMatch, Listing, etag, expect_version
from app.idempotency import (
    REPLAYED,
    Fresh,
    KeyedCall,
    KeyHeader,
    Repeat,
    claim,
    finish,
    free,
    keyed_call,
)
from app.links.answers import (
    TRIAL_NOTICE,
    HandoverReturn,
    LinkAnswer,
    SettingsChange,
    StartedLink,
    StartLink,
    link_answer,
)
from app.links.change_state import pause, resume
from app.links.connect import Wanted, begin_login, start_link
from app.links.key_routes import router as key_router
from app.links.leave import close_link
from app.links.lifecycle import PauseReason
from app.links.log_in import Returned, finish_login
from app.links.reach import Reached, links_of, reach
from app.links.store import Credential, lock_link, read_link
from app.paging import Paging
from app.problems import Problem, preferred_language, responses
from app.runtime import Running, Runtime

router = APIRouter(tags=["connect"])

MayRead = Annotated[Reached, Depends(reach(Scope.LINKS_READ))]
MayWrite = Annotated[Reached, Depends(reach(Scope.LINKS_WRITE))]

_COMMON = ("not-signed-in", "scope-missing", "not-found", "invalid-request")


async def show(session: AsyncSession, link_id: LinkId) -> LinkAnswer:
    """Read a link as it is shown; the session must be bound to it."""
    link = await read_link(session, link_id)
    if link is None:
        raise Problem("not-found")
    key = await session.get(Credential, (link_id, Side.BOOKS.value))
    return link_answer(link, has_key=key is not None)


@router.post(
    "/v1/links",
    status_code=201,
    operation_id="startLink",
    summary="Start a link, or a new log-in on an existing one, from Conta's side.",
    responses={
        200: {"model": StartedLink, "description": "The open link, with a fresh log-in page."},
        **responses(
            "not-signed-in", "scope-missing", "invalid-request", "account-not-yours",
            "return-url-refused", "account-already-linked", "idempotency-key-missing",
            "idempotency-key-reused", "idempotency-key-in-progress", "system-unreachable",
            "own-access-refused",
        ),
    },
)  # fmt: skip
async def post_link(
    body: StartLink,
    request: Request,
    response: Response,
    runtime: Running,
    caller: Annotated[Caller, Depends(require(Scope.LINKS_WRITE))],
    idempotency_key: KeyHeader = None,  # noqa: ARG001 - declared here, read by keyed_call
) -> StartedLink:
    """
    Use this when a person presses «Koble til Timerabbit» in Conta.

    Show `notice`, then send the browser to `handoverUrl`. An organization that has an open link
    gets that link with a fresh log-in page (a lost log-in is mended so, without a new first sync);
    a closed one is reopened with its pairs and its hour ledger. Scope `links:write`.
    """
    call = await keyed_call(request, caller.name)
    async with runtime.database.transaction(CommitPoint.PLAIN) as session:
        claimed = await claim(session, call, link_id=None, now=runtime.clock())
    wanted = Wanted(
        body.conta_organization_id, body.organization_number, body.name, body.return_url,
        another_company=body.another_company and not isinstance(claimed, Repeat),
    )  # fmt: skip
    language = preferred_language(request.headers.get("accept-language"))
    async with _given_back_on_failure(runtime, call, claimed):
        link_id, new = await start_link(runtime, caller, wanted)
        page = await begin_login(runtime, caller, link_id, locale=f"{language}-NO")
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        if isinstance(claimed, Repeat):
            response.headers.update(REPLAYED)
        else:
            await finish(session, call, claimed, resource_id=str(link_id))
        link = await show(session, link_id)
    response.status_code = 201 if new else 200
    response.headers["Location"] = f"/v1/links/{link_id}"
    return StartedLink(
        link=link, handover_url=page.url, expires_at=page.expires_at, notice=TRIAL_NOTICE[language]
    )


@asynccontextmanager
async def _given_back_on_failure(
    runtime: Runtime, call: KeyedCall, claimed: Fresh | Repeat
) -> AsyncIterator[None]:
    """Give the key back when the call fails: starting again finds what was made."""
    try:
        yield
    except Exception:
        if isinstance(claimed, Fresh):
            async with runtime.database.transaction(CommitPoint.PLAIN) as session:
                await free(session, call, claimed)
        raise


@router.get(
    "/v1/links",
    operation_id="listLinks",
    summary="List the links of your accounts.",
    responses=responses("not-signed-in", "scope-missing", "invalid-request", "invalid-cursor"),
)
async def get_links(
    runtime: Running,
    caller: Annotated[Caller, Depends(require(Scope.LINKS_READ))],
    paging: Paging,
) -> Listing[LinkAnswer]:
    """Use this to find the links an accountant looks after; the newest first.

    Scope `links:read`.
    """
    page = paging.of(f"links|{caller.name}", key=runtime.cursor_key)
    async with runtime.database.reading() as session:
        entries = [
            LinkId(entry.link_id)
            for entry in await links_of(session, caller)
            if page.after_id is None or entry.link_id < page.after_id
        ]
    shown, more = page.cut(entries, lambda link_id: [str(link_id)])
    async with runtime.database.reading(*shown) as session:
        items = [await show(session, link_id) for link_id in shown]
    return Listing[LinkAnswer](items=items, next_cursor=more)


@router.get(
    "/v1/links/{link_id}",
    operation_id="getLink",
    summary="Read a link.",
    responses=responses(*_COMMON),
)
async def get_link(reached: MayRead, runtime: Running, response: Response) -> LinkAnswer:
    """Use this to show a link's accounts, state and settings; `ETag` names its version.

    Scope `links:read`.
    """
    async with runtime.database.reading(reached.link_id) as session:
        link = await show(session, reached.link_id)
    response.headers["ETag"] = etag(link.version)
    return link


@router.patch(
    "/v1/links/{link_id}/settings",
    operation_id="changeSettings",
    summary="Change a link's settings.",
    responses=responses(*_COMMON, "precondition-failed", "precondition-required"),
)
async def patch_settings(
    body: SettingsChange,
    reached: MayWrite,
    runtime: Running,
    response: Response,
    if_match: IfMatch = None,
) -> LinkAnswer:
    """Use this to choose the default VAT code, who wins a conflict, and the brake.

    A policy counts from a record's next look; a conflict that is open stays a person's to decide.

    Scope `links:write`.
    """
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        link = await lock_link(session, reached.link_id)
        if link is None:
            raise Problem("not-found")
        present = (await show(session, reached.link_id)).model_dump(mode="json", by_alias=True)
        expect_version(if_match, link.version, present=present)
        link.settings = body.laid_over(link.settings)
        link.version += 1
        link.updated_at = runtime.clock()
        await session.flush()
        answer = await show(session, reached.link_id)
    response.headers["ETag"] = etag(answer.version)
    return answer


@router.post(
    "/v1/links/{link_id}/handover",
    operation_id="finishHandover",
    summary="Bring back what the log-in at Timerabbit gave the browser.",
    responses=responses(
        *_COMMON, "handover-refused", "organization-numbers-differ", "account-already-linked",
        "another-company-linked", "system-refused", "system-unreachable", "own-access-refused",
    ),
)  # fmt: skip
async def post_handover(body: HandoverReturn, reached: MayWrite, runtime: Running) -> LinkAnswer:
    """
    Use this from the page that `returnUrl` names, with the same person's token that started it.

    `state` is good once, for ten minutes, for that person only. Where the organization numbers
    differ nothing is linked; start again and confirm. Go on with the `id` that is answered: a
    couple that was linked before gets its own link back, with its pairs and its hour ledger, and
    the one that was started is closed. Scope `links:write`.
    """
    link_id = await finish_login(
        runtime, reached.caller, reached.link_id,
        Returned(body.code, body.state, body.iss, body.confirm_different_numbers),
    )  # fmt: skip
    return await _present(runtime, link_id)


@router.post(
    "/v1/links/{link_id}/pause",
    operation_id="pauseLink",
    summary="Pause a link.",
    responses=responses(*_COMMON, "link-state"),
)
async def post_pause(reached: MayWrite, runtime: Running) -> LinkAnswer:
    """Use this to let work wait; hints are kept and nothing is lost. Scope `links:write`."""
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        link = await lock_link(session, reached.link_id)
        changed = await pause(
            session, reached.link_id, reason=PauseReason.PERSON_ASKED, now=runtime.clock(),
            detail={"by": reached.caller.subject},
        )  # fmt: skip
        if not changed and link is not None and link.pause_reason is None:
            raise Problem("link-state", state=link.state, target="paused")
    return await _present(runtime, reached.link_id)


@router.post(
    "/v1/links/{link_id}/resume",
    operation_id="resumeLink",
    summary="Let a paused link go on where it was.",
    responses=responses(*_COMMON, "link-closed"),
)
async def post_resume(reached: MayWrite, runtime: Running) -> LinkAnswer:
    """Use this when the reason of the pause is mended; a running link is left as it is.

    Scope `links:write`.
    """
    reached.require_open()
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        await resume(session, reached.link_id, now=runtime.clock())
    return await _present(runtime, reached.link_id)


@router.delete(
    "/v1/links/{link_id}",
    operation_id="closeLink",
    summary="Unlink the two accounts.",
    responses=responses(*_COMMON),
)
async def delete_link(reached: MayWrite, runtime: Running) -> LinkAnswer:
    """
    Use this to end a link: its key and log-in are erased, webhooks unsubscribed.

    Pairs and the hour ledger stay, as bookkeeping evidence; linking the same couple again goes on
    with them, so nothing is made twice. Scope `links:write`.
    """
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        await close_link(session, reached.link_id, now=runtime.clock())
    return await _present(runtime, reached.link_id)


async def _present(runtime: Runtime, link_id: LinkId) -> LinkAnswer:
    async with runtime.database.reading(link_id) as session:
        return await show(session, link_id)


router.include_router(key_router)

"""Show the inbox of a link and take in what a person decides about what waits there."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query

from app.access.caller import Scope
from app.changes.answers import ChangeAnswer, Retry, RetryAnswer, RetryItem, change_answer
from app.changes.inbox import (
    Chosen,
    count_again,
    count_changes,
    list_changes,
    look_again,
    put_aside,
)
from app.database import CommitPoint
from app.documents import Listing
from app.links.reach import Reached, reach
from app.paging import PAGE_LIMIT, Paging
from app.problems import FieldError, Problem, preferred_language, responses
from app.runtime import Running

router = APIRouter(tags=["inbox"])

MayRead = Annotated[Reached, Depends(reach(Scope.LINKS_READ))]
MayDecide = Annotated[Reached, Depends(reach(Scope.SYNC_DECIDE))]
Language = Annotated[
    str | None, Header(alias="Accept-Language", description="nb, nn or en; nb without it.")
]

_COMMON = ("not-signed-in", "scope-missing", "not-found", "invalid-request")
_SAMPLES = 20


@router.get(
    "/v1/links/{link_id}/changes",
    operation_id="listChanges",
    summary="List the records that wait, for us or for a person.",
    responses=responses(*_COMMON, "invalid-cursor"),
)
async def get_changes(
    reached: MayRead,
    runtime: Running,
    paging: Paging,
    state: Annotated[
        Literal["pending", "parked", "ignored"] | None,
        Query(description="`parked` is the inbox proper."),
    ] = None,
    kind: Literal["customer", "project"] | None = None,
    side: Literal["time", "books"] | None = None,
    accept_language: Language = None,
) -> Listing[ChangeAnswer]:
    """
    Use this to draw the inbox: each record once, why it is not in step, and who can fix it.

    A record that is in step has no line. Scope `links:read`.
    """
    scope = f"changes|{reached.link_id}|{state}|{kind}|{side}"
    page = paging.of(scope, key=runtime.cursor_key)
    async with runtime.database.reading(reached.link_id) as session:
        rows = await list_changes(
            session,
            reached.link_id,
            Chosen(state, kind, side),
            limit=page.row_limit,
            after=page.after,
        )
    shown, more = page.cut(rows, lambda row: [row.side, row.kind, row.record_id])
    language = preferred_language(accept_language)
    items = [change_answer(row, language=language) for row in shown]
    return Listing[ChangeAnswer](items=items, next_cursor=more)


@router.post(
    "/v1/links/{link_id}/changes/retry",
    operation_id="retryChanges",
    summary="Look at waiting or parked records again now.",
    responses=responses(*_COMMON),
)
async def post_retry(reached: MayDecide, runtime: Running, body: Retry) -> RetryAnswer:
    """
    Use this after something was mended: by ids, or all that fit a filter.

    `dryRun` counts and samples without doing anything. Repeating it does no harm. On a link that
    is not active the records wait until it is. Scope `sync:decide`.
    """
    chosen = _chosen(body)
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        found = await list_changes(
            session, reached.link_id, chosen, limit=PAGE_LIMIT if body.ids else _SAMPLES
        )
        matched = await count_changes(session, reached.link_id, chosen)
        if not body.dry_run:
            await look_again(session, reached.link_id, chosen, now=runtime.clock())
    result: Any = "would-retry" if body.dry_run else "retried"
    known = {str(row.change_id) for row in found}
    asked = body.ids if body.ids is not None else sorted(known)
    items = [RetryItem(id=one, result=result if one in known else "not-found") for one in asked]
    return RetryAnswer(matched=matched, dry_run=body.dry_run, items=items)


@router.post(
    "/v1/links/{link_id}/changes/{change_id}/ignore",
    operation_id="ignoreChange",
    summary="Put a waiting record aside until it changes again.",
    responses=responses(*_COMMON),
)
async def post_ignore(
    reached: MayDecide, runtime: Running, change_id: str, accept_language: Language = None
) -> ChangeAnswer:
    """
    Use this when a person decides that nothing is to be done.

    Nothing is written to either system. The record comes back by itself when it changes again;
    `retry` brings it back now. Repeating it does no harm. Scope `sync:decide`.
    """
    wanted = _id(change_id)
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        change = await put_aside(session, reached.link_id, wanted) if wanted else None
        if change is None:
            raise Problem("not-found")
        await count_again(session, reached.link_id, now=runtime.clock())
    return change_answer(change, language=preferred_language(accept_language))


def _chosen(body: Retry) -> Chosen:
    if (body.ids is None) == (body.filter is None):
        error = FieldError("/ids", "one-of", "Give either ids or a filter.")
        raise Problem("invalid-request", errors=[error])
    if body.ids is not None:
        return Chosen(ids=[found for one in body.ids if (found := _id(one)) is not None])
    wanted = body.filter
    assert wanted is not None  # noqa: S101 - exactly one of them is given
    return Chosen(wanted.state, wanted.kind, wanted.side, wanted.code)


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None

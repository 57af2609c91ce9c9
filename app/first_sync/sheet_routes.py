"""Hand out the plan as a sheet, and take in the answers a person gave in it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from app.access.caller import Scope
from app.database import CommitPoint
from app.documents import AnswerDocument, etag
from app.first_sync.plan.renew import match_projects_again, take_fixes_in
from app.first_sync.plan.search import Filter, Sort, ids_of, page_of_lines
from app.first_sync.proposal_routes import Chosen, the_plan
from app.first_sync.sheet.answers import Taken, take_sheet
from app.first_sync.sheet.files import (
    MEDIA_TYPES,
    Format,
    Unreadable,
    read_sheet,
    write_csv,
    write_xlsx,
)
from app.first_sync.sheet.sheet import headings, row_of
from app.first_sync.store import Plan
from app.links.reach import Reached, reach
from app.problems import Problem, preferred_language, responses
from app.runtime import Running, Runtime

SHEET_PATH: Final = "/first-sync/sheet"
"""Ends the path whose bodies may be larger than others (``TC_MAX_SHEET_BYTES``)."""

router = APIRouter()
MayRead = Annotated[Reached, Depends(reach(Scope.LINKS_READ))]
MayDecide = Annotated[Reached, Depends(reach(Scope.SYNC_DECIDE))]
_COMMON: Final = ("not-signed-in", "scope-missing", "not-found", "invalid-request")
_BASE: Final = f"/v1/links/{{link_id}}{SHEET_PATH}"
_BITE: Final = 500
_EXAMPLE: Final[dict[str, Any]] = {"rows": 212, "answered": 37, "unchanged": 175, "dryRun": False}
_FILES: Final = {
    MEDIA_TYPES[Format.CSV].partition(";")[0]: {
        "schema": {"type": "string"},
        "example": "Linje;Versjon;Svar;Motpart\n0199f3a0-0000-7000-8000-000000000021;1;koble;10017",
    },
    MEDIA_TYPES[Format.XLSX]: {"schema": {"type": "string", "format": "binary"}, "example": "PK…"},
}


class SheetAnswer(AnswerDocument):
    """Say what a sheet came to."""

    model_config = {"json_schema_extra": {"examples": [_EXAMPLE]}}

    rows: int
    answered: int
    unchanged: int
    dry_run: bool


@router.get(
    _BASE,
    operation_id="downloadSheet",
    summary="Get the plan's lines as CSV or XLSX.",
    response_class=Response,
    responses={
        **responses(*_COMMON, "too-many-lines-chosen"),
        200: {"description": "The sheet, in the caller's language.", "content": _FILES},
    },
)
async def get_sheet(
    reached: MayRead,
    runtime: Running,
    request: Request,
    wanted: Chosen,
    file_format: Annotated[Format, Query(alias="format")] = Format.XLSX,
) -> Response:
    """
    Use this to review beside the screen, with the same filters as the list; doubles come first.

    Answers go into the columns «Svar», «Motpart» and, with a link, «Vinner: …» (`Timerabbit` or
    `Conta`, by field), and come back by POST. Every cell is text: postal codes keep their zeros,
    and nothing is a formula. A filter that hits more than 20,000 lines is refused, for no sheet
    takes more: narrow it. Scope `links:read`.
    """
    language = preferred_language(request.headers.get("accept-language"))
    await take_fixes_in(runtime, reached.link_id)
    async with runtime.database.reading(reached.link_id) as session:
        plan = await the_plan(session, reached.link_id)
        await ids_of(session, plan, wanted)  # refuses what is too much before any of it is read
    lines = [row_of(one, language) async for one in _lines(runtime, reached, plan, wanted)]
    rows = [headings(language), *lines]
    if file_format is Format.CSV:
        body = await asyncio.to_thread(lambda: b"".join(write_csv(rows)))
    else:
        body = await asyncio.to_thread(write_xlsx, rows)
    name = f'attachment; filename="plan.{file_format.value}"'
    headers = {"Content-Disposition": name, "Cache-Control": "no-store", "ETag": etag(plan.version)}
    return Response(body, media_type=MEDIA_TYPES[file_format], headers=headers)


@router.post(
    _BASE,
    operation_id="uploadSheet",
    summary="Take the answers given in a downloaded sheet: all, or none.",
    responses=responses(
        *_COMMON, "first-sync-not-open", "sheet-refused", "sheet-not-readable", "sheet-too-large",
        "sheet-columns-missing", "sheet-columns-twice", "body-too-large",
    ),
    openapi_extra={"requestBody": {"required": True, "content": _FILES}},
)  # fmt: skip
async def post_sheet(
    reached: MayDecide,
    runtime: Running,
    request: Request,
    dry_run: Annotated[bool, Query(alias="dryRun")] = False,
) -> SheetAnswer:
    """
    Use this with the file as it was saved, XLSX or CSV.

    A first line `sep=;` and Excel's «Unicode-tekst» (UTF-16 with tabs) are understood too.
    Only «Linje», «Versjon», «Svar», «Motpart» and «Vinner: …» are read, in any of the three
    languages.

    An empty answer leaves a line as it is; «fjern svar» takes one back. All rows are checked
    first: a line that someone changed since the download, an unknown word or a partner that is
    taken refuses the whole sheet, with row and column of each fault, and nothing is changed.
    Uploading the same file again changes nothing. Scope `sync:decide`.
    """
    body = await request.body()
    try:
        rows = await asyncio.to_thread(read_sheet, body)
    except Unreadable as error:
        raise Problem(error.code, **error.facts) from None
    language = preferred_language(request.headers.get("accept-language"))
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        plan = await the_plan(session, reached.link_id, lock=True)
        taken: Taken = await take_sheet(
            session, plan, rows, by=reached.caller.subject, language=language, now=runtime.clock()
        )
        if dry_run:
            await session.rollback()
    if not dry_run:
        await match_projects_again(runtime, reached.link_id, taken.touched)
    return SheetAnswer(
        rows=taken.rows, answered=taken.answered, unchanged=taken.unchanged, dry_run=dry_run
    )


async def _lines(
    runtime: Runtime, reached: Reached, plan: Plan, wanted: Filter
) -> AsyncIterator[dict[str, Any]]:
    """Read the lines of a filter in bites, so that no transaction stays open for all of them."""
    after: list[Any] | None = None
    while True:
        async with runtime.database.reading(reached.link_id) as session:
            rows = await page_of_lines(
                session, plan, wanted, after=after, limit=_BITE, sort=Sort.YIELD
            )
        for row in rows:
            yield dict(row)
        if len(rows) < _BITE:
            return
        after = list(rows[-1]["place"])

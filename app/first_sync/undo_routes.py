"""Show what undoing a run would do, and take in that it shall be done."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.caller import Scope
from app.database import CommitPoint
from app.documents import AnswerDocument, Listing
from app.first_sync.run_shown import find_run
from app.first_sync.store import Run
from app.first_sync.undo.undo import ask_undo, pause_undo
from app.first_sync.undo.uses import Undone, undone_counts, undone_lines
from app.links.reach import Reached, reach
from app.paging import Paging
from app.problems import catalogue, preferred_language, responses, say
from app.runtime import Running

router = APIRouter()
MayRead = Annotated[Reached, Depends(reach(Scope.LINKS_READ))]
MayDecide = Annotated[Reached, Depends(reach(Scope.SYNC_DECIDE))]
_COMMON: Final = ("not-signed-in", "scope-missing", "not-found", "invalid-request")
_BASE: Final = "/v1/links/{link_id}/first-sync/runs/{run_id}/undo"

EXAMPLE_UNDO: Final[dict[str, Any]] = {
    "state": None,
    "by": None,
    "startedAt": None,
    "endedAt": None,
    "parts": {"customer": 32, "project": 7},
    "archives": {"books": {"customer": 4, "project": 1}, "time": {"customer": 8}},
    "hindered": {"used-in-draft": 1},
    "done": 0,
    "total": 39,
}
EXAMPLE_LINE: Final[dict[str, Any]] = {
    "id": "0199f3a0-0000-7000-8000-000000000021",
    "kind": "customer",
    "name": "Blåtroll Bygg",
    "archivedIn": "books",
    "recordId": "10041",
    "state": None,
    "code": "used-in-draft",
    "text": "Står i en fakturakladd",
    "facts": {"mark": "TR-7K3QF9M2"},
}


class UndoAnswer(AnswerDocument):
    """Say what undoing a run would do, or how far it has come."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE_UNDO]}}

    state: str | None = Field(description="`running`, `paused`, `done`; null: not asked for.")
    by: str | None
    started_at: datetime | None
    ended_at: datetime | None
    parts: Mapping[str, int] = Field(description="Pairs that are dissolved, by kind.")
    archives: Mapping[str, Mapping[str, int]] = Field(
        description="Records the run made that are archived there, by side and kind."
    )
    hindered: Mapping[str, int] = Field(
        description="Left as they are, by reason; more may come up when the systems are asked."
    )
    done: int
    total: int


class UndoLine(AnswerDocument):
    """Hold one line of a run: what undoing does with it, and why not."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE_LINE]}}

    id: str
    kind: str
    name: str
    archived_in: str | None
    record_id: str | None
    state: str | None
    code: str | None
    text: str | None
    facts: Mapping[str, Any] = Field(
        description="What stands on the record, by name; empty until its system was asked."
    )


@router.get(
    _BASE,
    operation_id="previewUndo",
    summary="Say what undoing a run would do, or how far it has come.",
    responses=responses(*_COMMON),
)
async def get_undo(run_id: UUID, reached: MayRead, runtime: Running) -> UndoAnswer:
    """
    Use this before asking for it, and to follow it; `…/undo/lines` names every record.

    Values that the sync filled in after the run stay: no earlier value is kept to go back to.
    Scope `links:read`.
    """
    async with runtime.database.reading(reached.link_id) as session:
        return await _shown(session, await find_run(session, reached.link_id, run_id))


@router.get(
    f"{_BASE}/lines",
    operation_id="listUndo",
    summary="List every record that undoing a run touches, and what is left and why.",
    responses=responses(*_COMMON, "invalid-cursor"),
)
async def get_undo_lines(
    run_id: UUID,
    reached: MayRead,
    runtime: Running,
    request: Request,
    paging: Paging,
) -> Listing[UndoLine]:
    """Use this to show everything before it happens, and the result afterwards.

    Scope `links:read`.
    """
    page = paging.of(f"undo {reached.link_id} {run_id}", key=runtime.cursor_key)
    async with runtime.database.reading(reached.link_id) as session:
        run = await find_run(session, reached.link_id, run_id)
        lines = await undone_lines(session, run, after=page.after_id, limit=page.row_limit)
    language = preferred_language(request.headers.get("accept-language"))
    shown, more = page.cut(lines, lambda line: [str(line.proposal_id)])
    items = [_line(one, language) for one in shown]
    return Listing[UndoLine](items=items, next_cursor=more)


@router.post(
    _BASE,
    status_code=202,
    operation_id="undoFirstSync",
    summary="Undo a run: part its pairs and archive what it made and nobody used.",
    responses=responses(*_COMMON, "undo-not-now", "link-closed"),
)
async def post_undo(run_id: UUID, reached: MayDecide, runtime: Running) -> UndoAnswer:
    """
    Use this after the preview; called again it goes on, or looks once more at what was left.

    It goes on in the background and survives the death of any process. Nothing is deleted: what
    the run made is archived where it made it. A record that has been used or edited since is left
    with the reason. All records concerned stay on their own side until a person links them or
    starts a new first sync. While the link is paused it waits; of a closed link nothing can be
    undone. Scope `sync:decide`.
    """
    reached.require_open()
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        run = await find_run(session, reached.link_id, run_id)
        await ask_undo(session, run, by=reached.caller.subject, now=runtime.clock())
        return await _shown(session, run)


@router.post(
    f"{_BASE}/pause",
    operation_id="pauseUndo",
    summary="Let an undoing rest after the records under way.",
    responses=responses(*_COMMON),
)
async def post_undo_pause(run_id: UUID, reached: MayDecide, runtime: Running) -> UndoAnswer:
    """Use this to stop for a while; POST to `…/undo` goes on. Scope `sync:decide`."""
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        run = await find_run(session, reached.link_id, run_id)
        pause_undo(run)
        return await _shown(session, run)


async def _shown(session: AsyncSession, run: Run) -> UndoAnswer:
    rows: Sequence[Mapping[str, Any]] = await undone_counts(session, run)
    parts: Counter[str] = Counter()
    archives: defaultdict[str, Counter[str]] = defaultdict(Counter)
    hindered: Counter[str] = Counter()
    done = 0
    for row in rows:
        done += row["lines"] if row["undo"] == "done" else 0
        if row["code"] is not None:
            hindered[row["code"]] += row["lines"]
            continue
        parts[row["kind"]] += row["lines"]
        if row["made_in"] is not None:
            archives[row["made_in"]][row["kind"]] += row["lines"]
    return UndoAnswer(
        state=run.undo_state, by=run.undo_by, started_at=run.undo_started_at,
        ended_at=run.undo_ended_at, parts=parts, archives=archives, hindered=hindered, done=done,
        total=sum(row["lines"] for row in rows),
    )  # fmt: skip


def _line(line: Undone, language: str) -> UndoLine:
    text = say(catalogue()[line.code].title, language, {}) if line.code is not None else None
    return UndoLine(
        id=str(line.proposal_id), kind=line.kind, name=line.name,
        archived_in=line.made_in.value if line.made_in else None, record_id=line.created_id,
        state=line.undo, code=line.code, text=text, facts=line.facts,
    )  # fmt: skip

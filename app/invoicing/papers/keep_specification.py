"""Make a draft's specification once and keep its bytes; every later download is those bytes."""

import hashlib
from typing import Literal

import structlog
from sqlalchemy.dialects.postgresql import insert

from app.canonical import LinkId
from app.database import CommitPoint
from app.invoicing.ledger.places import STANDING
from app.invoicing.lines.shapes import is_as_frozen
from app.invoicing.papers.retention import kept_until
from app.invoicing.papers.specification import as_csv, as_print, sheet_of
from app.invoicing.papers.typeset import NotTypeset, print_pdf
from app.invoicing.store import Draft, DraftState, Specification
from app.invoicing.unbilled.hindrances import oslo_day
from app.links.store import read_link
from app.problems import Problem
from app.runtime import Runtime

Kind = Literal["pdf", "csv"]
_log = structlog.get_logger(__name__)
_HAVE_ONE = STANDING | {DraftState.RELEASED}


async def specification_of(
    runtime: Runtime, link_id: LinkId, draft: Draft, kind: Kind
) -> Specification:
    """
    Read a draft's specification; the first call makes it. Two first calls keep the one's bytes.

    Raises:
        Problem: ``draft-state`` before the draft stands in the books, ``specification-failed``
            where the paper could not be made now, ``internal-error`` where the draft is not
            the one that was frozen: a paper of it would say what was not billed.

    """
    async with runtime.database.reading(link_id) as session:
        kept = await session.get(Specification, (link_id, draft.draft_id, kind))
        link = await read_link(session, link_id)
    if kept is not None:
        return kept
    if draft.state not in _HAVE_ONE or "entries" not in draft.body:
        raise Problem("draft-state", state=draft.state)
    if not is_as_frozen(draft.body, draft.body_hash):
        _log.error("draft is not as frozen", link_id=str(link_id), draft_id=str(draft.draft_id))
        raise Problem("internal-error")
    seller = (link.books_name or link.time_name or "") if link else ""
    sheet = sheet_of(draft.mark, draft.body, seller=seller)
    content = as_csv(sheet) if kind == "csv" else await _printed(as_print(sheet))
    now = runtime.clock()
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await session.execute(
            insert(Specification)
            .values(
                link_id=link_id, draft_id=draft.draft_id, kind=kind, content=content,
                sha256=hashlib.sha256(content).digest(), made_at=now,
                keep_until=kept_until(
                    oslo_day(draft.created_at), years=runtime.settings.papers_kept_years
                ),
            )
            .on_conflict_do_nothing()
        )  # fmt: skip
    async with runtime.database.reading(link_id) as session:
        return await session.get_one(Specification, (link_id, draft.draft_id, kind))


async def _printed(data: dict[str, object]) -> bytes:
    try:
        return await print_pdf(data)
    except NotTypeset:
        raise Problem("specification-failed", headers={"Retry-After": "30"}) from None

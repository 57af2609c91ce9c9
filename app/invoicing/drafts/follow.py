"""
Follow drafts in the books: edited, sent, deleted, paid, credited; and a first POST that comes late.

Only drafts that are due are looked at, a few a job and one after another, so that the books are
never hammered. Nothing is adjusted and nothing sent: what was seen is kept and shown.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId
from app.database import CommitPoint
from app.invoicing.drafts.advance import read_draft
from app.invoicing.drafts.come_late import TWICE, came_late, one_left, settle_asked
from app.invoicing.drafts.complete import CONFLICTS, TAKEN_LATER
from app.invoicing.drafts.confirm_lines import UNCLEAR, missing_lines, waits_for_person
from app.invoicing.drafts.give_back import give_back
from app.invoicing.drafts.look import STOOD_AT
from app.invoicing.drafts.record import Overtaken, make_due, move_unchanged
from app.invoicing.drafts.seen import BEFORE_RELEASE
from app.invoicing.drafts.whereabouts import look_at, search
from app.invoicing.ledger.corrections import gave_back_from
from app.invoicing.ledger.fate import INVOICED, Fate, next_look, next_search
from app.invoicing.ledger.places import STANDING
from app.invoicing.store import Draft, DraftState
from app.links.open_systems import open_books
from app.links.store import LinkState, is_at_work
from app.runtime import Runtime
from app.systems.ports import (
    NotFound,
    RateLimited,
    Rejected,
    Unauthorised,
    Unreachable,
)

AT_ONCE: Final = 20
_LATER: Final = timedelta(minutes=10)
_SELDOM: Final = timedelta(hours=12)


async def follow_drafts(runtime: Runtime, link_id: LinkId) -> None:
    """Look at a link's drafts that are due (job ``FOLLOW_DRAFTS``), at most 20 a run."""
    now = runtime.clock()
    async with runtime.database.reading(link_id) as session:
        working = await is_at_work(session, link_id, LinkState.ACTIVE)
        due = list(
            await session.scalars(
                select(Draft.draft_id)
                .where(Draft.link_id == link_id, Draft.next_look <= now)
                .order_by(Draft.next_look)
                .limit(AT_ONCE)
            )
        )
    if not working:
        return
    for draft_id in due:
        draft = await read_draft(runtime, link_id, draft_id)
        try:
            await follow_draft(runtime, link_id, draft)
        except Overtaken:
            continue
        except (Rejected, NotFound):  # this draft's customer cannot be listed; the others can
            await _look_later(runtime, link_id, draft, now + _LATER)
        except (Unreachable, RateLimited, Unauthorised):
            await _look_later(runtime, link_id, draft, now + _LATER)
            return


async def follow_draft(runtime: Runtime, link_id: LinkId, draft: Draft) -> None:
    """
    Look at one draft in the books and keep what was seen.

    Raises:
        SystemFault: The books could not be asked; look later.
        Overtaken: The draft moved meanwhile.

    """
    now = runtime.clock()
    books = await open_books(runtime, link_id)
    watched = draft.watch_until is not None and draft.watch_until > now
    state = DraftState(draft.state)
    asked = state is DraftState.NEEDS_PERSON
    found = await search(runtime, books, draft) if watched or asked else None
    if found is not None:
        settled = await (
            settle_asked(runtime, books, draft, found)
            if asked
            else came_late(runtime, link_id, draft, found, books)
        )
        if settled:
            return
    if state not in STANDING:
        settle = timedelta(seconds=runtime.settings.settle_seconds)
        again = next_search(draft.updated_at, now=now, settle=settle) if watched else None
        if again is None and asked and draft.books_ids:
            again = now + _SELDOM
        await _look_later(runtime, link_id, draft, again)
        return
    if draft.problem == TWICE and await one_left(runtime, link_id, draft, books):
        draft = await read_draft(runtime, link_id, draft.draft_id)
    seen, found = await look_at(runtime, books, draft, found, now=now)
    several = found is not None and len(found.living().as_drafts()) > 1
    if found is not None and several and await came_late(runtime, link_id, draft, found, books):
        draft = await read_draft(runtime, link_id, draft.draft_id)
    await _keep(runtime, link_id, draft, seen, watched=watched)
    if Fate(seen["what"]) in INVOICED:
        await give_back(runtime, link_id, draft, gone_lines=missing_lines(draft, seen))


_TOLD: Final = {
    Fate.DELETED: "draft-deleted",
    Fate.UNCLEAR: "draft-unclear",
    Fate.CREDITED: "invoice-credited",
}
_GAVE_BACK: Final = "credited-after-giving-back"
_OURS: Final = frozenset(
    {*_TOLD.values(), "remote-total-differs", _GAVE_BACK, TAKEN_LATER, UNCLEAR}
)


async def _keep(
    runtime: Runtime, link_id: LinkId, draft: Draft, seen: dict[str, Any], *, watched: bool
) -> None:
    """Keep what was seen; a change is an event, a problem that is over goes away by itself."""
    now = runtime.clock()
    fate = Fate(seen["what"])
    again = next_look(
        fate, created_at=draft.created_at, now=now, watched=watched,
        settle=timedelta(seconds=runtime.settings.settle_seconds),
    )  # fmt: skip
    before = (draft.invoice or {}).get("what")
    told = _TOLD.get(fate) or ("remote-total-differs" if seen.get("flagged") else None)
    if told is None and draft.facts.get(CONFLICTS):
        told = TAKEN_LATER
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        if fate is Fate.CREDITED and await gave_back_from(session, link_id, draft.draft_id):
            told = _GAVE_BACK
        elif fate in INVOICED and await waits_for_person(session, draft, seen):
            told = UNCLEAR
        problem = told if draft.problem in {None, *_OURS} else draft.problem
        if _apart_from_when(draft.invoice) != _apart_from_when(seen) or draft.problem != problem:
            what = fate.value if before != fate.value else "seen"
            await move_unchanged(
                session, draft, DraftState(draft.state), now=now, what=what, invoice=seen,
                facts={k: v for k, v in seen.items() if k in {"number", "remainingOre"}},
                problem=problem, next_look=again,
            )  # fmt: skip
        else:
            await _set_look(session, draft, again, invoice=seen)
        if again is not None:
            await make_due(session, link_id, again)


def _apart_from_when(seen: Mapping[str, Any] | None) -> dict[str, Any]:
    """Leave out when a draft stood: that it still does is no event, nor that it was looked at."""
    when = {STOOD_AT, BEFORE_RELEASE}
    return {name: value for name, value in (seen or {}).items() if name not in when}


async def _look_later(runtime: Runtime, link_id: LinkId, draft: Draft, at: datetime | None) -> None:
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await _set_look(session, draft, at)
        if at is not None:
            await make_due(session, link_id, at)


async def _set_look(
    session: AsyncSession,
    draft: Draft,
    at: datetime | None,
    **seen: Any,  # noqa: ANN401 - columns of the draft
) -> None:
    """Say when to look again, unless somebody wrote to the draft since: it is due as it was."""
    await session.execute(
        update(Draft)
        .where(
            Draft.link_id == draft.link_id,
            Draft.draft_id == draft.draft_id,
            Draft.version == draft.version,
        )
        .values(next_look=at, **seen)
    )

"""Make a draft from a preview: the very lines that were shown, its hours in one place only."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.canonical import EntryId, LinkId, RecordKind
from app.database import CommitPoint
from app.idempotency import Fresh, KeyedCall, finish
from app.invoicing.drafts.advance import advance, read_draft
from app.invoicing.drafts.complete import finish_hours
from app.invoicing.drafts.record import make_due
from app.invoicing.ledger.agreed import is_as_previewed
from app.invoicing.ledger.corrections import corrections_of, take_corrections
from app.invoicing.ledger.decided import VERSIONS, changes_of, choose
from app.invoicing.ledger.ledger import held_elsewhere, holders, take_hours
from app.invoicing.lines.shapes import freeze
from app.invoicing.store import Draft, DraftEvent, DraftState, Preview
from app.links.open_systems import open_time
from app.links.pairs import Pair
from app.links.store import read_link
from app.problems import Problem
from app.runtime import Runtime

PICKED_UP: Final = timedelta(seconds=30)
"""When a draft whose process died right after the first commit is taken further by a worker."""


async def read_preview(
    runtime: Runtime, link_id: LinkId, preview_id: str, *, old: bool = False
) -> Preview:
    """
    Read a preview that is still good.

    Args:
        old: One whose hour is over will do too: its wishes are asked for, not its lines.

    Raises:
        Problem: ``not-found``, or ``preview-outdated`` when its hour is over.

    """
    try:
        wanted = UUID(preview_id)
    except ValueError:
        raise Problem("not-found") from None
    async with runtime.database.reading(link_id) as session:
        preview = await session.get(Preview, (link_id, wanted))
    if preview is None:
        raise Problem("not-found")
    if preview.expires_at <= runtime.clock() and not old:
        raise Problem("preview-outdated", more={"changed": []})
    return preview


def asked_by(preview: Preview, employee_id: str | None) -> Preview:
    """Let the draft of a preview keep which employee asked; Timerabbit is told at the hold."""
    if employee_id is not None:
        about = {**preview.wish.get("about", {}), "requestedByEmployeeId": employee_id}
        preview.wish = {**preview.wish, "about": about}
    return preview


async def create_draft(
    runtime: Runtime,
    link_id: LinkId,
    preview: Preview,
    *,
    requested_by: str,
    keyed: tuple[KeyedCall, Fresh],
) -> Draft:
    """
    Take the hours, then take the draft as far as it goes now.

    Gives the draft as it stands: ``completed``, ``created``, ``refused``, or on its way.

    Raises:
        Problem: ``preview-blocked``, ``preview-outdated`` with what changed, or
            ``hours-already-in-draft`` with the draft's address; nothing was changed then.

    """
    if any(problem["blocking"] for problem in preview.problems):
        raise Problem("preview-blocked", more={"problems": list(preview.problems)})
    await _require_unchanged(runtime, link_id, preview)
    draft_id = await _take(runtime, link_id, preview, requested_by=requested_by, keyed=keyed)
    draft = await advance(runtime, link_id, draft_id)
    if draft.state in (DraftState.CREATED, DraftState.REFUSED):
        await finish_hours(runtime, link_id, draft)
        draft = await read_draft(runtime, link_id, draft_id)
    return draft


async def _require_unchanged(runtime: Runtime, link_id: LinkId, preview: Preview) -> None:
    changed: list[dict[str, Any]] = await _moved_partners(runtime, link_id, preview)
    tracker = await open_time(runtime, link_id)
    versions = preview.versions or preview.wish.get("about", {}).get(VERSIONS, {})
    ids = tuple(EntryId(entry_id) for entry_id in sorted(versions))
    found = {entry.id: entry for entry in await tracker.entries_by_id(ids)}
    for entry_id in ids:
        entry = found.get(entry_id)
        holds = bool(preview.versions)  # a follow-up is of hours that are billed, or gone
        if entry is None or (entry.gone and holds):
            changed.append({"entryId": entry_id, "what": "deleted"})
        elif entry.version != versions[entry_id] and not (holds and entry.held_by):
            changed.append({"entryId": entry_id, "what": "changed"})
    if changed:
        raise Problem("preview-outdated", more={"changed": changed})


async def _moved_partners(
    runtime: Runtime, link_id: LinkId, preview: Preview
) -> list[dict[str, Any]]:
    """Name customer or project where it has another partner in the books than was previewed."""
    async with runtime.database.reading(link_id) as session:
        customer = await session.scalar(
            select(Pair.books_id).where(
                Pair.link_id == link_id, Pair.kind == RecordKind.CUSTOMER,
                Pair.time_id == preview.customer_time_id,
            )
        )  # fmt: skip
        project = preview.project_books_id and await session.scalar(
            select(Pair.books_id).where(
                Pair.link_id == link_id, Pair.kind == RecordKind.PROJECT,
                Pair.books_id == preview.project_books_id,
            )
        )  # fmt: skip
    changed: list[dict[str, Any]] = []
    if customer != preview.customer_books_id:
        changed.append({"customerId": preview.customer_time_id, "what": "customer"})
    if project != preview.project_books_id:
        changed.append({"what": "project"})
    return changed


async def _take(
    runtime: Runtime,
    link_id: LinkId,
    preview: Preview,
    *,
    requested_by: str,
    keyed: tuple[KeyedCall, Fresh],
) -> UUID:
    now = runtime.clock()
    draft = _row(link_id, preview, requested_by, now)
    draft_id = draft.draft_id
    try:
        async with runtime.database.transaction(CommitPoint.DRAFT_INTENT, link_id) as session:
            link = await read_link(session, link_id)
            if link is None or link.time_account is None:
                raise Problem("not-found")
            session.add(draft)
            await session.flush()
            await take_hours(session, draft, time_company_id=link.time_account, now=now)
            await _take_changes(session, draft, by=requested_by, now=now)
            await finish(session, keyed[0], keyed[1], resource_id=str(draft_id))
            await make_due(session, link_id, now + PICKED_UP)
            session.add(_event(link_id, draft_id, "taken", {"by": requested_by}, now))
    except IntegrityError as error:
        if "uq_ledger_active_entry" in str(error.orig):
            raise await _held(runtime, link_id, preview) from None
        if "uq_drafts_mark" in str(error.orig):  # this very preview was sent before
            raise await _sent_before(runtime, link_id, preview) from None
        if "uq_corrections_active_change" in str(error.orig):
            changed = [{"what": "follow-up"}]
            raise Problem("preview-outdated", more={"changed": changed}) from None
        raise
    return draft_id


async def _take_changes(session: AsyncSession, draft: Draft, *, by: str, now: datetime) -> None:
    """
    Let a follow-up decide its changes; one that was decided otherwise meanwhile outdates it.

    The drafts it corrects cannot be released, nor earlier follow-ups refused, while it is taken.
    """
    link_id = LinkId(draft.link_id)
    if corrections_of(draft):
        fresh = await is_as_previewed(session, draft)
        ids = changes_of(draft)
        taken = await choose(session, link_id, ids, "follow-up", by=by, now=now)
        if taken != len(ids) or not fresh:
            raise Problem("preview-outdated", more={"changed": [{"what": "follow-up"}]})
    await take_corrections(session, draft, now=now)


def _row(link_id: LinkId, preview: Preview, requested_by: str, now: datetime) -> Draft:
    body, body_hash = freeze(
        preview.lines, customer_id=preview.customer_books_id,
        project_id=preview.project_books_id, minutes=preview.minutes,
        entries=preview.entries, about=preview.wish.get("about", {}),
    )  # fmt: skip
    return Draft(
        link_id=link_id, draft_id=uuid7(), state=DraftState.TAKEN, mark=preview.mark,
        customer_time_id=preview.customer_time_id, customer_books_id=preview.customer_books_id,
        project_books_id=preview.project_books_id, body=body, body_hash=body_hash,
        versions=preview.versions, net=preview.net, vat=preview.vat, attempt=0, looks=0,
        not_before=now + PICKED_UP, books_ids=[], remote=None, invoice=None,
        next_look=None, watch_until=None, problem=None, facts={},
        requested_by=requested_by, version=1, created_at=now, updated_at=now,
    )  # fmt: skip


def _event(
    link_id: LinkId, draft_id: UUID, what: str, facts: Mapping[str, Any], now: datetime
) -> DraftEvent:
    return DraftEvent(
        link_id=link_id, event_id=uuid7(), draft_id=draft_id, what=what, facts=dict(facts), at=now
    )


async def _held(runtime: Runtime, link_id: LinkId, preview: Preview) -> Problem:
    """Say which drafts of this link have which hours; of an earlier link's only which hours."""
    ids = [EntryId(entry_id) for entry_id in preview.versions]
    async with runtime.database.reading(link_id) as session:
        found = await holders(session, link_id, ids)
        link = await read_link(session, link_id)
        company = (link.time_account if link else None) or ""
        elsewhere = await held_elsewhere(session, link_id, company, ids)
    if not found:
        return Problem("hours-held-by-earlier-link", more={"entryIds": elsewhere})
    first = next(iter(found))
    href = f"/v1/links/{link_id}/invoice-drafts/{first}"
    drafts = [{"draftId": draft_id, "entryIds": entries} for draft_id, entries in found.items()]
    more = {"drafts": drafts, "href": href, "entryIdsOfEarlierLinks": elsewhere}
    return Problem("hours-already-in-draft", draft=first, more=more)


async def _sent_before(runtime: Runtime, link_id: LinkId, preview: Preview) -> Problem:
    """Say which draft a preview became; one that was refused needs a new preview."""
    async with runtime.database.reading(link_id) as session:
        draft = await session.scalar(
            select(Draft).where(Draft.link_id == link_id, Draft.mark == preview.mark)
        )
    if draft is None or draft.state in (DraftState.REFUSED, DraftState.RELEASED):
        return Problem("preview-outdated", more={"changed": []})
    href = f"/v1/links/{link_id}/invoice-drafts/{draft.draft_id}"
    entries = sorted(draft.versions)
    drafts = [{"draftId": str(draft.draft_id), "entryIds": entries}]
    return Problem(
        "hours-already-in-draft", draft=draft.draft_id, more={"drafts": drafts, "href": href}
    )

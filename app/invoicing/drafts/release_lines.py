"""
Set single lines of a standing draft free, where a person took them out of it in the books.

Without this their hours would be held by a draft, or an invoice, that does not bill them.
"""

from collections.abc import Sequence

from app.canonical import EntryId, LinkId
from app.database import CommitPoint
from app.invoicing.drafts.advance import read_draft
from app.invoicing.drafts.complete import finish_hours
from app.invoicing.drafts.confirm_lines import confirm_lines
from app.invoicing.drafts.elsewhere import require_lines_not_elsewhere
from app.invoicing.drafts.record import Overtaken, move
from app.invoicing.drafts.seen import BEFORE_RELEASE, RELEASED_LINES
from app.invoicing.drafts.set_free import free_single, lock_draft, tell_freed
from app.invoicing.ledger.corrections import corrections_of, follow_ups_upon
from app.invoicing.ledger.fate import taken_out
from app.invoicing.ledger.in_books import lines_in_books
from app.invoicing.lines.shapes import is_of_hours
from app.invoicing.store import Draft, DraftState
from app.links.open_systems import open_books
from app.problems import FieldError, Problem
from app.runtime import Runtime
from app.systems.ports import RemoteLine


async def release_lines(
    runtime: Runtime,
    link_id: LinkId,
    draft: Draft,
    lines: Sequence[int],
    *,
    reason: str,
    by: str,
    looked: bool,
) -> None:
    """
    Set the hours of lines free that the living draft or invoice in the books no longer has.

    Repeatable: what is free stays free. Expenses and kilometres stay billed by the draft, and with
    them the hours that have nothing else. Of a follow-up it is the other way about: its lines are
    found in the books, and took hours off.

    Args:
        lines: Numbers from 1.
        looked: A person says that no line in the books is one of these; without it a line there
            that is none of ours refuses.

    Raises:
        Problem: ``draft-state`` where nothing of the draft lives in the books or it is a
            follow-up that is no invoice, ``invalid-request`` for a number it does not have,
            ``draft-holds-hours`` for a line that stands there, ``draft-may-be-invoiced`` where
            one may, ``follow-up-holds-hours``.

    """
    if draft.state == DraftState.CREATED:
        await finish_hours(runtime, link_id, draft)
        draft = await read_draft(runtime, link_id, draft.draft_id)
    if draft.state != DraftState.COMPLETED:
        raise Problem("draft-state", state=draft.state)
    if corrections_of(draft):
        told = {"reason": reason, "by": by}
        await confirm_lines(runtime, link_id, draft, lines, told=told, looked=looked)
        return
    ours = draft.body["lines"]
    if any(not (1 <= n <= len(ours) and is_of_hours(ours[n - 1])) for n in lines):
        wrong = FieldError("/lines", "unknown", "The draft has no such line of hours.")
        raise Problem("invalid-request", errors=[wrong])
    gone, others = taken_out(ours, await _lines_in_books(runtime, link_id, draft))
    for number in sorted(set(lines) - gone):
        raise Problem("draft-holds-hours", draft=f"{draft.books_ids[0]}, {number}")
    if others and not looked:
        told_lines = [{"text": one.text, "netOre": one.net} for one in others]
        raise Problem("draft-may-be-invoiced", more={"candidates": told_lines})
    if not looked:
        books = await open_books(runtime, link_id)
        chosen = [ours[number - 1] for number in lines]
        await require_lines_not_elsewhere(runtime, books, draft, chosen)
    ids = [EntryId(one) for number in lines for one in ours[number - 1]["entryIds"]]
    await _free(runtime, link_id, draft, lines, ids, facts={"reason": reason, "by": by})
    await tell_freed(runtime, link_id, await read_draft(runtime, link_id, draft.draft_id))


async def _lines_in_books(
    runtime: Runtime, link_id: LinkId, draft: Draft
) -> tuple[RemoteLine, ...]:
    found = await lines_in_books(runtime, link_id, draft)
    if found is None:  # gone, or credited: the whole of it is released then, not lines
        raise Problem("draft-state", state=(draft.invoice or {}).get("what", draft.state))
    return found


async def _free(
    runtime: Runtime,
    link_id: LinkId,
    draft: Draft,
    lines: Sequence[int],
    entry_ids: Sequence[EntryId],
    *,
    facts: dict[str, object],
) -> None:
    """Free the hours where no follow-up bills a difference of them; none is taken meanwhile."""
    now = runtime.clock()
    try:
        async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
            await move(
                session, draft, DraftState(draft.state), now=now, what="lines released",
                facts={**facts, "lines": sorted(set(lines))},
            )  # fmt: skip
            locked = await lock_draft(session, link_id, draft)
            upon = await follow_ups_upon(session, link_id, draft, entry_ids=entry_ids)
            if upon:
                raise Problem("follow-up-holds-hours", draft=upon[0])
            known = {*locked.facts.get(RELEASED_LINES, ()), *lines}
            locked.facts = {**locked.facts, RELEASED_LINES: sorted(known)}
            locked.next_look = now  # what differs no longer is looked at anew
            locked.invoice = locked.invoice and {**locked.invoice, BEFORE_RELEASE: True}
            await free_single(session, locked, entry_ids, now=now)
    except Overtaken:
        raise Problem("draft-state", state="changed") from None

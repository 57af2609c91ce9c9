"""
Set single lines of a standing draft free, where a person took them out of it in the books.

Without this their hours would be held by a draft, or an invoice, that does not bill them.
"""

from collections.abc import Sequence

from app.canonical import EntryId, LinkId
from app.database import CommitPoint
from app.invoicing.corrections import corrections_of, follow_ups_upon
from app.invoicing.fate import Fate, fate_of_invoice, taken_out
from app.invoicing.give_back import free_in_ledger, free_in_time
from app.invoicing.record import Overtaken, move
from app.invoicing.store import Draft, DraftState
from app.links.open_systems import open_books
from app.problems import FieldError, Problem
from app.runtime import Runtime
from app.systems.ports import ReleaseReason, RemoteLine

_STANDING = frozenset({DraftState.CREATED, DraftState.COMPLETED})


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

    Repeatable: what is free stays free. First in the time system, then in the ledger, so that a
    death between leaves the hours held.

    Args:
        lines: Numbers from 1.
        looked: A person says that no line in the books is one of these; without it a line there
            that is none of ours refuses.

    Raises:
        Problem: ``draft-state`` where nothing of the draft lives in the books or it is a
            follow-up, ``invalid-request`` for a number it does not have, ``draft-holds-hours`` for
            a line that stands there, ``draft-may-be-invoiced`` where one may,
            ``follow-up-holds-hours``.

    """
    if draft.state not in _STANDING or corrections_of(draft):
        raise Problem("draft-state", state=draft.state)
    ours = draft.body["lines"]
    if any(not 1 <= number <= len(ours) for number in lines):
        told = FieldError("/lines", "unknown", "The draft does not have such a line.")
        raise Problem("invalid-request", errors=[told])
    gone, others = taken_out(ours, await _lines_in_books(runtime, link_id, draft))
    for number in sorted(set(lines) - gone):
        raise Problem("draft-holds-hours", draft=f"{draft.books_ids[0]}, {number}")
    if others and not looked:
        told_lines = [{"text": one.text, "netOre": one.net} for one in others]
        raise Problem("draft-may-be-invoiced", more={"candidates": told_lines})
    ids = [EntryId(one) for number in lines for one in ours[number - 1]["entryIds"]]
    await _claim(runtime, link_id, draft, lines, ids, facts={"reason": reason, "by": by})
    await free_in_time(runtime, link_id, draft, ids, ReleaseReason.USER_REQUEST)
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await free_in_ledger(session, draft, ids, now=runtime.clock())


async def _lines_in_books(
    runtime: Runtime, link_id: LinkId, draft: Draft
) -> tuple[RemoteLine, ...]:
    books = await open_books(runtime, link_id)
    named = (draft.invoice or {}).get("id")
    if named is not None:
        invoice = await books.read_invoice(named)
        if invoice is not None and fate_of_invoice(invoice) is not Fate.CREDITED:
            return tuple(invoice.lines)
    remote = await books.read_draft(draft.books_ids[0])
    if remote is None:  # gone, or credited: the whole of it is released then, not lines
        raise Problem("draft-state", state=(draft.invoice or {}).get("what", draft.state))
    return tuple(remote.lines)


async def _claim(
    runtime: Runtime,
    link_id: LinkId,
    draft: Draft,
    lines: Sequence[int],
    entry_ids: Sequence[EntryId],
    *,
    facts: dict[str, object],
) -> None:
    """Write down what is released, where no follow-up bills a difference of it."""
    try:
        async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
            await move(
                session, draft, DraftState(draft.state), now=runtime.clock(),
                what="lines released", facts={**facts, "lines": sorted(set(lines))},
            )  # fmt: skip
            upon = await follow_ups_upon(session, link_id, draft, entry_ids=entry_ids)
            if upon:
                raise Problem("follow-up-holds-hours", draft=upon[0])
    except Overtaken:
        raise Problem("draft-state", state="changed") from None

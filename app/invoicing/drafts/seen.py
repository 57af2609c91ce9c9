"""Write down what was seen of a draft in the books, as it is kept and shown."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from app.invoicing.drafts.look import STOOD_AT, marks_on
from app.invoicing.ledger.corrections import corrections_of
from app.invoicing.ledger.differing import differing_lines, total_differs
from app.invoicing.ledger.fate import Fate, alike, fate_of_invoice
from app.invoicing.ledger.in_books import IN_DRAFT
from app.invoicing.ledger.matched import Matched, match_lines, net_of
from app.invoicing.store import Draft
from app.systems.ports import RemoteDraft, RemoteInvoice, RemoteLine

RELEASED_LINES: Final = "releasedLines"
"""Names, among a draft's facts, the lines (from 1) a person released: the books lack them."""

MISSING_SINCE: Final = "missingSince"
"""Names, in what was last seen, when the draft was first found gone."""

ALSO_MARKS: Final = "alsoMarks"
"""Names the marks of other drafts of ours that stand on the same draft or invoice."""

BEFORE_RELEASE: Final = "beforeRelease"
"""Says, in what was last seen, that a person released lines since: its sums are of before."""

BY_PERSON: Final = "person"
"""Says how an invoice was known: a person named it."""

_THEIRS: Final = "theirs"
"""Names the lines of an edited draft as the books had them, for when it is gone."""

_KEPT: Final = ("customerId", STOOD_AT, _THEIRS, IN_DRAFT, ALSO_MARKS)
INWARD: Final = frozenset({"differs", "flagged", STOOD_AT, BEFORE_RELEASE, _THEIRS})
"""What is kept of a look for the next one, and not shown with what became of the draft."""


def without_mark(
    draft: Draft, others: Sequence[RemoteInvoice], *, now: datetime, settle: timedelta
) -> dict[str, Any]:
    """
    Say what a draft became that is gone, where no invoice carries its mark.

    Args:
        others: Invoices without any mark, made since the draft was last seen standing.

    """
    like = alike(lines_known(draft), others)
    if len(like.sure) == 1:
        return of_invoice(draft, like.sure[0], by="lines")
    candidates = [*like.sure, *like.possible]
    told = [{"invoiceId": i.id, "number": i.number, "netOre": i.net} for i in candidates]
    return gone(draft, told or None, now=now, settle=settle)


def gone(
    draft: Draft, candidates: list[dict[str, Any]] | None, *, now: datetime, settle: timedelta
) -> dict[str, Any]:
    """
    Say that a draft is gone, once it has been gone for longer than the books' lists may lag.

    However often it is looked for meanwhile: its invoice may not be listed yet.

    Args:
        candidates: Invoices it may have become; an empty list where the books cannot say, since
            they no longer have the customer either. A person must look then; waiting tells nothing.

    """
    before = draft.invoice or {}
    kept = {name: before[name] for name in _KEPT if name in before}
    since = before.get(MISSING_SINCE) or now.isoformat()
    kept[MISSING_SINCE] = since
    if now - datetime.fromisoformat(since) < settle:
        return {"what": Fate.MISSING.value, **kept}
    if candidates is None:
        return {"what": Fate.DELETED.value, **kept}
    return {"what": Fate.UNCLEAR.value, "candidates": candidates, **kept}


def was_shared(draft: Draft) -> bool:
    """Say whether a draft's lines were last seen among those of another draft of ours."""
    return not {IN_DRAFT, ALSO_MARKS}.isdisjoint(draft.invoice or {})


def lines_known(draft: Draft) -> list[Sequence[Mapping[str, Any]]]:
    """Give a draft's lines as we sent them and, where a person edited it, as last seen."""
    theirs = (draft.invoice or {}).get(_THEIRS)
    return [draft.body["lines"], *([theirs] if theirs else [])]


def of_draft(draft: Draft, remote: RemoteDraft, *, now: datetime) -> dict[str, Any]:
    """Write down a draft that stands: its sums, the lines that differ, and whose it is now."""
    lines = standing_lines(draft)
    differing = differing_lines(lines, remote.lines)
    moved = remote.customer_id not in {None, draft.customer_books_id}
    edited = differing or moved or remote.id not in draft.books_ids
    fate = Fate.EDITED if edited else Fate.OPEN
    totals: dict[str, Any] = {"netOre": remote.net, "vatOre": remote.vat, "totalOre": remote.total}
    seen = {"what": fate.value, **totals, "differs": differing, **_shared(draft, remote.lines)}
    seen[STOOD_AT] = now.isoformat()
    if differing:
        seen[_THEIRS] = [{"text": one.text, "net": one.net} for one in remote.lines]
    if remote.id not in draft.books_ids:  # its lines were moved there
        seen[IN_DRAFT] = remote.id
    if moved:  # should it be sent, its invoice is that customer's
        seen["customerId"] = remote.customer_id
    seen["flagged"] = total_differs(
        net=_sum(lines, "net"), vat=_sum(lines, "vat"), lines=len(lines),
        their_net=remote.net, their_vat=remote.vat,
    )  # fmt: skip
    return seen


def standing_lines(draft: Draft) -> dict[int, Mapping[str, Any]]:
    """Give a draft's lines by their numbers from 1, without those that a person released."""
    released = draft.facts.get(RELEASED_LINES, ())
    return {n: line for n, line in enumerate(draft.body["lines"], 1) if n not in released}


def _sum(lines: Mapping[int, Mapping[str, Any]], name: str) -> int:
    return sum(line[name] for line in lines.values())


def of_invoice(draft: Draft, invoice: RemoteInvoice, *, by: str) -> dict[str, Any]:
    """
    Write down the invoice a draft became.

    Args:
        by: How it was known: ``mark``, ``lines`` or ``person``.

    """
    ours = standing_lines(draft)
    there = match_lines(ours, invoice.lines)
    unclear = {*there.unclear, *(_other_sums(ours, there) if corrections_of(draft) else ())}
    return {
        "what": fate_of_invoice(invoice).value, "id": invoice.id, "number": invoice.number,
        "day": invoice.day.isoformat() if invoice.day else None, "by": by,
        "netOre": invoice.net, "totalOre": invoice.total, "remainingOre": invoice.remaining,
        "differs": differing_lines(ours, invoice.lines),
        "flagged": _flagged(ours, invoice),
        **({"goneLines": sorted(there.gone)} if there.gone else {}),
        **({"unclearLines": sorted(unclear)} if unclear else {}),
        **_shared(draft, invoice.lines),
    }  # fmt: skip


def _flagged(ours: Mapping[int, Mapping[str, Any]], invoice: RemoteInvoice) -> bool:
    """Compare an invoice's sums with ours; what its total has beside our net is its VAT."""
    net = _sum(ours, "net")
    return total_differs(
        net=net, vat=_sum(ours, "vat"), lines=len(ours), their_net=invoice.net,
        their_vat=None if invoice.total is None else invoice.total - net,
    )  # fmt: skip


def _shared(draft: Draft, lines: Sequence[RemoteLine]) -> dict[str, Any]:
    others = sorted(marks_on(lines) - {draft.mark})
    return {ALSO_MARKS: others} if others else {}


def _other_sums(ours: Mapping[int, Mapping[str, Any]], there: Matched) -> set[int]:
    """Give the lines of another sum: whether one still takes a whole hour off, nobody can say."""
    return {
        number
        for number, line in there.lines.items()
        if net_of(line, ours[number]) != ours[number]["net"]
    }

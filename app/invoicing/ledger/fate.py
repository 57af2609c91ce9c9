"""Say what became of a draft from what the books show, and when to look again; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from app.invoicing.lines.mark import without_mark
from app.systems.documents import RemoteInvoice, RemoteLine

WATCH: Final = timedelta(hours=72)
"""How long a first POST whose outcome was unknown may still land and be noticed."""


class Fate(StrEnum):
    """
    Name what became of a draft in the books.

    ``missing``: gone for less time than a list may lag; ``deleted``: gone for longer, and no
    invoice of it; ``unclear``: likewise, and an invoice without the mark may be it, a person
    decides.
    """

    OPEN = "open"
    EDITED = "edited"
    MISSING = "missing"
    DELETED = "deleted"
    UNCLEAR = "unclear"
    SENT = "sent"
    PART_PAID = "part-paid"
    PAID = "paid"
    CREDITED = "credited"
    CLOSED = "closed"


OFFERS_RELEASE: Final = frozenset({Fate.DELETED, Fate.CREDITED})
"""Fates whose hours may be billed again once a person says so."""

INVOICED: Final = frozenset({Fate.SENT, Fate.PART_PAID, Fate.PAID, Fate.CLOSED})


def taken_out(
    ours: Sequence[Mapping[str, Any]], theirs: Sequence[RemoteLine]
) -> tuple[frozenset[int], tuple[RemoteLine, ...]]:
    """
    Say which of our lines (numbers from 1) the books lack, and which lines there are not ours.

    A line is the same by text and net, whatever its place and wherever the mark stands.
    """
    left = list(theirs)
    gone = set()
    for number, line in enumerate(ours, 1):
        text = without_mark(line["text"])
        same = next(
            (o for o in left if without_mark(o.text) == text and o.net in {None, line["net"]}), None
        )
        if same is None:
            gone.add(number)
        else:
            left.remove(same)
    return frozenset(gone), tuple(left)


def fate_of_invoice(invoice: RemoteInvoice) -> Fate:
    """Say how far an invoice has come."""
    if invoice.state == "open":
        paid = (
            invoice.remaining is not None
            and invoice.total is not None
            and invoice.remaining < invoice.total
        )
        return Fate.PART_PAID if paid else Fate.SENT
    return {"paid": Fate.PAID, "credited": Fate.CREDITED}.get(invoice.state, Fate.CLOSED)


@dataclass(frozen=True, slots=True)
class Alike:
    """Hold invoices without the mark that a draft may be; ``sure`` ones have its very lines."""

    sure: tuple[RemoteInvoice, ...]
    possible: tuple[RemoteInvoice, ...]


def alike(known: Sequence[Sequence[Mapping[str, Any]]], invoices: Sequence[RemoteInvoice]) -> Alike:
    """
    Sort invoices by whether the draft became them, though a person took the mark away.

    Sure: the same texts and sums, the mark apart. Possible: any other that is not credited, however
    unlike: a person may have written over all of it.

    Args:
        known: The draft's lines as we sent them, and as they were last seen in the books.
        invoices: Those made since the draft was last seen standing.

    """
    wanted = [sorted(str((without_mark(o["text"]), o["net"])) for o in lines) for lines in known]
    sure, possible = [], []
    for invoice in invoices:
        lines = sorted(str((without_mark(line.text), line.net)) for line in invoice.lines)
        if lines and lines in wanted:
            sure.append(invoice)
        elif fate_of_invoice(invoice) is not Fate.CREDITED:
            possible.append(invoice)
    return Alike(tuple(sure), tuple(possible))


def next_search(since: datetime, *, now: datetime, settle: timedelta) -> datetime:
    """Say when to search again for the mark of a draft that does not stand; hourly in the end."""
    return now + (10 * settle if now - since < timedelta(hours=1) else timedelta(hours=1))


def next_look(
    fate: Fate, *, created_at: datetime, now: datetime, watched: bool, settle: timedelta
) -> datetime | None:
    """
    Say when to look again: often while something may happen, seldom later, never once it is over.

    Args:
        watched: Whether a late second draft is watched for.
        settle: How long the books' lists may lag.

    """
    age = now - created_at
    if fate is Fate.MISSING:
        return now + settle
    if fate in {Fate.DELETED, Fate.UNCLEAR, Fate.CREDITED}:
        return now + timedelta(hours=1) if watched else None
    if fate in {Fate.PAID, Fate.CLOSED}:
        wait = timedelta(days=7)
        return now + wait if age < timedelta(days=400) else None
    if fate in {Fate.SENT, Fate.PART_PAID}:
        return now + (timedelta(hours=6) if age < timedelta(days=60) else timedelta(days=1))
    if age < timedelta(days=1):
        return now + timedelta(minutes=15)
    return now + (timedelta(hours=1) if age < timedelta(days=14) else timedelta(hours=12))

"""Say which customers a plan's lines take in or keep out, for the sake of their projects."""

from collections.abc import Iterable, Mapping, Sequence

from app.canonical import RecordId, RecordKind, Side
from app.first_sync.plan.deeds import keeps_out, partner_of
from app.first_sync.plan.propose import Line
from app.records.store import KnownRecord

Rows = Mapping[Side, Sequence[KnownRecord]]


def linked_by(lines: Iterable[Line], rows: Rows) -> dict[RecordId, RecordId]:
    """
    Give the customers that lines link, or will unless a person says otherwise: time id to books id.

    By itself no line links what a person left out.
    """
    out = {
        (side, RecordId(row.record_id))
        for side, of_side in rows.items()
        for row in of_side
        if row.left_out and row.kind == RecordKind.CUSTOMER
    }
    linked: dict[RecordId, RecordId] = {}
    for line in lines:
        partner = partner_of(line)
        if line.anchor_side is not Side.TIME or partner is None:
            continue
        couple = {(Side.TIME, line.anchor_id), (Side.BOOKS, RecordId(partner))}
        if line.answer is not None or not out & couple:
            linked[line.anchor_id] = RecordId(partner)
    return linked


def kept_out_by(lines: Iterable[Line], side: Side) -> set[RecordId]:
    """Give the records of a side that the plan leaves out, whatever else is known of them."""
    own = [one for one in lines if one.anchor_side is side and keeps_out(one)]
    return {one.anchor_id for one in own if one.answer == "leave_out" or not one.dormant}

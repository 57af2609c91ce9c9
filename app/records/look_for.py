"""Look on a side for a record that a POST of unknown outcome may have made."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from app.canonical import Record, RecordId, RecordKind
from app.records.agreement import is_blank
from app.records.shapes import kind_of
from app.records.spelling import phone_number
from app.systems.ports import RecordKeeper

_ABOUT: Final = {
    RecordKind.CUSTOMER: ("name", "kind", "organization_number", "email", "phone"),
    RecordKind.PROJECT: ("name", "customer_id", "start", "end"),
}


async def look_for(
    keeper: RecordKeeper, sent: Record, *, is_known: Callable[[RecordId], bool]
) -> list[Record]:
    """
    Give the records of a side that were not known before and say what was sent.

    A side that keeps our mark is asked by it. The whole list is walked, since a new record may
    stand anywhere; only rows that may fit are read whole.
    """
    found: list[Record] = []
    async for page in keeper.pages(kind_of(sent)):
        for row in page.rows:
            if is_known(row.id) or row.record.gone or not _may_be(sent, row.record, row.complete):
                continue
            whole = row.record
            if not row.complete:
                whole = (await keeper.read(kind_of(sent), row.id)).record or whole
            if says_the_same(sent, whole) and all(whole.id != one.id for one in found):
                found.append(whole)
    return found


def says_the_same(sent: Record, seen: Record) -> bool:
    """
    Say whether a record may be what became of another one that was sent; pure.

    Letters and digits are compared, not spelling: a system may store ``+47 22 11 33 44`` for
    ``22113344`` or trim a name. What it says nothing about is no contradiction, but the name is
    needed.
    """
    if kind_of(sent) is not kind_of(seen):
        return False
    if sent.mark and seen.mark:
        return sent.mark == seen.mark
    mine, theirs = _said(sent), _said(seen)
    return bool(theirs["name"]) and all(
        not theirs[name] or value == theirs[name] for name, value in mine.items()
    )


def _may_be(sent: Record, row: Record, complete: bool) -> bool:
    return says_the_same(sent, row) if complete or row.name else True


def _said(record: Record) -> dict[str, str]:
    values: dict[str, Any] = {name: getattr(record, name) for name in _ABOUT[kind_of(record)]}
    address = getattr(record, "address", None)
    if address is not None:
        values |= {f"address.{name}": value for name, value in asdict(address).items()}
        values.pop("address.country")
        values["phone"] = phone_number(values["phone"])
    return {name: "" if is_blank(value) else _folded(value) for name, value in values.items()}


def _folded(value: object) -> str:
    return "".join(sign for sign in str(value).casefold() if sign.isalnum())

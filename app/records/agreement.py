"""Say what two records agree on, and from which base their sync may start; pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from app.canonical import Address, Customer, Record, Side
from app.records.fields import FieldMap, customer_fields, project_fields

_BLANK_ADDRESS: Final = {**asdict(Address()), "country": "NO"}


def fields_of(record: Record, *, customer_pair: str | None) -> dict[str, Any]:
    """
    Give a record's synced fields.

    Args:
        customer_pair: For a project: the id of its customer's pair, the one name both sides share.

    """
    if isinstance(record, Customer):
        return customer_fields(record)
    return project_fields(record, customer_pair=customer_pair)


def content_print(record: Record) -> str:
    """
    Give the SHA-256 hex of what a record says in its synced fields.

    Our mark is no part of it, so that writing the mark makes no record look changed.
    """
    own = fields_of(record, customer_pair=None)
    if not isinstance(record, Customer):
        own["customer"] = record.customer_id
    return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()


def is_blank(value: object) -> bool:
    """Say whether a field's value says nothing; an address that names only Norway says nothing."""
    return value is None or value in ("", _BLANK_ADDRESS)


def overlap(one: FieldMap, other: FieldMap) -> dict[str, Any]:
    """Give the fields both sides say alike."""
    return {name: value for name, value in one.items() if other.get(name) == value}


def differences(one: FieldMap, other: FieldMap) -> tuple[str, ...]:
    """Name the fields the two sides say differently, in the order of the fields."""
    return tuple(name for name, value in one.items() if other.get(name) != value)


def start_base(
    time: FieldMap, books: FieldMap, *, winners: Mapping[str, Side] | None = None
) -> dict[str, Any]:
    """
    Give the base of a pair that did not exist before, so that the three-way merge does the rest.

    * Both say the same: that is the base; nothing will be written.
    * A person chose a side: the base is what the *other* side says, so that the chosen side looks
      changed and its value is written by the ordinary way.
    * One side says nothing: the base is nothing, so that the side which knows fills the blank.
    * Otherwise the field is left out of the base: nobody knows who was first. It is a real
      difference, and the merge treats it as changed on both sides.
    """
    base = overlap(time, books)
    for name in differences(time, books):
        winner = (winners or {}).get(name)
        if winner is not None:
            base[name] = books[name] if winner is Side.TIME else time[name]
        elif is_blank(time[name]) or is_blank(books[name]):
            base[name] = time[name] if is_blank(time[name]) else books[name]
    return base


SHOWN: Final = "~shown"
"""Stands in a pair's base beside the fields: by side, what it makes of agreed values."""


def base_after_create(sent: FieldMap, came: FieldMap, target: Side) -> dict[str, Any]:
    """
    Give the base of a pair whose one half was just made from the other.

    What was sent is what both agree on, whatever the target makes of it (trims, spells otherwise,
    does not keep): how it shows such a value is noted beside the base, so that the next look takes
    it for the agreed one and writes nothing. With the target's value as base the source would look
    changed, without the note the target would; each sync would then write once more.
    """
    shown = {name: came[name] for name in differences(sent, came)}
    return dict(sent) | ({SHOWN: {target.value: shown}} if shown else {})


def shown_by(side: Side, base: FieldMap) -> FieldMap:
    """Give what a side makes of agreed values, by field."""
    shown: FieldMap = base.get(SHOWN, {}).get(side.value, {})
    return shown

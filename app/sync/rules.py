"""Hold the rule table: what an event on one side does on the other; pure, published in the docs."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from app.canonical import RecordKind, Side


class Event(StrEnum):
    """Name what can happen to a record in its own system."""

    CREATED = "created"
    CHANGED = "changed"
    ARCHIVED = "archived"
    REACTIVATED = "reactivated"
    VANISHED = "vanished"
    MERGED = "merged"


class Effect(StrEnum):
    """
    Name what follows on the other side. Nothing is ever deleted there.

    ``ADMIT``: readiness and matching decide between linking, creating, asking and waiting.
    ``COPY``: the changed fields are written. ``ARCHIVE`` and ``REACTIVATE``: ``active`` is a field
    like the others. ``ASK``: the partner stays as it is, a person is asked. ``MOVE_PAIR``: the pair
    follows the record that lives on; where that one has a partner already, a person is asked.
    """

    ADMIT = "admit"
    COPY = "copy"
    ARCHIVE = "archive"
    REACTIVATE = "reactivate"
    ASK = "ask"
    MOVE_PAIR = "move-pair"


_BOTH: Final[Mapping[Event, Effect]] = {
    Event.CREATED: Effect.ADMIT,
    Event.CHANGED: Effect.COPY,
    Event.ARCHIVED: Effect.ARCHIVE,
    Event.REACTIVATED: Effect.REACTIVATE,
    Event.VANISHED: Effect.ASK,
}

RULES: Final[Mapping[tuple[RecordKind, Event, Side], Effect]] = {
    **{(kind, event, side): effect for kind in RecordKind for event, effect in _BOTH.items()
       for side in Side},
    (RecordKind.CUSTOMER, Event.MERGED, Side.TIME): Effect.MOVE_PAIR,
    (RecordKind.CUSTOMER, Event.MERGED, Side.BOOKS): Effect.MOVE_PAIR,
    (RecordKind.PROJECT, Event.MERGED, Side.TIME): Effect.ASK,
    (RecordKind.PROJECT, Event.MERGED, Side.BOOKS): Effect.ASK,
}  # fmt: skip
"""By object, event, and the side it happened on."""


def effect_of(kind: RecordKind, event: Event, side: Side) -> Effect:
    """Say what an event on a side does on the other; every combination is in the table."""
    return RULES[kind, event, side]

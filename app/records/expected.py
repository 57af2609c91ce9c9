"""Say what linking two records will change in either of them, before it does; pure."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from app.canonical import SYNCED_FIELDS, Side
from app.records.agreement import differences, is_blank
from app.records.fields import FieldMap
from app.records.spelling import spelled_alike

_SIDES: Final[Mapping[str, Side]] = {side.value: side for side in Side}


class Change(StrEnum):
    """Name what becomes of a value: filled where none stood, overwritten, or asked about."""

    FILLED = "filled"
    OVERWRITTEN = "overwritten"
    ASKED = "asked"


class Expected(NamedTuple):
    """Hold one field that two records say differently; ``side`` is where it is written, if any."""

    field: str
    change: Change
    side: Side | None


def expected_changes(
    time: FieldMap,
    books: FieldMap,
    *,
    winners: Mapping[str, str],
    policies: Mapping[str, str],
) -> Iterator[Expected]:
    """
    Give what the first sync of a new pair comes to, by field.

    The same as ``start_base`` and the merge upon it: a winner's value is written, a blank filled, a
    policy obeyed; spelling is left alone, and the rest becomes a conflict.

    Args:
        winners: By field, the side a person chose for this pair.
        policies: By field, ``ask`` or the side that wins on this link.

    """
    said = {Side.TIME: time, Side.BOOKS: books}
    for name in differences(time, books):
        blank = [side for side in Side if is_blank(said[side].get(name))]
        policy = policies.get(name, "")
        if name in winners:
            loser = _SIDES[winners[name]].other
        elif len(blank) == 1:
            loser = blank[0]
        elif policy in _SIDES:
            loser = _SIDES[policy].other
        else:
            if not blank and not spelled_alike(name, time.get(name), books.get(name)):
                yield Expected(name, Change.ASKED, None)
            continue
        yield Expected(name, Change.FILLED if loser in blank else Change.OVERWRITTEN, loser)


def policies_of(settings: Mapping[str, Any]) -> Mapping[str, str]:
    """Give the policy of each field: one for the link (``ask``), and exceptions where set."""
    policy, exceptions = settings.get("conflict_policy", "ask"), settings.get("field_policies", {})
    names = {name for fields in SYNCED_FIELDS.values() for name in fields}
    return {name: exceptions.get(name, policy) for name in names}

"""Merge two sides' fields against what they last agreed on; pure, and the same from either side."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from app.canonical import Side
from app.records.agreement import is_blank
from app.records.fields import FieldMap
from app.records.spelling import spelled_alike

_UNKNOWN: Final = object()
"""Stands for a field the base says nothing about; ``None`` is a value."""


class Policy(StrEnum):
    """Name what happens to a field that both sides changed differently."""

    ASK = "ask"
    BOOKS = "books"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Conflict:
    """Hold a field both sides changed differently; ``base`` is ``None`` where none was agreed."""

    field: str
    base: Any
    time: Any
    books: Any


@dataclass(frozen=True, slots=True)
class Decision:
    """
    Hold a person's answer to a conflict.

    Args:
        time: What the time side said when the person decided, and ``books`` the books side. The
            answer counts only while both still say so.
        value: What both sides are to say.

    """

    time: Any
    books: Any
    value: Any


@dataclass(frozen=True, slots=True)
class Loss:
    """Hold a value that gives way, so that it is kept in the record's history."""

    field: str
    side: Side
    value: Any
    winner: Any


@dataclass(frozen=True, slots=True)
class Plan:
    """
    Hold what makes two records equal.

    Args:
        to_time: Fields to write on the time side, with their new values.
        to_books: The same for the books side.
        conflicts: Fields that are written nowhere until a person decides.
        losses: Values that give way by policy or decision.
        new_base: What both sides agree on once the plan is carried out.
        spelled: By side, how it spells a value of the new base that the other side spells as there.

    """

    to_time: Mapping[str, Any] = field(default_factory=dict)
    to_books: Mapping[str, Any] = field(default_factory=dict)
    conflicts: tuple[Conflict, ...] = ()
    losses: tuple[Loss, ...] = ()
    new_base: Mapping[str, Any] = field(default_factory=dict)
    spelled: Mapping[Side, Mapping[str, Any]] = field(default_factory=dict)

    def to(self, side: Side) -> Mapping[str, Any]:
        """Give the fields to write on a side."""
        return self.to_time if side is Side.TIME else self.to_books

    def without(self, side: Side, fields: Collection[str], *, base: FieldMap) -> "Plan":
        """Give the plan without writing these fields on a side; they stay as they were agreed."""
        kept = {name: value for name, value in self.to(side).items() if name not in fields}
        new_base = {name: value for name, value in self.new_base.items() if name not in fields}
        new_base |= {name: base[name] for name in fields if name in base}
        losses = tuple(
            one for one in self.losses if one.side is not side or one.field not in fields
        )
        return replace(
            self,
            to_time=kept if side is Side.TIME else self.to_time,
            to_books=kept if side is Side.BOOKS else self.to_books,
            losses=losses,
            new_base=new_base,
        )


def plan_merge(
    base: FieldMap,
    time: FieldMap,
    books: FieldMap,
    *,
    policies: Mapping[str, Policy] | None = None,
    decisions: Mapping[str, Decision] | None = None,
) -> Plan:
    """
    Say what must be written where, field by field.

    A side that still says what the base says follows the other one. Both changed alike is
    agreement. Both changed differently is a conflict, unless a policy or a decision settles it; so
    is a difference the base says nothing about, since nobody knows who was first, unless one side
    is blank there: it is filled. Nobody is asked about spelling: where only that differs and no
    policy or decision names a winner, both keep theirs.

    Args:
        policies: By field; ``ask`` where nothing is said.
        decisions: By field; they go before the policy.

    """
    merged = _Merge(base=base, policies=policies or {}, decisions=decisions or {})
    for name in sorted({*time, *books}):
        merged.add(name, time.get(name), books.get(name))
    return merged.plan()


def as_agreed(
    seen: FieldMap, *, base: FieldMap, shown: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """
    Take what a system makes of an agreed value for that very value.

    A system may store ``+47 12 34 56 78`` for ``12345678``. Without this the two sides would send
    their own spelling to and fro for ever.

    Args:
        shown: By field, what the side showed after the agreed value had been written to it.

    Returns:
        What the side says, and the part of ``shown`` that still holds.

    """
    still = {
        name: value
        for name, value in shown.items()
        if name in base and seen.get(name) == value and value != base[name]
    }
    return {name: base[name] if name in still else value for name, value in seen.items()}, still


class _Merge:
    """Gather a plan field by field."""

    def __init__(
        self,
        *,
        base: FieldMap,
        policies: Mapping[str, Policy],
        decisions: Mapping[str, Decision],
    ) -> None:
        self._base = base
        self._policies = policies
        self._decisions = decisions
        self._to: dict[Side, dict[str, Any]] = {Side.TIME: {}, Side.BOOKS: {}}
        self._new_base = dict(base)
        self._conflicts: list[Conflict] = []
        self._losses: list[Loss] = []
        self._spelled: dict[Side, dict[str, Any]] = {Side.TIME: {}, Side.BOOKS: {}}

    def add(self, name: str, time: Any, books: Any) -> None:  # noqa: ANN401 - any JSON value
        base = self._base.get(name, _UNKNOWN)
        if time == books:
            self._new_base[name] = time
        elif time == base:
            self._write(name, Side.TIME, books)
        elif books == base:
            self._write(name, Side.BOOKS, time)
        elif base is _UNKNOWN and is_blank(time) != is_blank(books):
            # Nothing was agreed and only one side knows: it fills the blank.
            blank = Side.TIME if is_blank(time) else Side.BOOKS
            self._write(name, blank, books if blank is Side.TIME else time)
        else:
            self._settle(Conflict(name, None if base is _UNKNOWN else base, time, books))

    def _write(self, name: str, side: Side, value: Any) -> None:  # noqa: ANN401 - any JSON value
        self._to[side][name] = value
        self._new_base[name] = value

    def _settle(self, conflict: Conflict) -> None:
        said = {Side.TIME: conflict.time, Side.BOOKS: conflict.books}
        decision = self._decisions.get(conflict.field)
        if decision is not None and (decision.time, decision.books) == tuple(said.values()):
            self._win(conflict.field, decision.value, said)
            return
        match self._policies.get(conflict.field, Policy.ASK):
            case Policy.TIME:
                self._win(conflict.field, conflict.time, said)
            case Policy.BOOKS:
                self._win(conflict.field, conflict.books, said)
            case _ if spelled_alike(conflict.field, conflict.time, conflict.books):
                self._agree(conflict.field, said)
            case _:
                self._conflicts.append(conflict)

    def _win(self, name: str, value: Any, said: Mapping[Side, Any]) -> None:  # noqa: ANN401
        for side, loser in said.items():
            if loser != value:
                self._write(name, side, value)
                self._losses.append(Loss(name, side, loser, value))

    def _agree(self, name: str, said: Mapping[Side, Any]) -> None:
        """Agree on one of two spellings, whichever side it stands on: the one less in capitals."""
        other, agreed = sorted(Side, key=lambda side: json.dumps(said[side], ensure_ascii=False))
        self._new_base[name] = said[agreed]
        self._spelled[other][name] = said[other]

    def plan(self) -> Plan:
        return Plan(
            to_time=self._to[Side.TIME],
            to_books=self._to[Side.BOOKS],
            conflicts=tuple(self._conflicts),
            losses=tuple(self._losses),
            new_base=self._new_base,
            spelled={side: fields for side, fields in self._spelled.items() if fields},
        )

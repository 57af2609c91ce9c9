"""Carry a person's answers over to a plan that was made again, and ask where they do not; pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from app.canonical import RecordId, RecordKind, Side
from app.first_sync.plan.categories import Category
from app.first_sync.plan.deeds import partner_of
from app.first_sync.plan.places import NOWHERE, Places
from app.first_sync.plan.propose import Line
from app.records.matching import CHOSEN

Key = tuple[RecordKind, Side, RecordId]
"""The record that a line is about."""

NOTHING_FIXED: Final[Mapping[Key, str]] = {}


def keep_answers(
    lines: Iterable[Line],
    old: Mapping[Key, Line],
    places: Places = NOWHERE,
    *,
    fixed: Mapping[Key, str] = NOTHING_FIXED,
) -> list[Line]:
    """
    Carry ids and a person's answers over to a plan that was made again.

    «Leave out» lives on whatever the record says by now. A link lives on while both records say
    what they said, a create while its record does and nothing stands beside it that was not shown.
    No other answer turns into a write by itself: its line is asked again, at both halves of a
    link, and stays so over further readings until a person answers. So is a line that would link
    to a record whose own line was answered, one whose certain or chosen partner is gone, and what
    a line that is left out took along and names no more. A line that shows something new has a new
    version.

    Args:
        places: With projects: where each belongs. The link of two whose customers parted is asked
            again, as it could not be answered by now.
        fixed: What records said before a fix of ours: to their answers they say the same still.

    """
    new: dict[Key, Line] = {line.key: line for line in lines}
    kept = _kept(new, _as_fixed(new, old, fixed), places)
    links = {_partner_of(one): key for key, one in kept.items() if one.answer == "link"}
    again = _Again(new, places, kept, _asked(new, old, kept), links, _lost(old, kept))
    return [again.carried(line, old.get(key)) for key, line in new.items()]


def woken(lines: Sequence[Line]) -> list[Line]:
    """
    Give lines as they were before those of projects were put to sleep for want of the right.

    Nothing else puts a line of the time side to sleep. A line of the books side that was answered
    spoke for itself.
    """
    rested = any(
        one.dormant and one.kind is RecordKind.PROJECT and one.anchor_side is Side.TIME
        for one in lines
    )
    return [
        replace(one, dormant=False)
        if rested
        and one.kind is RecordKind.PROJECT
        and (one.anchor_side is Side.TIME or one.answer is not None)
        else one
        for one in lines
    ]


def _as_fixed(
    new: Mapping[Key, Line], old: Mapping[Key, Line], fixed: Mapping[Key, str]
) -> Mapping[Key, Line]:
    """Give former lines as if they had been drawn after the fixes that were upon them."""
    upon = {key for key, said in fixed.items() if key in new and key in old
            and old[key].print == said}  # fmt: skip
    return {
        key: replace(line, print=new[key].print) if key in upon else line
        for key, line in old.items()
    }


def _kept(new: Mapping[Key, Line], old: Mapping[Key, Line], places: Places) -> dict[Key, Line]:
    """Give the former lines whose answers live on; of two links to one record the first."""
    beside, was_beside = _beside(new.values()), _beside(old.values())
    taken: set[Key] = set()
    kept: dict[Key, Line] = {}
    for key, line in new.items():
        before = old.get(key)
        if before is None or before.answer is None:
            continue
        partner = _partner_of(before)
        lives = before.answer == "leave_out"
        if before.answer == "create":
            lives = line.print == before.print and beside[key] <= was_beside[key]
        elif partner is not None:
            same = all(_says_the_same(one, new, old) for one in (key, partner))
            lives = same and partner not in taken and _in_one_place(key, partner, places)
        if lives:
            kept[key] = before
            taken |= {partner} if partner is not None else set()
    return kept


def _says_the_same(key: Key, new: Mapping[Key, Line], old: Mapping[Key, Line]) -> bool:
    now, then = new.get(key), old.get(key)
    return now is not None and then is not None and now.print == then.print


def _in_one_place(one: Key, other: Key, places: Places) -> bool:
    return places.get(one[1:]) == places.get(other[1:])


def _asked(new: Mapping[Key, Line], old: Mapping[Key, Line], kept: Mapping[Key, Line]) -> set[Key]:
    """Give the records whose lines must be asked unless their own answers live on."""
    beside = _beside(new.values())
    asked: set[Key] = set()
    spoken: set[Key] = set()
    for key, before in old.items():
        halves = {key, *filter(None, [_partner_of(before)])}
        if before.answer == "leave_out":
            asked |= {one for one in _candidates_of(before) if key[2] not in beside[one]}
        elif before.answer is not None and key not in kept:
            asked |= halves
            spoken |= halves
        elif len(halves) > 1 and not halves <= new.keys():
            asked |= halves
        if before.answer is not None and before.anchor_side is Side.BOOKS and not before.dormant:
            spoken.add(key)
    return asked | {key for key, line in new.items() if _partner_of(line) in spoken}


def _beside(lines: Iterable[Line]) -> defaultdict[Key, set[RecordId]]:
    """Say of each record which ones of the other side are shown with it, whoever's line does."""
    beside: defaultdict[Key, set[RecordId]] = defaultdict(set)
    for line in lines:
        for key in _candidates_of(line):
            beside[line.key].add(key[2])
            beside[key].add(line.anchor_id)
    return beside


def _candidates_of(line: Line) -> list[Key]:
    return [(line.kind, line.anchor_side.other, RecordId(one["id"])) for one in line.candidates]


def _partner_of(line: Line) -> Key | None:
    partner = partner_of(line)
    return (line.kind, line.anchor_side.other, RecordId(partner)) if partner is not None else None


@dataclass(frozen=True, slots=True)
class _Again:
    """Give each line the answer it had, or ask it again."""

    new: Mapping[Key, Line]
    places: Places
    kept: Mapping[Key, Line]
    asked: Collection[Key]
    given: Mapping[Key | None, Key]
    """By partner: the line whose answer links to it."""
    lost: Mapping[Key, Mapping[str, Any]]
    """By record: what was answered to it, or to whoever was linked to it, and does not hold."""

    def carried(self, line: Line, before: Line | None) -> Line:
        kept = self.kept.get(line.key)
        if kept is not None:
            line = replace(
                line,
                answer=kept.answer,
                partner_id=kept.partner_id,
                winners=kept.winners,
                answered_by=kept.answered_by,
                answered_at=kept.answered_at,
                words=self._found_by(line, _partner_of(kept)),
            )
        if self._is_asked(line, before):
            line = self._asked_again(line, before)
        elif line.answer is None and _partner_of(line) in self.given:
            line = replace(line, category=Category.AMBIGUOUS)
        return _renewed(line, before)

    def _found_by(self, line: Line, partner: Key | None) -> str:
        """Give what a line is found by, also where its partner is none of its candidates."""
        if partner is None or partner in _candidates_of(line):
            return line.words
        return f"{line.words} {self.new[partner].words}"

    def _is_asked(self, line: Line, before: Line | None) -> bool:
        # What an answer stands on stays in doubt: taken back, it leaves the question, not a write.
        was = before is not None and before.category is Category.ASKED_AGAIN
        return was or (line.answer is None and line.key in self.asked)

    def _asked_again(self, line: Line, before: Line | None) -> Line:
        """Ask, and name first whom a person linked it to, where that may be answered still."""
        former = [self.new[one] for one in _linked_before(before) if self._is_free(line, one)]
        named = [
            {"id": one.anchor_id, "rule": CHOSEN, "facts": [], "score": line.score}
            for one in former
        ]
        return replace(
            line,
            category=Category.ASKED_AGAIN,
            lost=self.lost.get(line.key, before.lost if before is not None else None),
            candidates=(*named, *line.candidates),
            words=" ".join([line.words, *(one.words for one in former)]),
        )

    def _is_free(self, line: Line, key: Key) -> bool:
        holder = self.given.get(key, line.key)
        free = key in self.new and holder == line.key and key not in _candidates_of(line)
        return free and _in_one_place(line.key, key, self.places)


def _lost(old: Mapping[Key, Line], kept: Mapping[Key, Line]) -> dict[Key, Mapping[str, Any]]:
    """Tell which answers do not hold any more; that of a link to both of its halves."""
    gone = {key: one for key, one in old.items() if one.answer is not None and key not in kept}
    halves = {
        partner: _answer_told(one, key[2])
        for key, one in gone.items()
        if (partner := _partner_of(one)) is not None
    }
    return halves | {key: _answer_told(one, one.partner_id) for key, one in gone.items()}


def _answer_told(line: Line, partner_id: str | None) -> Mapping[str, Any]:
    at = line.answered_at
    return {
        "answer": line.answer, "partner_id": partner_id, "answered_by": line.answered_by,
        "answered_at": at.isoformat() if at is not None else None,
    }  # fmt: skip


def _linked_before(before: Line | None) -> list[Key]:
    """Give whom a person linked the record to, in answers that live on or were lost."""
    if before is None:
        return []
    chosen = [one for one in before.candidates if one["rule"] == CHOSEN]
    keys = _candidates_of(replace(before, candidates=tuple(chosen)))
    partner = _partner_of(before) if before.answer == "link" else None
    return list(dict.fromkeys([*filter(None, [partner]), *keys]))


def _renewed(line: Line, before: Line | None) -> Line:
    if before is None:
        return line
    shows = (line.category, line.name, line.print, line.candidates, line.siblings)
    showed = (before.category, before.name, before.print, before.candidates, before.siblings)
    lost = before.answer is not None and line.answer is None
    version = before.version + (1 if lost or shows != showed else 0)
    return replace(line, proposal_id=before.proposal_id, version=version)

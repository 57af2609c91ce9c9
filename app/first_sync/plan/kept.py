"""Carry a person's answers over to a plan that was made again; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from app.canonical import RecordKind
from app.first_sync.plan.categories import Category
from app.first_sync.plan.places import NOWHERE, Places
from app.first_sync.plan.propose import Line


def keep_answers(
    lines: Iterable[Line], old: Mapping[Any, Line], places: Places = NOWHERE
) -> list[Line]:
    """
    Carry ids and a person's answers over to a plan that was made again.

    An answer lives on where the record says what it said, and where the partner of a link does too;
    anything else is asked again. So is a certain line without an answer whose partner a kept answer
    gives to another. A line that shows something new has a new version.

    Args:
        places: With projects: where each belongs. The link of two whose customers parted is asked
            again, as it could not be answered by now.

    """
    new = {line.key: _renewed(line, old.get(line.key)) for line in lines}
    taken: set[tuple[RecordKind, str | None]] = set()
    for key, line in new.items():
        before = old.get(key)
        if before is None or before.answer is None or before.print != line.print:
            continue
        if before.answer == "link" and not _same_partner(before, new, old, taken):
            continue
        if before.answer == "link" and not _in_one_place(before, places):
            continue
        taken.add((line.kind, before.partner_id))
        new[key] = replace(
            line,
            answer=before.answer,
            partner_id=before.partner_id,
            winners=before.winners,
            answered_by=before.answered_by,
            answered_at=before.answered_at,
        )
    given = {(one.kind, one.partner_id) for one in new.values() if one.answer == "link"}
    return [_asked_where_given(line, given, old.get(line.key)) for line in new.values()]


def _asked_where_given(
    line: Line, given: set[tuple[RecordKind, str | None]], before: Line | None
) -> Line:
    certain = line.answer is None and line.category is Category.CERTAIN
    if not certain or (line.kind, str(line.candidates[0]["id"])) not in given:
        return line
    asked = replace(line, category=Category.AMBIGUOUS, proposal_id=None, version=1)
    return _renewed(asked, before)


def _in_one_place(line: Line, places: Places) -> bool:
    ends = ((line.anchor_side, line.anchor_id), (line.anchor_side.other, line.partner_id or ""))
    here, there = (places.get(end) for end in ends)
    return here == there


def _renewed(line: Line, before: Line | None) -> Line:
    if before is None:
        return line
    shows = (line.category, line.name, line.print, line.candidates, line.siblings)
    showed = (before.category, before.name, before.print, before.candidates, before.siblings)
    lost = before.answer is not None and before.print != line.print
    version = before.version + (1 if lost or shows != showed else 0)
    return replace(line, proposal_id=before.proposal_id, version=version)


def _same_partner(
    before: Line,
    new: Mapping[Any, Line],
    old: Mapping[Any, Line],
    taken: set[tuple[RecordKind, str | None]],
) -> bool:
    key = (before.kind, before.anchor_side.other, before.partner_id)
    now, then = new.get(key), old.get(key)
    unchanged = now is not None and then is not None and now.print == then.print
    return unchanged and (before.kind, before.partner_id) not in taken

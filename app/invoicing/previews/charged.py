"""
Object to a follow-up of what the books charge otherwise than we sent it.

A person may take a line out of a draft in the books, or give a discount there: what the customer
was never charged is not taken off. Nothing is adjusted; both sums are shown and a person decides.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId
from app.invoicing.ledger.agreed import upon
from app.invoicing.ledger.corrections import corrections_of
from app.invoicing.ledger.in_books import lines_in_books
from app.invoicing.ledger.matched import Matched, match_lines, net_of
from app.invoicing.lines.shapes import is_of_hours
from app.invoicing.previews.objections import Objection
from app.invoicing.store import Draft, LedgerRow
from app.problems import Problem
from app.runtime import Runtime

Place = tuple[UUID, int]
"""A line: its draft's id and its number from 1."""


@dataclass(frozen=True, slots=True)
class Upon:
    """
    Hold drafts that a follow-up is upon.

    Args:
        drafts: The first drafts and the living follow-ups of their hours, by id.
        held: Of each the lines that hold hours still, or never billed time of any.

    """

    drafts: Mapping[UUID, Draft]
    held: Mapping[UUID, Mapping[int, Mapping[str, Any]]]


async def read_upon(session: AsyncSession, link_id: LinkId, draft_ids: Sequence[UUID]) -> Upon:
    """Read what differences of these drafts' hours are upon; a line that was released is none."""
    rows = await session.scalars(upon(link_id, draft_ids))
    drafts = {draft.draft_id: draft for draft in rows}
    active = await session.execute(
        select(LedgerRow.draft_id, LedgerRow.entry_id).where(
            LedgerRow.link_id == link_id, LedgerRow.active, LedgerRow.draft_id.in_(drafts)
        )
    )
    hours = {(draft_id, entry_id) for draft_id, entry_id in active}
    return Upon(drafts, {one: _held(draft, hours) for one, draft in drafts.items()})


def _held(draft: Draft, hours: set[tuple[UUID, str]]) -> dict[int, Mapping[str, Any]]:
    lines = enumerate(draft.body["lines"], 1)
    if corrections_of(draft):  # its lines are of hours that other drafts hold
        return dict(lines)
    return {
        number: line
        for number, line in lines
        if not is_of_hours(line) or any((draft.draft_id, one) in hours for one in line["entryIds"])
    }


async def charged_otherwise(
    runtime: Runtime, link_id: LinkId, upon: Upon, made: Mapping[Place, int]
) -> list[Objection]:
    """
    Read the drafts in the books, and object where a corrected line is not what we sent.

    Args:
        made: What the follow-up bills of each line it is upon, in øre.

    Raises:
        Problem: ``draft-not-standing`` where one of them is gone from the books.

    """
    found: dict[UUID, Matched] = {}
    for draft_id, draft in upon.drafts.items():
        theirs = await lines_in_books(runtime, link_id, draft)
        if theirs is None:
            raise Problem("draft-not-standing", draft=draft_id)
        found[draft_id] = match_lines(upon.held[draft_id], theirs)
    return list(_objections(upon, found, made))


def _objections(
    upon: Upon, found: Mapping[UUID, Matched], made: Mapping[Place, int]
) -> Iterator[Objection]:
    followed = _followed(upon)
    for place, net in made.items():
        draft_id, number = place
        about = {"draftId": str(draft_id), "line": number}
        timed = is_of_hours(upon.drafts[draft_id].body["lines"][number - 1])
        if timed and number not in found[draft_id].lines:
            yield {"code": "line-not-in-conta", "blocking": True, **about}
            continue
        # Of an hour that was billed for its expenses alone only follow-ups have billed time.
        places = [*([place] if timed else []), *followed[place]]
        ours = sum(upon.held[one][at]["net"] for one, at in places)
        theirs = sum(_theirs(upon, found, one) for one in places)
        if any(_theirs(upon, found, one) != upon.held[one[0]][one[1]]["net"] for one in places):
            yield {
                "code": "line-differs-in-conta", "blocking": theirs + net < 0, **about,
                "oursOre": ours, "theirsOre": theirs,
            }  # fmt: skip


def _followed(upon: Upon) -> Mapping[Place, list[Place]]:
    """Give the lines of follow-ups that are upon each line."""
    found: dict[Place, list[Place]] = defaultdict(list)
    for draft in upon.drafts.values():
        for one in corrections_of(draft):
            first = UUID(one["draftId"]), one["correctedLine"]
            found[first] += [(draft.draft_id, number) for number in one["lines"]]
    return found


def _theirs(upon: Upon, found: Mapping[UUID, Matched], place: Place) -> int:
    """Give what the books charge by a line; nothing where it is not there."""
    draft_id, number = place
    line = found[draft_id].lines.get(number)
    return 0 if line is None else net_of(line, upon.held[draft_id][number])

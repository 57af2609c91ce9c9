"""Make a preview of what changed after hours were billed: the difference, never the whole."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import EntryId, LinkId
from app.database import CommitPoint
from app.invoicing.ledger.agreed import counted_hours, followed, not_standing, upon_ids
from app.invoicing.ledger.corrections import CORRECTIONS, correction_to_json
from app.invoicing.ledger.decided import FOLLOW_UP, UPON, VERSIONS, is_open
from app.invoicing.lines.difference import Changed, Correction, Frozen, corrections, stays
from app.invoicing.lines.shapes import TERMS, is_of_hours
from app.invoicing.previews.charged import Place, Upon, charged_otherwise, read_upon
from app.invoicing.previews.objections import VatSaid
from app.invoicing.previews.partners import pair_of_drafts
from app.invoicing.previews.preview import vat_said
from app.invoicing.previews.without_hours import WithoutHours, keep_without_hours
from app.invoicing.store import Draft, EntryChange, Preview
from app.invoicing.unbilled.choose import customer_pair
from app.invoicing.unbilled.read_hours import note_changes
from app.links.open_systems import open_time
from app.links.pairs import Pair
from app.problems import Problem
from app.runtime import Runtime


class _Numbered(NamedTuple):
    """Hold a correction with the draft and line that it corrects."""

    draft_id: UUID
    line: int
    correction: Correction


@dataclass(frozen=True, slots=True)
class _Asked:
    """Hold the changes of one customer with the drafts they were billed in."""

    changes: Sequence[EntryChange]
    versions: Mapping[EntryId, int]
    drafts: Mapping[UUID, Draft]
    followed: Mapping[UUID, Sequence[EntryChange]]
    upon: Upon
    customer: Pair
    project: Pair | None
    said: Mapping[str, VatSaid]


async def preview_follow_up(
    runtime: Runtime, link_id: LinkId, change_ids: Sequence[UUID]
) -> Preview:
    """
    Preview a draft of the differences of one customer's changed hours.

    The hours are looked at once more: one that changed again since it was listed is listed anew.
    The choice is recorded when the draft is made of it, not before: a preview nobody sends decides
    nothing, and a draft that is refused or released opens the changes again.

    Lines may be negative; the whole may not, since we make no credit notes (docs/invoicing.md says
    why). What Conta does not charge as we sent it is read there and told.

    Raises:
        Problem: ``not-found`` for an unknown, decided or overtaken change, ``nothing-to-bill``
            where the changes are no money or of several customers, ``draft-not-standing`` where
            a draft it would be upon is not in the books: on its way, deleted or credited.

    """
    asked = await _asked(runtime, link_id, change_ids)
    first = next(iter(asked.drafts.values())).body.get("about", {})
    language = first.get("language", "nb")
    found = [one for draft in asked.drafts.values() for one in _corrections(asked, draft, language)]
    lines = [line for one in found for line in one.correction.lines]
    about = {
        "language": language, "customer": first.get("customer", ""),
        FOLLOW_UP: [str(change.change_id) for change in asked.changes],
        UPON: upon_ids(asked.followed), VERSIONS: dict(asked.versions),
        CORRECTIONS: _numbered(found),
    }  # fmt: skip
    against = await charged_otherwise(runtime, link_id, asked.upon, _nets(found))
    made = WithoutHours(
        asked.customer,
        asked.project,
        lines,
        about,
        asked.said,
        may_be_negative=True,
        objections=against,
    )
    return await keep_without_hours(runtime, link_id, made)


async def _asked(runtime: Runtime, link_id: LinkId, change_ids: Sequence[UUID]) -> _Asked:
    versions = await _look_once_more(runtime, link_id, change_ids)
    async with runtime.database.reading(link_id) as session:
        changes = await open_changes(session, link_id, change_ids)
        hours = {(change.draft_id, change.entry_id) for change in changes}
        if not len(hours) == len(changes) == len(set(change_ids)):
            raise Problem("not-found")
        ids = list(dict.fromkeys(change.draft_id for change in changes))
        waiting = await not_standing(session, link_id, ids)
        if waiting:
            raise Problem("draft-not-standing", draft=waiting[0])
        drafts = {one: await session.get_one(Draft, (link_id, one)) for one in ids}
        customers = {draft.customer_time_id for draft in drafts.values()}
        if len(customers) != 1:
            raise Problem("nothing-to-bill", more={"leftOut": []})
        return _Asked(
            changes, versions, drafts, await followed(session, link_id, ids),
            await read_upon(session, link_id, ids),
            await customer_pair(session, link_id, customers.pop()),
            await pair_of_drafts(session, link_id, drafts.values()),
            await vat_said(session, link_id),
        )  # fmt: skip


async def _look_once_more(
    runtime: Runtime, link_id: LinkId, change_ids: Sequence[UUID]
) -> Mapping[EntryId, int]:
    """Note what these hours are now, so that a follow-up is of no older state; give versions."""
    async with runtime.database.reading(link_id) as session:
        changes = await open_changes(session, link_id, change_ids)
    ids = tuple(dict.fromkeys(EntryId(change.entry_id) for change in changes))
    if not ids:
        return {}
    tracker = await open_time(runtime, link_id)
    started = runtime.clock()
    entries = await tracker.entries_by_id(ids)
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await note_changes(session, link_id, entries, seen_at=started)
    return {entry.id: entry.version for entry in entries}


async def open_changes(
    session: AsyncSession, link_id: LinkId, change_ids: Sequence[UUID]
) -> list[EntryChange]:
    """Read changes that wait for a person, in the order they were seen."""
    rows = await session.scalars(
        select(EntryChange)
        .where(is_open(link_id), EntryChange.change_id.in_(change_ids))
        .order_by(EntryChange.change_id)
    )
    return list(rows)


def _corrections(asked: _Asked, draft: Draft, language: str) -> list[_Numbered]:
    """
    Reckon the changed hours of one draft, line by line.

    Each from what it was compared with when it was noted, the others as they are billed by now.
    """
    mine = {one.entry_id: one for one in asked.changes if one.draft_id == draft.draft_id}
    counted = counted_hours(draft, asked.followed[draft.draft_id])
    for entry_id, change in mine.items():
        counted.pop(entry_id, None)
        if stays(change.before, draft.customer_time_id):
            counted[entry_id] = change.before
    found: list[_Numbered] = []
    for number, line in enumerate(draft.body["lines"], 1):
        members = line["entryIds"]
        changes = [
            Changed(str(mine[one].change_id), one, _now(mine[one], draft))
            for one in members
            if one in mine
        ]
        if is_of_hours(line):
            billed = {one: counted[one] for one in members if one in counted}
            made = corrections(line, billed, changes, language=language) if changes else []
        else:
            own = (_untimed(draft, line, each, counted, language) for each in changes)
            made = [one for each in own for one in each]
        found += [_Numbered(draft.draft_id, number, one) for one in made]
    return found


def _untimed(
    draft: Draft,
    line: Mapping[str, Any],
    change: Changed,
    counted: Mapping[str, Frozen],
    language: str,
) -> list[Correction]:
    """Reckon an hour that was billed for its expenses alone: by itself, as its time would be."""
    own = {**line, **draft.body["about"].get(TERMS, {}).get(change.entry_id, {})}
    billed = {n: hour for n, hour in counted.items() if n == change.entry_id}
    return corrections(own, billed, [change], language=language)


def _now(change: EntryChange, draft: Draft) -> Frozen | None:
    return change.after if stays(change.after, draft.customer_time_id) else None


def _nets(found: Sequence[_Numbered]) -> dict[Place, int]:
    """Sum what is billed of each line that is corrected, also where it comes to nothing."""
    nets: dict[Place, int] = defaultdict(int)
    for draft_id, line, correction in found:
        nets[draft_id, line] += sum(one.net for one in correction.lines)
    return nets


def _numbered(found: Sequence[_Numbered]) -> list[dict[str, Any]]:
    """Write each correction with its line's number in the follow-up."""
    written, before = [], 0
    for draft_id, line, correction in found:
        written.append(correction_to_json(correction, draft_id, line, before))
        before += len(correction.lines)
    return written

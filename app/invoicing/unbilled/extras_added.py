"""
Note expenses and kilometres that came to an hour after it was billed, so that none is forgotten.

What was billed and is otherwise now is noted along with it (``extras_changed``).

They stand among the facts of the draft that holds the hour, and are listed while none bills them:
also again, once a draft that did is released, though the hour itself does not change then.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import EntryId, LinkId, TimeEntry
from app.invoicing.ledger.corrections import BILLED, LEFT_OUT, billed_extras
from app.invoicing.lines.extras import Billed, Extra, extra_id, extras_of
from app.invoicing.store import Draft, LedgerRow
from app.invoicing.unbilled.extras_changed import CHANGED, Standing, differing, read_standing

ADDED: Final = "expensesAdded"
"""Names, among a draft's facts, what came to its hours since: by entry id."""


async def note_extras(
    session: AsyncSession,
    link_id: LinkId,
    billed: Sequence[LedgerRow],
    seen: Mapping[EntryId, TimeEntry],
) -> None:
    """Note of each billed hour what is not as it was when it was billed; again changes nothing."""
    standing = await read_standing(session, link_id, [row.entry_id for row in billed])
    ids = {
        row.draft_id
        for row in billed
        if row.entry_id in standing or extras_of(seen[EntryId(row.entry_id)])
    }
    if not ids:
        return
    drafts = await session.scalars(
        select(Draft)
        .where(Draft.link_id == link_id, Draft.draft_id.in_(ids))
        .order_by(Draft.draft_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    for draft in drafts:
        added, changed = dict(draft.facts.get(ADDED, {})), dict(draft.facts.get(CHANGED, {}))
        for row in billed:
            if row.draft_id == draft.draft_id:
                entry, billed_of = seen[EntryId(row.entry_id)], standing.get(row.entry_id, {})
                added[row.entry_id] = _added(draft, entry, {row.entry_id: set(billed_of)})
                changed[row.entry_id] = _changed(draft, entry, billed_of)
        kept = {ADDED: _some(added), CHANGED: _some(changed)}
        if any(there != draft.facts.get(name, {}) for name, there in kept.items()):
            draft.facts = {**draft.facts, **kept}


def _some(noted: Mapping[str, Any]) -> dict[str, Any]:
    return {entry_id: there for entry_id, there in noted.items() if there}


def _changed(
    draft: Draft, entry: TimeEntry, standing: Mapping[UUID, Standing | None]
) -> dict[str, Any]:
    there = not entry.gone and entry.customer_id == draft.customer_time_id
    return differing(entry, standing, there=there)


def _added(draft: Draft, entry: TimeEntry, taken: Billed) -> list[str]:
    """Give what the draft neither billed nor left out; of an old draft only the kinds are known."""
    about: Mapping[str, Any] = draft.body.get("about", {})
    if entry.gone or entry.customer_id != draft.customer_time_id or not about:  # or was erased
        return []
    left = about.get(LEFT_OUT, {}).get(entry.id, ())
    kinds = about.get("leftOut", {}).get(entry.id, ()) if LEFT_OUT not in about else ()
    known = {*about.get(BILLED, {}).get(entry.id, ()), *left}
    return [
        one.what for one in _there(entry, taken) if one.what not in known and one.kind not in kinds
    ]


def _there(entry: TimeEntry, taken: Billed) -> list[Extra]:
    """Give what an hour has, billed or not; where a billed expense changed, what may be billed."""
    everything, offered = extras_of(entry), extras_of(entry, taken)
    billed = [e for e in everything if extra_id(entry.id, e.what) in taken.get(entry.id, ())]
    return everything if len(billed) + len(offered) == len(everything) else offered


async def added_extras(
    session: AsyncSession, link_id: LinkId, drafts: Sequence[Draft]
) -> dict[str, dict[str, list[str]]]:
    """Give what came to hours of these drafts and nothing bills, by draft and entry, in kinds."""
    noted = {str(one.draft_id): one.facts.get(ADDED, {}) for one in drafts}
    ids = {entry_id for added in noted.values() for entry_id in added}
    if not ids:
        return {}
    taken = await billed_extras(session, link_id, ids)
    found: dict[str, dict[str, list[str]]] = {}
    for draft_id, added in noted.items():
        for entry_id, names in added.items():
            left = [n for n in names if extra_id(entry_id, n) not in taken.get(entry_id, ())]
            if left:
                there = list(dict.fromkeys(name.partition("/")[0] for name in left))
                found.setdefault(draft_id, {})[entry_id] = there
    return found


async def drafts_noting(session: AsyncSession, link_id: LinkId, fact: str) -> list[Draft]:
    """Read the drafts among whose facts something of that name is noted."""
    rows = await session.scalars(
        select(Draft)
        .where(
            Draft.link_id == link_id, Draft.facts.has_key(fact), Draft.facts[fact] != {}
        )
        .order_by(Draft.draft_id)
    )  # fmt: skip
    return list(rows)

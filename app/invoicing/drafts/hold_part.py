"""
Hold one part of a draft's hours in the time system, and keep what came of it.

What is held is what is billed: a part whose hours were reserved at other minutes or another rate
than were shown refuses the draft.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from app.canonical import EntryId, LinkId, RecordId
from app.database import CommitPoint
from app.invoicing.drafts.record import record_refused
from app.invoicing.lines.snapshot import held_otherwise
from app.invoicing.store import Draft, DraftState, HeldHours
from app.runtime import Runtime
from app.systems.ports import EntriesTaken, NotFound, Rejected, Reservation, TimeTracker

_NOT_SENT = frozenset({DraftState.TAKEN, DraftState.RESERVED})
"""States in which a draft can still be refused: nothing of it is in the books."""


async def hold_part(
    runtime: Runtime,
    link_id: LinkId,
    draft: Draft,
    tracker: TimeTracker,
    wanted: tuple[int, int, Mapping[EntryId, int]],
) -> bool:
    """
    Reserve one part (number, generation, versions) and keep it; ``False`` when refused.

    A draft that stands in the books is not refused for what its hours are reserved at: it bills
    what was sent, and its hours are compared with that as all billed hours are.

    Raises:
        Rejected, NotFound: The same for a draft that stands in the books: it cannot be refused.

    """
    part, generation, chosen = wanted
    key = f"{draft.draft_id}-{part}" + (f"-{generation}" if generation else "")
    try:
        held = await tracker.reserve(
            RecordId(draft.customer_time_id), chosen, key=key,
            ttl_seconds=runtime.settings.transfer_ttl_seconds,
            requested_by=draft.body.get("about", {}).get("requestedByEmployeeId"),
        )  # fmt: skip
    except EntriesTaken as taken:
        conflicts = [{"entryId": c.id, "reason": c.reason} for c in taken.conflicts]
        await _refuse(runtime, draft, part, ["entries-taken"], {"conflicts": conflicts})
        if draft.state == DraftState.CREATED:
            raise
        return False
    except (Rejected, NotFound) as refusal:
        reasons = refusal.reasons if isinstance(refusal, Rejected) else ()
        codes = [reason.code for reason in reasons] or ["hours-refused"]
        await _refuse(runtime, draft, part, codes, {})
        if draft.state == DraftState.CREATED:
            raise
        return False
    changed = _otherwise(draft, held) if draft.state in _NOT_SENT else []
    if changed:
        # Before the hold is kept as answered: who dies in between asks again, and is told the same.
        await record_refused(runtime, draft, ["entries-changed"], {"changed": changed})
    await _keep(runtime, link_id, draft, part, generation, held)
    return not changed


def _otherwise(draft: Draft, held: Reservation) -> list[dict[str, Any]]:
    """Name the hours that were reserved otherwise than the draft bills them, and in what."""
    frozen = draft.body.get("entries", {})
    return [
        {"entryId": entry.id, "what": list(what)}
        for entry in held.entries
        if entry.id in frozen and (what := held_otherwise(frozen[entry.id], entry))
    ]


async def _refuse(
    runtime: Runtime, draft: Draft, part: int, codes: list[str], facts: Mapping[str, Any]
) -> None:
    """Keep that the time system said no: nothing is held under what was asked for."""
    link_id = LinkId(draft.link_id)
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await session.execute(
            update(HeldHours)
            .where(
                HeldHours.link_id == link_id, HeldHours.draft_id == draft.draft_id,
                HeldHours.part == part,
            )
            .values(asked=None)
        )  # fmt: skip
    if draft.state in _NOT_SENT:
        await record_refused(runtime, draft, codes, facts)


async def _keep(
    runtime: Runtime,
    link_id: LinkId,
    draft: Draft,
    part: int,
    generation: int,
    held: Reservation,
) -> None:
    """Keep a reservation; two who asked with one key keep the same."""
    seen = {
        "generation": generation, "reservation_id": held.id, "expires_at": held.expires_at,
        "completed": False, "asked": None,
    }  # fmt: skip
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await session.execute(
            insert(HeldHours)
            .values(link_id=link_id, draft_id=draft.draft_id, part=part, **seen)
            .on_conflict_do_update(
                index_elements=["link_id", "draft_id", "part"],
                set_=seen,
                where=HeldHours.generation <= generation,
            )
        )

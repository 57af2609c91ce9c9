"""Follow a record that vanished or was merged: the pair moves, or a person is asked."""

from collections.abc import Mapping

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from app.canonical import Customer, RecordId, RecordKind, Side
from app.changes.store import note
from app.database import CommitPoint
from app.links.pairs import Pair, find_pair
from app.sync.bite import Look, Work
from app.sync.outcomes import Kept, Outcome
from app.sync.rules import Effect, Event, effect_of
from app.sync.store import write_history
from app.sync.verdicts import Again, Asks, Done, Verdict
from app.systems.ports import ChangeNotice, Sighting

GONE = "record-gone"
BOTH_GONE = "both-records-gone"
MERGED_INTO_PAIRED = "merged-into-linked-record"


async def settle_vanished(
    look: Look, work: Work, pair: Pair, seen: Mapping[Side, Sighting]
) -> Outcome:
    """
    Decide what follows when a record of a pair is not there any more.

    The partner is never touched. Where both are gone nothing is left to ask.
    """
    gone = [side for side, one in seen.items() if one.record is None or one.record.gone]
    if len(gone) == len(Side):
        return Outcome(work, Done(), _kept(pair, BOTH_GONE))
    side = gone[0]
    tombstone = seen[side].record
    into = tombstone.merged_into if isinstance(tombstone, Customer) else None
    event = Event.VANISHED if into is None else Event.MERGED
    if into is not None and effect_of(work.kind, event, side) is Effect.MOVE_PAIR:
        return Outcome(work, await _move(look, pair, side, into))
    partner = seen[side.other].record
    facts = {
        "side": side.value,
        "recordId": pair.record_id(side),
        "name": partner.name if partner else "",
    }
    told = pair.problem == GONE and all(due.side is not side for due in work.dues)
    return Outcome(work, Done() if told else Asks(GONE, facts), _kept(pair, GONE))


async def _move(look: Look, pair: Pair, side: Side, into: RecordId) -> Verdict:
    """Let the pair follow the record that lives on, and look at that one next."""
    now = look.runtime.clock()
    asks = Asks(
        MERGED_INTO_PAIRED,
        {"side": side.value, "recordId": pair.record_id(side), "into": into},
    )
    column = Pair.time_id if side is Side.TIME else Pair.books_id
    notice = ChangeNotice(_kind(pair), into)
    try:
        async with look.runtime.database.transaction(
            CommitPoint.CHANGE_SETTLED, look.link_id
        ) as session:
            if await find_pair(session, look.link_id, side, notice.kind, into) is not None:
                return asks
            moved = await session.execute(
                update(Pair)
                .where(
                    Pair.link_id == look.link_id,
                    Pair.pair_id == pair.pair_id,
                    Pair.version == pair.version,
                )
                .values({column: into, Pair.version: pair.version + 1, Pair.updated_at: now})
                .returning(Pair.pair_id)
            )
            if moved.first() is None:
                return Again("pair-changed-meanwhile")
            await note(session, look.link_id, side, [notice], now=now)
            await write_history(
                session,
                look.link_id,
                [
                    {
                        "pair_id": pair.pair_id,
                        "event": "moved",
                        "side": side.value,
                        "value": pair.record_id(side),
                        "winner": into,
                    }
                ],
                now=now,
            )
    except IntegrityError:
        return asks
    return Done()


def _kind(pair: Pair) -> RecordKind:
    return RecordKind(pair.kind)


def _kept(pair: Pair, problem: str) -> Kept:
    return Kept(pair=pair, base=pair.base, problem=problem)

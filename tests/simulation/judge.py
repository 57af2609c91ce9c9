"""
Judge a world of drafts at its quiet end.

By the twins' own stores; our tables say only what was told to a person, so that a row of ours that
is wrong cannot excuse itself.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select

from app.invoicing.invariants.check import check_link
from app.invoicing.store import Draft, EntryChange, LedgerRow
from tests.simulation.afterwards import read_changed
from tests.simulation.judge_beside import judge_beside
from tests.simulation.judge_money import Books, judge_money, judge_twice
from tests.simulation.judge_paid import judge_paid
from tests.simulation.pieces import Piece, living_pieces, standing_marks

if TYPE_CHECKING:
    from tests.simulation.drafts import DraftWorld

UNDER_WAY = frozenset({"taken", "reserved", "sending", "unconfirmed"})
TOLD = frozenset({"duplicate-draft", "draft-after-release"})
HOLDING = frozenset({"created", "completed", "needs-person"})


async def judge(world: "DraftWorld") -> list[str]:
    """Name everything that is wrong; nothing is what must come out."""
    changed = await read_changed(world)
    drafts, ledger = await _ours(world)
    books = await _books(world, drafts, ledger, {str(one["entryId"]) for one in changed["items"]})
    world.happened["judged-follow-up"] += sum(1 for p in books.living if p.difference)
    entries = world.stage.store("timerabbit").companies["cmp_1"].entries
    own = {hour: entries[hour] for hour in world.hours}
    active = {row.entry_id: row.draft_id for row in ledger}
    more = await judge_beside(world, books, drafts, changed) if world.has_beside else []
    if world.has_beside:
        more += await judge_paid(world, drafts, ledger)
    return [
        *judge_money(books),
        *more,
        *_twice(drafts, books.living, world.sent_twice),
        *_stuck(drafts),
        *_held_by_nobody(own, drafts),
        *_lost(own, drafts, active),
        *_not_theirs(drafts, active, _invoiced_differences(books) | world.freed),
        *_differing(drafts),
        *await _broken(world),
    ]


async def judge_again(world: "DraftWorld") -> list[str]:
    """Judge after the drafts' papers were erased: still nothing may stand twice."""
    drafts, ledger = await _ours(world)
    books = await _books(world, drafts, ledger, set())
    return [*judge_twice(books), *_twice(drafts, books.living, world.sent_twice)]


async def _broken(world: "DraftWorld") -> list[str]:
    """What the nightly check would wake someone for: nothing, but what a person is asked about."""
    checked = await check_link(world.stage.runtime, world.stage.link.link_id)
    world.happened["violations-told"] += sum(one.told for one in checked.violations)
    return [f"the nightly check: {one}" for one in checked.violations if not one.told]


async def _ours(world: "DraftWorld") -> tuple[Sequence[Draft], Sequence[LedgerRow]]:
    stage = world.stage
    async with stage.runtime.database.reading(stage.link.link_id) as session:
        drafts = (await session.scalars(select(Draft))).all()
        ledger = (await session.scalars(select(LedgerRow).where(LedgerRow.active))).all()
    return drafts, ledger


async def _books(
    world: "DraftWorld", drafts: Sequence[Draft], ledger: Sequence[LedgerRow], changed: set[str]
) -> Books:
    living = living_pieces(world.stage.books())
    shown = {draft.mark for draft in drafts if draft.problem in TOLD} | world.sent_twice
    excused = {
        world.names[name] for piece in (*living, *world.removed) if piece.mark in shown
        for name in piece.names
    }  # fmt: skip
    problems = {draft.draft_id for draft in drafts if draft.problem is not None}
    told = {row.entry_id for row in ledger if row.draft_id in problems}
    free, empty = await _free(world)
    return Books(
        terms=world.terms, names=world.names, versions=world.versions, living=living,
        removed=world.removed, customers={v: k for k, v in world.stage.customers.items()},
        free=frozenset(free), empty=frozenset(empty), open=frozenset(changed),
        told_beside=_beside_told(drafts),
        told=frozenset(told | await _of_follow_ups(world, drafts)),
        left=frozenset(world.left), excused=frozenset(excused),
        shown=frozenset(
            one for draft in drafts if draft.problem is not None
            for one in (draft.mark, *draft.books_ids)
        ),
        rewritten=world.rewritten,
    )  # fmt: skip


async def _free(world: "DraftWorld") -> tuple[set[str], set[str]]:
    """
    Ask which hours of this world the service offers to bill, to whom they are by now.

    And which it says nothing of but that they have no minutes: no draft has them.
    """
    now = {versions[-1].customer for versions in world.versions.values()}
    found: set[str] = set()
    empty: set[str] = set()
    for customer in sorted(one for one in now if one is not None):
        answer = await world.call("GET", f"/billable-entries?customerId={customer}")
        items = answer.json()["items"]
        found |= {one["id"] for one in items if one["billable"]}
        empty |= {
            one["id"] for one in items
            if [hindrance["code"] for hindrance in one["hindrances"]] == ["no-minutes"]
        }  # fmt: skip
    return found & set(world.hours), empty & set(world.hours)


def _beside_told(drafts: Sequence[Draft]) -> frozenset[str]:
    """Name the hours whose expenses or kilometres are on a draft that a person is asked about."""
    asked = [
        draft.body.get("about", {}) for draft in drafts
        if draft.problem is not None and draft.state in HOLDING
    ]  # fmt: skip
    later = {
        str(one["entryId"]) for about in asked for one in about.get("corrections", ())
        if one["correctedLine"] == 0
    }  # fmt: skip
    return frozenset(later.union(*(about.get("extras", ()) for about in asked)))


async def _of_follow_ups(world: "DraftWorld", drafts: Sequence[Draft]) -> set[str]:
    """Name the hours of follow-up drafts that a person is asked about."""
    asked = [
        UUID(one) for draft in drafts if draft.problem is not None and draft.state in HOLDING
        for one in draft.body.get("about", {}).get("followUp", [])
    ]  # fmt: skip
    if not asked:
        return set()
    async with world.stage.runtime.database.reading(world.stage.link.link_id) as session:
        rows = await session.scalars(
            select(EntryChange.entry_id).where(EntryChange.change_id.in_(asked))
        )
        return set(rows)


def _twice(drafts: Any, living: list[Piece], by_person: set[str]) -> Iterator[str]:
    """No second draft that nobody was told of."""
    standing = standing_marks(living)
    for draft in drafts:
        places = standing.get(draft.mark, set())
        if len(places) > 1 and draft.problem not in TOLD and draft.mark not in by_person:
            yield f"{draft.mark} stands {len(places)} times"
    unknown = standing.keys() - {draft.mark for draft in drafts}
    yield from (f"{mark} stands in the books and is no draft of ours" for mark in sorted(unknown))


def _stuck(drafts: Any) -> Iterator[str]:
    yield from (f"{d.mark} is stuck: {d.state}" for d in drafts if d.state in UNDER_WAY)


def _held_by_nobody(own: dict[str, Any], drafts: Any) -> Iterator[str]:
    """Say which hours Timerabbit holds though no draft of ours needs them held."""
    needed = {hour for d in drafts if d.state in HOLDING for hour in d.versions}
    for hour, entry in own.items():
        held = entry.get("transfer")
        if held and held["state"] == "reserved" and hour not in needed:
            yield f"{hour} is held in Timerabbit and no draft has it"


def _lost(own: dict[str, Any], drafts: Any, active: dict[str, Any]) -> Iterator[str]:
    """No hour that counts as billed though no draft of ours has it, or the other way about."""
    states = {d.draft_id: d.state for d in drafts}
    named = {one["entryId"] for d in drafts for one in d.facts.get("lost", ())}
    for hour, entry in own.items():
        state = states.get(active.get(hour))
        marked = entry["invoiceStatus"] == "invoiced"
        if marked and state != "completed":
            told = any(hour in d.versions and d.problem == "entries-taken-later" for d in drafts)
            if not told:
                yield f"{hour} is lost: marked as billed, and our draft is {state}"
        if state == "completed" and not marked and hour not in named:
            yield f"{hour} is in a completed draft and not marked as billed"


def _not_theirs(drafts: Any, active: dict[str, Any], taken_back: set[str]) -> Iterator[str]:
    """A draft has its hours, but for those taken off by a follow-up or released with a line."""
    for draft in drafts:
        gone = {hour for hour in draft.versions if active.get(hour) != draft.draft_id} - taken_back
        if gone and draft.state in HOLDING:
            yield f"{draft.mark} is {draft.state} and its hours {sorted(gone)} are not its"


def _invoiced_differences(books: Books) -> set[str]:
    return {
        hour for piece in (*books.living, *books.removed)
        if piece.difference and piece.where.startswith("invoice")
        for hour in books.hours(piece)
    }  # fmt: skip


def _differing(drafts: Any) -> Iterator[str]:
    """
    The sum of the lines is what the books had when the draft was found there, in øre.

    Of a draft whose answer was lost a person may have moved lines before: we say that it is
    otherwise, until a line taken out or the draft is released, or say what is worse of it by now.
    """
    for draft in drafts:
        lines = [line["net"] for line in draft.body["lines"]]
        released = sum(lines[number - 1] for number in draft.facts.get("releasedLines", ()))
        theirs = draft.remote["net"] if draft.remote else draft.net
        noted = draft.problem or (draft.state == "released" and draft.facts.get("differs"))
        told = noted or theirs == draft.net - released
        if sum(lines) != draft.net or (theirs != draft.net and not told):
            yield f"{draft.mark}: lines {lines}, ours {draft.net}, books {draft.remote}"

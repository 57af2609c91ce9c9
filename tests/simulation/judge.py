"""
Judge a world of drafts at its quiet end.

By the twins' own stores; our tables say only which hours a mark stands for and what was told to a
person, so that a row of ours that is wrong cannot excuse itself.
"""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from app.invoicing.mark import marks_in
from app.invoicing.store import Draft, LedgerRow

if TYPE_CHECKING:
    from tests.simulation.drafts import DraftWorld

UNDER_WAY = frozenset({"taken", "reserved", "sending", "unconfirmed"})
TOLD = frozenset({"duplicate-draft", "draft-after-release"})
HOLDING = frozenset({"created", "completed", "needs-person"})


async def judge(world: "DraftWorld") -> list[str]:
    """Name everything that is wrong; nothing is what must come out."""
    stage = world.stage
    async with stage.runtime.database.reading(stage.link.link_id) as session:
        drafts = (await session.scalars(select(Draft))).all()
        ledger = (await session.scalars(select(LedgerRow).where(LedgerRow.active))).all()
    standing = _standing(stage.store("conta").organizations[1001])
    entries = stage.store("timerabbit").companies["cmp_1"].entries
    own = {hour: entries[hour] for hour in world.hours}
    active = {row.entry_id: row.draft_id for row in ledger}
    return [
        *_twice(drafts, standing, world.sent_twice),
        *_stuck(drafts),
        *_held_by_nobody(own, drafts),
        *_lost(own, drafts, active),
        *_differing(drafts),
    ]


def _standing(organization: Any) -> Counter[str]:
    """Count the drafts and living invoices in the books that carry each mark."""
    standing: Counter[str] = Counter()
    for draft in organization.drafts.values():
        standing.update(_marks(draft.data["invoiceDraftLines"]))
    for invoice in organization.invoices.values():
        data = invoice.data
        if data["type"] != "CREDIT" and data["status"] != "CLOSED_BY_CREDIT_NOTE":
            standing.update(_marks(data["invoiceLines"]))
    return standing


def _twice(drafts: Any, standing: Counter[str], by_person: set[str]) -> Iterator[str]:
    """No second draft that nobody was told of; no hour in two of them."""
    covered: Counter[str] = Counter()
    for draft in drafts:
        told = draft.problem in TOLD
        if standing[draft.mark] > 1 and not told and draft.mark not in by_person:
            yield f"{draft.mark} stands {standing[draft.mark]} times"
        if standing[draft.mark] and not told:
            covered.update(set(draft.versions))
    yield from (f"{hour} is billed {n} times" for hour, n in covered.items() if n > 1)


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
    for hour, entry in own.items():
        state = states.get(active.get(hour))
        marked = entry["invoiceStatus"] == "invoiced"
        if marked and state != "completed":
            told = any(hour in d.versions and d.problem == "entries-taken-later" for d in drafts)
            if not told:
                yield f"{hour} is lost: marked as billed, and our draft is {state}"
        if state == "completed" and not marked:
            yield f"{hour} is in a completed draft and not marked as billed"
    for draft in drafts:
        if draft.state in HOLDING:
            gone = sorted(hour for hour in draft.versions if active.get(hour) != draft.draft_id)
            if gone:
                yield f"{draft.mark} is {draft.state} and its hours {gone} are not its"


def _differing(drafts: Any) -> Iterator[str]:
    """The sum of the lines is what the books have, in øre."""
    for draft in drafts:
        lines = sum(line["net"] for line in draft.body["lines"])
        if lines != draft.net or (draft.remote and draft.remote["net"] != draft.net):
            yield f"{draft.mark}: lines {lines}, ours {draft.net}, books {draft.remote}"


def _marks(lines: list[dict[str, Any]]) -> set[str]:
    return {mark for line in lines for mark in marks_in(line["description"])}

"""Judge what is said of invoices that were paid and credited: what the books' own store has."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from app.invoicing.store import Draft, LedgerRow
from tests.simulation.pieces import pieces_of

if TYPE_CHECKING:
    from tests.simulation.drafts import DraftWorld

STANDING = frozenset({"created", "completed"})
TOLD = frozenset({"duplicate-draft", "draft-after-release"})


async def judge_paid(
    world: "DraftWorld", drafts: Sequence[Draft], ledger: Sequence[LedgerRow]
) -> list[str]:
    """Open each invoice's draft as a person does, and name what it says otherwise of payment."""
    found = []
    for draft in drafts:
        kept = _invoice_of(world, draft.mark)
        if draft.state not in STANDING or draft.problem in TOLD or kept is None:
            continue
        await world.call("POST", f"/invoice-drafts/{draft.draft_id}/look")
        shown = (await world.call("GET", f"/invoice-drafts/{draft.draft_id}")).json()
        fate, became = _fate(kept.data), shown["became"] or {}
        world.happened[f"fate-{fate}"] += 1
        left = int(kept.data["sumRemaining"] * 100)
        if (became.get("what"), became.get("remainingOre")) != (fate, left):
            found.append(f"{draft.mark} is {fate}, {left} øre remain; told is {became}")
        hours = [row.entry_id for row in ledger if row.draft_id == draft.draft_id]
        found += await _misplaced(world, hours, "credited" if fate == "credited" else "invoiced")
    return found


def _invoice_of(world: "DraftWorld", mark: str) -> Any:
    """Give the one invoice that has a mark, also if it was credited."""
    kept = [
        one for one in world.stage.books().invoices.values()
        if one.data["type"] != "CREDIT" and any(p.mark == mark for p in pieces_of(one))
    ]  # fmt: skip
    return kept[0] if len(kept) == 1 and kept[0].data["sumTotal"] > 0 else None


def _fate(data: Any) -> str:
    if data["status"] == "CLOSED_BY_CREDIT_NOTE":
        return "credited"
    if data["status"] == "CLOSED_BY_PAYMENT":
        return "paid"
    return "part-paid" if data["sumRemaining"] < data["sumTotal"] else "sent"


async def _misplaced(world: "DraftWorld", hours: Sequence[str], place: str) -> list[str]:
    if not hours:
        return []
    asked = "&".join(f"entryId={hour}" for hour in hours)
    items = (await world.call("GET", f"/ledger?{asked}")).json()["items"]
    return [
        f"{one['entryId']} is {place}; told is {one['place']}"
        for one in items if one["place"] != place
    ]  # fmt: skip

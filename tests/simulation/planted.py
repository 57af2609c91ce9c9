"""Bugs to plant in our own code: the one place where its functions may be patched."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from sqlalchemy import text, update

from app.database import CommitPoint
from app.invoicing.drafts import (
    advance,
    come_late,
    complete,
    decide,
    draft,
    elsewhere,
    follow,
    look,
    record,
    reserve,
    seen,
    whereabouts,
)
from app.invoicing.drafts.record import move
from app.invoicing.ledger import corrections, ledger
from app.invoicing.ledger.corrections import CorrectionRow
from app.invoicing.ledger.fate import Fate, fate_of_invoice
from app.invoicing.store import Draft, DraftState, LedgerRow
from app.invoicing.unbilled import read_hours
from app.systems.documents import RemoteInvoice
from app.systems.ports import Unreachable

Plant = Callable[[pytest.MonkeyPatch], None]


def resend_by_reflex(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every lost answer for a proof that nothing was sent, and send again."""

    async def unknown(runtime: Any, link_id: Any, one: Any) -> None:
        fault = Unreachable("lost")
        await advance._not_made(runtime, link_id, one, fault, sent=False)

    monkeypatch.setattr(advance, "_record_unknown", unknown)


def no_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget to take the hours, and to read their versions again."""

    async def nothing(*_: Any, **__: Any) -> None:
        return None

    async def held(*_: Any, **__: Any) -> bool:
        return True

    monkeypatch.setattr(draft, "take_hours", nothing)
    monkeypatch.setattr(draft, "_require_unchanged", nothing)
    monkeypatch.setattr(advance, "hold_still", held)
    monkeypatch.setattr(advance, "reserve", _reserve_nothing)


async def _reserve_nothing(runtime: Any, link_id: Any, one: Any) -> None:
    async with runtime.database.transaction(CommitPoint.DRAFT_RESERVED, link_id) as session:
        await move(
            session, one, DraftState.RESERVED, now=runtime.clock(), what="reserved",
            not_before=runtime.clock(),
        )  # fmt: skip


def no_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Move a draft wherever it stands now, however late the mover."""

    async def anywhere(session: Any, one: Any, target: Any, *, now: Any, **rest: Any) -> None:
        values = {name: rest[name] for name in rest if name not in {"what", "facts"}}
        await session.execute(
            update(Draft)
            .where(Draft.link_id == one.link_id, Draft.draft_id == one.draft_id)
            .values(state=target.value, version=Draft.version + 1, updated_at=now, **values)
        )
        if values.get("not_before") is not None:
            await record.make_due(session, one.link_id, values["not_before"])

    for module in (advance, complete, decide, look, reserve, record):
        monkeypatch.setattr(module, "move", anywhere)
    for module in (come_late, decide, follow):
        monkeypatch.setattr(module, "move_unchanged", anywhere)


def release_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set hours free on a person's word, without asking the books."""

    async def absent(*_: Any, **__: Any) -> None:
        return None

    monkeypatch.setattr(decide, "_require_absent", absent)


def ignore_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Go on where the ledger says that an hour is in a draft already."""
    statement = text(f"{ledger._TAKE.text} ON CONFLICT DO NOTHING")
    monkeypatch.setattr(ledger, "_TAKE", statement)


def unknown_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a lost answer for a refusal, and set the hours free."""

    async def refused(runtime: Any, link_id: Any, one: Any) -> None:
        await record.record_refused(runtime, one, ["lost"], {})

    monkeypatch.setattr(advance, "_record_unknown", refused)


def mark_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Call a draft complete without marking its hours."""

    async def nothing(*_: Any, **__: Any) -> None:
        return None

    monkeypatch.setattr(complete, "_complete", nothing)


def release_under_a_follow_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set a draft's hours free though a follow-up bills a difference of them."""

    async def nothing(*_: Any, **__: Any) -> None:
        return None

    monkeypatch.setattr(decide, "_require_no_follow_up", nothing)


def against_the_first_bill(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reckon each follow-up against what was billed first, whatever followed since."""

    def first(row: LedgerRow, _earlier: object) -> list[Any]:
        return [row.snapshot]

    monkeypatch.setattr(read_hours, "_states", first)


def changes_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the hours and note no change of one that was billed."""

    async def nothing(*_: Any, **__: Any) -> None:
        return None

    monkeypatch.setattr(read_hours, "note_changes", nothing)


def never_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep hours that a follow-up took off where they are, for ever."""

    async def nothing(*_: Any, **__: Any) -> None:
        return None

    monkeypatch.setattr(follow, "give_back", nothing)


def expenses_unwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget which expenses and kilometres a draft billed with its hours."""
    monkeypatch.setattr(corrections, "BILLED", "nothing")


def expenses_kept_at_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a draft's expenses and kilometres as billed though its hours are set free."""

    async def differences_only(session: Any, one: Draft, *, now: Any) -> None:
        await session.execute(
            update(CorrectionRow)
            .where(
                CorrectionRow.link_id == one.link_id, CorrectionRow.draft_id == one.draft_id,
                CorrectionRow.active, CorrectionRow.corrected_line > 0,
            )
            .values(active=False, freed_at=now)
        )  # fmt: skip

    monkeypatch.setattr(ledger, "free_corrections", differences_only)


def expenses_come_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Note nothing of what came to an hour after it was billed."""

    async def nothing(*_: Any, **__: Any) -> None:
        return None

    monkeypatch.setattr(read_hours, "note_extras", nothing)


def payments_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take an invoice that was paid in part for one that was sent."""

    def sent(invoice: RemoteInvoice) -> Fate:
        fate = fate_of_invoice(invoice)
        return Fate.SENT if fate is Fate.PART_PAID else fate

    monkeypatch.setattr(seen, "fate_of_invoice", sent)


def moved_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for a draft's lines nowhere among those of other drafts."""

    async def nothing(*_: Any, **__: Any) -> look.Marked:
        return look.Marked()

    for module in (advance, elsewhere, whereabouts):
        monkeypatch.setattr(module, "find_elsewhere", nothing)


PLANTED: Final[dict[str, tuple[Plant, int]]] = {
    "resend-by-reflex": (resend_by_reflex, 8),
    "no-ledger": (no_ledger, 1),
    "no-fence": (no_fence, 200),
    "release-unseen": (release_unseen, 6),
    "ignore-conflict": (ignore_conflict, 436),
    "unknown-is-refused": (unknown_is_refused, 8),
    "mark-nothing": (mark_nothing, 1),
    "release-under-a-follow-up": (release_under_a_follow_up, 13),
    "against-the-first-bill": (against_the_first_bill, 3),
    "changes-unseen": (changes_unseen, 1),
    "never-given-back": (never_given_back, 17),
    "expenses-unwritten": (expenses_unwritten, 3),
    "expenses-kept-at-release": (expenses_kept_at_release, 12),
    "expenses-come-unseen": (expenses_come_unseen, 3),
    "payments-unseen": (payments_unseen, 12),
    "moved-unseen": (moved_unseen, 6),
}
"""Each bug with a seed that finds it each time; Timerabbit's own holds hide a ledger's
conflict that is ignored until a hold lapses, so that one takes the longest. The last nine only
the judges of money find."""

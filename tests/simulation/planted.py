"""Bugs to plant in our own code: the one place where its functions may be patched."""

from collections.abc import Callable
from typing import Any

import pytest

from app.database import CommitPoint
from app.invoicing import advance, draft
from app.invoicing.record import move
from app.invoicing.store import DraftState
from app.systems.ports import Unreachable

Plant = Callable[[pytest.MonkeyPatch], None]


def resend_by_reflex(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every lost answer for a proof that nothing was sent, and send again."""

    async def unknown(runtime: Any, link_id: Any, one: Any) -> None:
        fault = Unreachable("lost")
        await advance._not_sent(runtime, link_id, one, fault)

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


PLANTED: dict[str, Plant] = {"resend-by-reflex": resend_by_reflex, "no-ledger": no_ledger}

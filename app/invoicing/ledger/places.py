"""Say where an hour is: free, reserved, in a draft, invoiced or credited."""

from enum import StrEnum
from typing import Final

from app.invoicing.ledger.fate import INVOICED, OFFERS_RELEASE, Fate
from app.invoicing.store import Draft, DraftState


class Place(StrEnum):
    """Name the one place an hour is in."""

    FREE = "free"
    RESERVED = "reserved"
    IN_DRAFT = "in-draft"
    INVOICED = "invoiced"
    CREDITED = "credited"


_OVER: Final = frozenset({Fate.MISSING, Fate.UNCLEAR}) | OFFERS_RELEASE
STANDING: Final = frozenset({DraftState.CREATED, DraftState.COMPLETED})
"""States of a draft that was made in the books; what became of it there is its fate."""


def place_of(draft: Draft, *, held: bool) -> Place:
    """Say where a draft's row puts an hour (or its difference) now; one that was freed is free."""
    if not held:
        return Place.FREE
    if draft.state not in STANDING:
        return Place.RESERVED
    fate = fate_of(draft)
    if fate is Fate.CREDITED:
        return Place.CREDITED
    return Place.INVOICED if fate in INVOICED else Place.IN_DRAFT


def offers_release(draft: Draft) -> bool:
    """Say whether a draft's hours may be released: deleted or credited, and not released yet."""
    return draft.state in STANDING and fate_of(draft) in OFFERS_RELEASE


def stands(draft: Draft) -> bool:
    """Say whether a draft, or its invoice, stands in the books as far as was seen."""
    return draft.state in STANDING and fate_of(draft) not in _OVER


def fate_of(draft: Draft) -> Fate:
    """Give what was last seen of a draft in the books; nothing seen yet counts as open."""
    return Fate((draft.invoice or {}).get("what", Fate.OPEN))

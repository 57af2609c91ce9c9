"""Say which states a link may go to, and why it pauses; pure."""

from enum import StrEnum
from typing import Final

from app.links.states import LinkState
from app.systems.ports import AccessReason


class PauseReason(StrEnum):
    """Name why a link is paused; each is something a person can act on."""

    KEY_MISSING = "key-missing"
    KEY_REFUSED = "key-refused"
    LOGIN_LOST = "login-lost"
    KEY_UNREADABLE = "key-unreadable"
    LOGIN_UNREADABLE = "login-unreadable"
    TRIAL_ENDED = "trial-ended"
    ORGANIZATION_BLOCKED = "organization-blocked"
    PERSON_ASKED = "person-asked"
    MASS_CHANGE_STOPPED = "mass-change-stopped"


MENDED_BY_ACCESS: Final = frozenset(
    {
        PauseReason.KEY_MISSING,
        PauseReason.KEY_REFUSED,
        PauseReason.ORGANIZATION_BLOCKED,
        PauseReason.LOGIN_LOST,
        PauseReason.TRIAL_ENDED,
    }
)
"""Reasons that a new key or log-in may end; the others wait for a person's word."""


PROJECTS: Final = "projects"
"""Stands among a link's features when the books account may have projects."""

TRANSITIONS: Final[dict[LinkState, frozenset[LinkState]]] = {
    LinkState.CONNECTING: frozenset({LinkState.REVIEWING, LinkState.ACTIVE, LinkState.CLOSED}),
    LinkState.REVIEWING: frozenset({LinkState.ACTIVE, LinkState.PAUSED, LinkState.CLOSED}),
    LinkState.ACTIVE: frozenset({LinkState.PAUSED, LinkState.CLOSED}),
    LinkState.PAUSED: frozenset({LinkState.REVIEWING, LinkState.ACTIVE, LinkState.CLOSED}),
    LinkState.CLOSED: frozenset({LinkState.CONNECTING}),
}
"""What each state may become; a closed link can only be connected again."""


def may_become(state: LinkState, target: LinkState) -> bool:
    """Say whether a link may go from one state to another."""
    return target in TRANSITIONS[state]


def may_take_over(reason: PauseReason, held: str | None) -> bool:
    """
    Say whether a pause takes the place of the one that holds a link.

    A person's word does where the link would otherwise go on by itself at a new key or log-in.
    """
    return reason is PauseReason.PERSON_ASKED and held in MENDED_BY_ACCESS


def after_login(*, was: str | None, has_pairs: bool) -> LinkState:
    """
    Say where a link goes when both accounts are connected.

    A couple that was at work goes on with its pairs. One whose first sync was not ended goes back
    to it, so that no record is forgotten.
    """
    was_at_work = was == LinkState.ACTIVE and has_pairs
    return LinkState.ACTIVE if was_at_work else LinkState.REVIEWING


def pause_reason(reason: AccessReason, *, books: bool) -> PauseReason:
    """Say why a link pauses when a system refuses us, or when our own key ring does."""
    match reason:
        case AccessReason.SUBSCRIPTION_ENDED:
            return PauseReason.TRIAL_ENDED
        case AccessReason.ORGANIZATION_BLOCKED | AccessReason.ORGANIZATION_READ_ONLY:
            return PauseReason.ORGANIZATION_BLOCKED
        case AccessReason.CREDENTIAL_MISSING if books:
            return PauseReason.KEY_MISSING
        case AccessReason.CREDENTIAL_UNREADABLE:
            return PauseReason.KEY_UNREADABLE if books else PauseReason.LOGIN_UNREADABLE
        case _:
            return PauseReason.KEY_REFUSED if books else PauseReason.LOGIN_LOST


def told_status(state: LinkState) -> str:
    """Give the word the time system knows for a state (its contract's ``ContaLink.status``)."""
    return {
        LinkState.CONNECTING: "first_sync",
        LinkState.REVIEWING: "first_sync",
        LinkState.ACTIVE: "active",
        LinkState.PAUSED: "paused",
        LinkState.CLOSED: "paused",
    }[state]

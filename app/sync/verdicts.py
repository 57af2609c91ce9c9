"""Say what a look at a record came to, and sort other systems' faults into that; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from app.canonical import Side
from app.changes.backoff import Failure
from app.systems.ports import (
    AccessReason,
    NotFound,
    RateLimited,
    Rejected,
    SystemFault,
    Unauthorised,
    Unreachable,
)

RECHECK: Final = timedelta(hours=1)
"""How long a change waits by itself for what a sweep or a new pair usually brings earlier."""

PROJECTS_NEED_SMART: Final = "projects-need-smart"
CHANGED: Final = "record-changed-meanwhile"
REFUSED: Final = "other-system-refused"
CUSTOMER_NOT_LINKED: Final = "project-customer-not-linked"


@dataclass(frozen=True, slots=True)
class Done:
    """Say that the record is in step, or that nothing is to be done about it."""


@dataclass(frozen=True, slots=True)
class Again:
    """Say that the record changed under our hands: look again at once, a few times."""

    code: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Say that the look failed and happens again by the rules of ``changes.backoff``."""

    failure: Failure
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Waits:
    """Say that something else must come first; the attempt does not count."""

    code: str
    after: timedelta = RECHECK
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asks:
    """Say that a person must decide; the change is parked with the code and facts."""

    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Say that a system asks for patience: everything towards it waits so long."""

    side: Side
    seconds: float


@dataclass(frozen=True, slots=True)
class Refused:
    """Say that a system does not let us in: the link pauses, all work stays."""

    side: Side
    reason: AccessReason


Verdict = Done | Again | Failed | Waits | Asks | HeldBack | Refused


def judge(fault: SystemFault, side: Side) -> Verdict:
    """Say what a fault of a side means for the record that was looked at."""
    match fault:
        case RateLimited():
            return HeldBack(side, fault.retry_after)
        case Unauthorised():
            plan = fault.reason is AccessReason.PLAN
            return Waits(PROJECTS_NEED_SMART) if plan else Refused(side, fault.reason)
        case Rejected():
            stale = Again(CHANGED)
            return stale if fault.stale else Asks(REFUSED, refusal_facts(fault, side))
        case NotFound():
            return Again("record-not-found")
    wait = fault.retry_after if isinstance(fault, Unreachable) else None
    return Failed(Failure("other-system-away", shared=True, retry_after=wait), {"side": side})


def refusal_facts(fault: Rejected, side: Side) -> dict[str, Any]:
    """Give what the inbox shows of a refusal: rules, fields, texts as the system gave them."""
    return {
        "side": side.value,
        "reasons": [
            {"code": reason.code, "field": reason.about, "text": dict(reason.text)}
            for reason in fault.reasons
        ],
    }


def refused_fields(fault: Rejected) -> frozenset[str]:
    """Name the synced fields a refusal is about; empty when it does not say of each reason."""
    named = [reason.about for reason in fault.reasons]
    if not named or None in named:
        return frozenset()
    return frozenset(
        "customer" if about == "customer_id" else about.partition(".")[0]
        for about in named
        if about
    )

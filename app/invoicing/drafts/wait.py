"""Say how long a draft waits for a system that is away, and pause the link that is not let in."""

from datetime import timedelta
from typing import Final

from app.canonical import LinkId
from app.database import CommitPoint
from app.links.change_state import pause
from app.links.lifecycle import pause_reason
from app.runtime import Runtime
from app.systems.ports import AccessReason, RateLimited, Unauthorised, Unreachable

_SOONEST: Final = timedelta(seconds=10)
_LATEST: Final = timedelta(minutes=5)


def patience(fault: Unreachable | RateLimited | Unauthorised, age: timedelta) -> timedelta:
    """Say how long a draft of this age waits: longer the older it is, never less than asked for."""
    asked = timedelta(seconds=fault.retry_after) if isinstance(fault, RateLimited) else _SOONEST
    return max(asked, min(_LATEST, age / 4))


def problem_of(fault: Unreachable | RateLimited | Unauthorised) -> str:
    """Name what a draft that waits for a system shows."""
    return "system-access-refused" if isinstance(fault, Unauthorised) else "system-unreachable"


async def pause_for(
    runtime: Runtime,
    link_id: LinkId,
    fault: Unreachable | RateLimited | Unauthorised,
    *,
    books: bool,
) -> None:
    """Pause the link where a system does not let us in, so that a person is told once."""
    if not isinstance(fault, Unauthorised) or fault.reason is AccessReason.PLAN:
        return
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        reason = pause_reason(fault.reason, books=books)
        await pause(session, link_id, reason=reason, now=runtime.clock())

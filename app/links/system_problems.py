"""Turn what another system answered into the problem it means for our caller."""

from math import ceil

from app.problems import Problem
from app.systems.ports import (
    NotFound,
    OwnAccessRefused,
    RateLimited,
    Rejected,
    SystemFault,
    Unauthorised,
    Unreachable,
)


def problem_of(fault: SystemFault) -> Problem:
    """Give the problem that a system's answer means for our caller; its body never leaks."""
    match fault:
        case RateLimited():
            wait = str(max(1, ceil(fault.retry_after)))
            return Problem("system-unreachable", headers={"Retry-After": wait})
        case Unauthorised():
            return Problem("system-access-refused", reason=fault.reason.value)
        case Rejected():
            codes = ", ".join(reason.code for reason in fault.reasons)
            return Problem("system-refused", reasons=codes or "–")
        case NotFound():
            return Problem("not-found")
        case OwnAccessRefused():
            return Problem("own-access-refused", headers={"Retry-After": "60"})
        case Unreachable() | _:
            return Problem("system-unreachable", headers={"Retry-After": "10"})

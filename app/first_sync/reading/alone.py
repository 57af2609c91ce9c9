"""Tell a record that cannot be read from a system that is away, so that one stops no others."""

from app.canonical import RecordKind
from app.systems.ports import RecordKeeper, Rejected, SystemFault, Unreachable


async def is_alone(keeper: RecordKeeper, kind: RecordKind, fault: SystemFault) -> bool:
    """
    Say whether a fault at one record's reading is that record's own.

    An answer that we do not understand always is. Where none came, the side's list is asked for
    one page: a system that gives it is not away. A refused credential, or a side that asks for
    rest, is never one record's fault.
    """
    if isinstance(fault, Rejected):
        return True
    if not isinstance(fault, Unreachable):
        return False
    try:
        await anext(aiter(keeper.pages(kind)), None)
    except SystemFault:
        return False
    return True

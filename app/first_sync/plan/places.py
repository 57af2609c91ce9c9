"""Say to which customer each project belongs, as both sides can compare it; pure."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from app.canonical import Project, Record, RecordId, Side

Places = Mapping[tuple[Side, str], str | None]
"""By side and project: the books id of its customer, or a name of its own where it has none."""

NOWHERE: Final[Places] = MappingProxyType({})
"""Where there are no projects; two records of it are in one place."""


def places_of(
    projects: Mapping[Side, Iterable[Record]], customers: Mapping[RecordId, RecordId]
) -> Places:
    """
    Say where each project belongs, so that none is linked into another customer.

    Args:
        customers: Time id to books id, as they are linked or about to be.

    """
    return {
        (side, one.id): one.customer_id
        if one.customer_id is None or side is Side.BOOKS
        else customers.get(one.customer_id, f"time:{one.customer_id}")
        for side, of_side in projects.items()
        for one in of_side
        if isinstance(one, Project)
    }

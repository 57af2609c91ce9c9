"""Keep what the last check of each link's ledger found, for the operator's status."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant


class LedgerCheck(Base):
    """
    Hold what the last check of a link's ledger found.

    Args:
        violations: How many, by code; none is an empty object.
        more: Suspects beyond those that were read.

    """

    __tablename__ = "ledger_checks"

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    checked_at: Mapped[datetime] = mapped_column(Instant)
    violations: Mapped[Mapping[str, int]] = mapped_column(JSONB)
    more: Mapped[int] = mapped_column(Integer)

"""Keep what a person is asked about records, and the pairs they said no to."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant


class Question(Base):
    """
    Ask a person whether a record made later is one of these candidates.

    Args:
        candidates: ``{id, rule, facts, score}`` of each candidate on the other side.
        answer: ``link`` (with ``partner_id``), ``create`` or ``leave-out``; ``None`` while open.

    """

    __tablename__ = "questions"
    __table_args__ = (
        CheckConstraint("answer IN ('link', 'create', 'leave-out')", name="answer"),
        Index("uq_questions_record", "link_id", "side", "kind", "record_id", unique=True),
    )

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    question_id: Mapped[UUID] = mapped_column(primary_key=True)
    side: Mapped[str] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(16))
    record_id: Mapped[str] = mapped_column(String(64))
    candidates: Mapped[Sequence[Mapping[str, Any]]] = mapped_column(JSONB)
    answer: Mapped[str | None] = mapped_column(String(16))
    partner_id: Mapped[str | None] = mapped_column(String(64))
    answered_by: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    asked_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(Integer)


class Refusal(Base):
    """Remember that a person said two records are not the same; they are never proposed again."""

    __tablename__ = "refusals"

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    time_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    books_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    refused_by: Mapped[str] = mapped_column(Text)
    refused_at: Mapped[datetime] = mapped_column(Instant)

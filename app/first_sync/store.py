"""Keep the plan of a first sync, its lines with a person's answers, and its carrying out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Index, Integer, String, Text, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.canonical import LinkId
from app.database import Base, Instant


class PlanState(StrEnum):
    """Name where a plan stands; ``paused`` waits for a person, ``problem`` says why."""

    READING = "reading"
    MATCHING = "matching"
    OPEN = "open"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"


class RunState(StrEnum):
    """Name where a run stands."""

    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"


class OutcomeState(StrEnum):
    """
    Name what became of a line.

    ``waiting`` is tried again by the run itself; ``later`` stays for the ordinary sync, which asks
    or acts when the record is looked at again; ``refused`` needs a person.
    """

    DONE = "done"
    LEFT_OUT = "left-out"
    WAITING = "waiting"
    LATER = "later"
    REFUSED = "refused"


class UndoState(StrEnum):
    """Name how far the undoing of a run, or of one of its lines, has come."""

    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    WAITING = "waiting"
    REFUSED = "refused"


class Plan(Base):
    """
    Hold one review. A link has one that is not done; lines are answered under its row's lock.

    Args:
        started_at: When this reading began; what was read before it counts as not read.
        progress: By ``time`` and ``books``: ``{listed, read, total}`` as far as it is known.
        capabilities: What both accounts could do when they were read (``projects``).
        projects_stale: Customers were linked or parted since the projects were matched.
        problem: ``{code, facts}`` of what stopped the reading, or ``None``.
        drawn_from: What the lines were drawn from (``sources_of``); ``None`` before the first time.
        version: Rises with each change of state and each answer.

    """

    __tablename__ = "plans"
    __table_args__ = (
        CheckConstraint(
            "state IN ('reading', 'matching', 'open', 'running', 'paused', 'done')", name="state"
        ),
        Index("uq_plans_current", "link_id", unique=True, postgresql_where=text("state <> 'done'")),
    )

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    plan_id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[datetime] = mapped_column(Instant)
    progress: Mapped[Mapping[str, Any]] = mapped_column(JSONB)
    capabilities: Mapped[Mapping[str, Any]] = mapped_column(JSONB)
    projects_stale: Mapped[bool] = mapped_column(Boolean)
    problem: Mapped[Mapping[str, Any] | None] = mapped_column(JSONB)
    drawn_from: Mapped[str | None] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)


PARTNER: Final = """
CASE
    WHEN answer IS NOT NULL THEN partner_id
    WHEN category = 'certain' THEN ((candidates -> 0) ->> 'id')
    ELSE NULL
END"""
"""The record a line links to, by answer or by default; an index is built on this very text, which
is laid out as PostgreSQL shows it, so that models and migrations can be compared."""


class Proposal(Base):
    """
    Hold one line: the fate of one record, its anchor, and perhaps of the one it is paired with.

    Every record that could be synced is the anchor of one line, or the partner chosen in one.

    Args:
        anchor_side: Whose record's fate it is; on a line with candidates the time side.
        name: The anchor's name, for sorting and searching.
        candidates: ``{id, rule, facts, score, print}`` on the other side, the likeliest first.
        siblings: ``{id, rule, facts, score}`` of records of its own side that may be the same.
        print: What the anchor said when it was matched (``content_print``).
        answer: ``link``, ``create`` or ``leave_out``; ``None`` while the default stands.
        partner_id: With ``link``: the record of the other side.
        winners: With ``link``: by field, the side whose value counts.
        lost: ``{answer, partner_id, answered_by, answered_at}`` of what was answered before the
            line had to be asked again; ``None`` where nothing was.
        dormant: The record is the partner in another line, or an account has no right to projects;
            this one counts only when that is not so.
        outcome: State of its carrying out (``OutcomeState``), ``None`` before.
        outcome_code: The code of what hinders it, with ``outcome_facts``.
        not_before: When a waiting one is tried again.
        words: What a search looks in: names, numbers and addresses of all its records, folded.
        undo: State of its undoing (``UndoState``), ``None`` before; ``undo_code`` with
            ``undo_facts`` names why it was refused.

    """

    __tablename__ = "proposals"
    __table_args__ = (
        CheckConstraint("answer IN ('link', 'create', 'leave_out')", name="answer"),
        CheckConstraint("undo IN ('done', 'waiting', 'refused')", name="undo"),
        CheckConstraint("(answer = 'link') = (partner_id IS NOT NULL)", name="partner"),
        Index("uq_proposals_anchor", "link_id", "plan_id", "kind", "anchor_side", "anchor_id",
              unique=True),
        Index("ix_proposals_name", "link_id", "plan_id", "name", "proposal_id"),
        Index("ix_proposals_partner", "link_id", "plan_id", "kind", text(f"({PARTNER})"),
              postgresql_where=text("anchor_side = 'time'")),
    )  # fmt: skip

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    proposal_id: Mapped[UUID] = mapped_column(primary_key=True)
    plan_id: Mapped[UUID] = mapped_column()
    kind: Mapped[str] = mapped_column(String(16))
    category: Mapped[str] = mapped_column(String(16))
    anchor_side: Mapped[str] = mapped_column(String(8))
    anchor_id: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(Text)
    candidates: Mapped[Sequence[Mapping[str, Any]]] = mapped_column(JSONB)
    siblings: Mapped[Sequence[Mapping[str, Any]]] = mapped_column(JSONB)
    score: Mapped[int] = mapped_column(Integer)
    print: Mapped[str] = mapped_column(String(64))
    answer: Mapped[str | None] = mapped_column(String(16))
    partner_id: Mapped[str | None] = mapped_column(String(64))
    winners: Mapped[Mapping[str, str]] = mapped_column(JSONB)
    answered_by: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    lost: Mapped[Mapping[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    dormant: Mapped[bool] = mapped_column(Boolean)
    version: Mapped[int] = mapped_column(Integer)
    outcome: Mapped[str | None] = mapped_column(String(16))
    outcome_code: Mapped[str | None] = mapped_column(String(64))
    outcome_facts: Mapped[Mapping[str, Any]] = mapped_column(JSONB)
    not_before: Mapped[datetime | None] = mapped_column(Instant)
    words: Mapped[str] = mapped_column(Text)
    undo: Mapped[str | None] = mapped_column(String(8))
    undo_code: Mapped[str | None] = mapped_column(String(64))
    undo_facts: Mapped[Mapping[str, Any]] = mapped_column(JSONB)


class Run(Base):
    """
    Hold the carrying out of a confirmed plan; a plan has one.

    Args:
        total: Lines to be carried out, counted when it was confirmed.
        working: Time spent running before ``resumed_at``, in milliseconds; for the estimate.
        pause_code: Why it is paused (``person-asked``).
        undo_state: How far its undoing has come; ``None`` where nobody asked for it.
        checked_at: When it last began to look for what was made or changed since the plan; ``None``
            before it creates any.

    """

    __tablename__ = "runs"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'paused', 'done')", name="state"),
        CheckConstraint("undo_state IN ('running', 'paused', 'done')", name="undo_state"),
        Index("uq_runs_plan", "link_id", "plan_id", unique=True),
    )

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    plan_id: Mapped[UUID] = mapped_column()
    state: Mapped[str] = mapped_column(String(8))
    total: Mapped[int] = mapped_column(Integer)
    working: Mapped[int] = mapped_column(Integer)
    resumed_at: Mapped[datetime] = mapped_column(Instant)
    pause_code: Mapped[str | None] = mapped_column(String(64))
    checked_at: Mapped[datetime | None] = mapped_column(Instant)
    confirmed_by: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    undo_state: Mapped[str | None] = mapped_column(String(8))
    undo_by: Mapped[str | None] = mapped_column(Text)
    undo_started_at: Mapped[datetime | None] = mapped_column(Instant)
    undo_ended_at: Mapped[datetime | None] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(Integer)


async def current_plan(
    session: AsyncSession, link_id: LinkId, *, lock: bool = False
) -> Plan | None:
    """Read the plan under way, else the latest one; with ``lock`` nobody else changes it."""
    query = select(Plan).where(Plan.link_id == link_id).order_by(Plan.plan_id.desc()).limit(1)
    return await session.scalar(query.with_for_update() if lock else query)


async def plan_in(
    session: AsyncSession, link_id: LinkId, *states: PlanState, lock: bool = False
) -> Plan | None:
    """Read the link's plan if it stands in one of these states."""
    plan = await current_plan(session, link_id, lock=lock)
    return plan if plan is not None and PlanState(plan.state) in states else None


async def run_of(session: AsyncSession, plan: Plan) -> Run | None:
    """Read the run of a plan."""
    return await session.scalar(
        select(Run).where(Run.link_id == plan.link_id, Run.plan_id == plan.plan_id)
    )


async def going_on(session: AsyncSession, run: Run) -> Plan | None:
    """Lock the plan of a run that did not rest or end since it was read; else give ``None``."""
    plan = await plan_in(session, LinkId(run.link_id), PlanState.RUNNING, lock=True)
    held = await run_of(session, plan) if plan is not None else None
    same = held is not None and (held.run_id, held.version) == (run.run_id, run.version)
    return plan if same else None

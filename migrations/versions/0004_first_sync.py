"""Make the tables of first_sync. Can be rolled back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.row_security import protect

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = ("plans", "proposals", "runs")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "plans",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("progress", postgresql.JSONB(), nullable=False),
        sa.Column("capabilities", postgresql.JSONB(), nullable=False),
        sa.Column("projects_stale", sa.Boolean(), nullable=False),
        sa.Column("problem", postgresql.JSONB(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('reading', 'matching', 'open', 'running', 'paused', 'done')",
            name=op.f("ck_plans_state"),
        ),
        sa.PrimaryKeyConstraint("link_id", "plan_id", name=op.f("pk_plans")),
    )
    op.create_index(
        "uq_plans_current",
        "plans",
        ["link_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'done'"),
    )
    op.create_table(
        "proposals",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("category", sa.String(length=16), nullable=False),
        sa.Column("anchor_side", sa.String(length=8), nullable=False),
        sa.Column("anchor_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("candidates", postgresql.JSONB(), nullable=False),
        sa.Column("siblings", postgresql.JSONB(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("print", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.String(length=16), nullable=True),
        sa.Column("partner_id", sa.String(length=64), nullable=True),
        sa.Column("winners", postgresql.JSONB(), nullable=False),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dormant", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("outcome_code", sa.String(length=64), nullable=True),
        sa.Column("outcome_facts", postgresql.JSONB(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(answer = 'link') = (partner_id IS NOT NULL)", name=op.f("ck_proposals_partner")
        ),
        sa.CheckConstraint(
            "answer IN ('link', 'create', 'leave_out')", name=op.f("ck_proposals_answer")
        ),
        sa.PrimaryKeyConstraint("link_id", "proposal_id", name=op.f("pk_proposals")),
    )
    op.create_index(
        "ix_proposals_name",
        "proposals",
        ["link_id", "plan_id", "name", "proposal_id"],
        unique=False,
    )
    op.create_index(
        "uq_proposals_anchor",
        "proposals",
        ["link_id", "plan_id", "kind", "anchor_side", "anchor_id"],
        unique=True,
    )
    op.create_table(
        "runs",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("working", sa.Integer(), nullable=False),
        sa.Column("resumed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pause_code", sa.String(length=64), nullable=True),
        sa.Column("confirmed_by", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('running', 'paused', 'done')", name=op.f("ck_runs_state")),
        sa.PrimaryKeyConstraint("link_id", "run_id", name=op.f("pk_runs")),
    )
    op.create_index("uq_runs_plan", "runs", ["link_id", "plan_id"], unique=True)
    for table in TABLES:
        protect(table)


def downgrade() -> None:
    """Remove them again."""
    for table in TABLES:
        op.drop_table(table)

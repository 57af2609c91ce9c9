"""Make the tables of sync: conflicts, history, and how far the sweeps came.

Can be rolled back.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.row_security import protect

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = ("conflicts", "history", "sweep_marks")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "conflicts",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("conflict_id", sa.Uuid(), nullable=False),
        sa.Column("pair_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("field", sa.String(length=32), nullable=False),
        sa.Column("base", postgresql.JSONB(), nullable=False),
        sa.Column("time_value", postgresql.JSONB(), nullable=False),
        sa.Column("books_value", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("decided_value", postgresql.JSONB(), nullable=False),
        sa.Column("decided_by", sa.String(length=300), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'decided', 'closed')", name=op.f("ck_conflicts_state")
        ),
        sa.PrimaryKeyConstraint("link_id", "conflict_id", name=op.f("pk_conflicts")),
    )
    op.create_index(
        "uq_conflicts_current",
        "conflicts",
        ["link_id", "pair_id", "field"],
        unique=True,
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_table(
        "history",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("pair_id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.String(length=16), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=True),
        sa.Column("field", sa.String(length=32), nullable=True),
        sa.Column("value", postgresql.JSONB(), nullable=False),
        sa.Column("winner", postgresql.JSONB(), nullable=False),
        sa.Column("by", sa.String(length=300), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("link_id", "entry_id", name=op.f("pk_history")),
    )
    op.create_index("ix_history_pair", "history", ["link_id", "pair_id", "entry_id"], unique=False)
    op.create_table(
        "sweep_marks",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("seen_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("full_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("active_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("link_id", name=op.f("pk_sweep_marks")),
    )
    for table in TABLES:
        protect(table)


def downgrade() -> None:
    """Remove them again."""
    for table in TABLES:
        op.drop_table(table)

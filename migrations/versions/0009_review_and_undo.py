"""Let lines be searched by their words, and let a run be undone record by record."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; lines that are there are found by their name until they are read anew."""
    op.add_column("proposals", sa.Column("words", sa.Text(), nullable=True))
    op.add_column("proposals", sa.Column("undo", sa.String(length=8), nullable=True))
    op.add_column("proposals", sa.Column("undo_code", sa.String(length=64), nullable=True))
    op.add_column("proposals", sa.Column("undo_facts", postgresql.JSONB(), nullable=True))
    op.execute("ALTER TABLE proposals NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE proposals SET words = lower(name), undo_facts = '{}'")
    op.execute("ALTER TABLE proposals FORCE ROW LEVEL SECURITY")
    op.alter_column("proposals", "words", nullable=False)
    op.alter_column("proposals", "undo_facts", nullable=False)
    op.create_check_constraint(
        op.f("ck_proposals_undo"), "proposals", "undo IN ('done', 'waiting', 'refused')"
    )
    op.add_column("runs", sa.Column("undo_state", sa.String(length=8), nullable=True))
    op.add_column("runs", sa.Column("undo_by", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("undo_started_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("runs", sa.Column("undo_ended_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_runs_undo_state"), "runs", "undo_state IN ('running', 'paused', 'done')"
    )


def downgrade() -> None:
    """Remove them again."""
    op.drop_constraint(op.f("ck_runs_undo_state"), "runs", type_="check")
    for name in ("undo_ended_at", "undo_started_at", "undo_by", "undo_state"):
        op.drop_column("runs", name)
    op.drop_constraint(op.f("ck_proposals_undo"), "proposals", type_="check")
    for name in ("undo_facts", "undo_code", "undo", "words"):
        op.drop_column("proposals", name)

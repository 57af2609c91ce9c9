"""Find the lines that link to a record without walking the whole plan.

Can be rolled back.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.execute(
        "CREATE INDEX ix_proposals_partner ON proposals (link_id, plan_id, kind,"
        " (CASE WHEN answer IS NOT NULL THEN partner_id"
        " WHEN category = 'certain' THEN candidates -> 0 ->> 'id' END))"
        " WHERE anchor_side = 'time'"
    )


def downgrade() -> None:
    """Remove it again."""
    op.execute("DROP INDEX ix_proposals_partner")

"""Find the lines that link to a record by an index; keep what a plan was drawn from.

Can be rolled back.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index and the column."""
    op.add_column("plans", sa.Column("drawn_from", sa.String(length=64), nullable=True))
    op.execute(
        "CREATE INDEX ix_proposals_partner ON proposals (link_id, plan_id, kind,"
        " (CASE WHEN answer IS NOT NULL THEN partner_id"
        " WHEN category = 'certain' THEN candidates -> 0 ->> 'id' END))"
        " WHERE anchor_side = 'time'"
    )


def downgrade() -> None:
    """Remove them again."""
    op.drop_column("plans", "drawn_from")
    op.execute("DROP INDEX ix_proposals_partner")

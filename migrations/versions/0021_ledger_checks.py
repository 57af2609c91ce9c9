"""Keep what the last check of each link's ledger found.

Can be rolled back; the next night checks anew.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.row_security import protect

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; every link counts as not checked yet."""
    op.create_table(
        "ledger_checks",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("violations", postgresql.JSONB(), nullable=False),
        sa.Column("more", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("link_id", name=op.f("pk_ledger_checks")),
    )
    protect("ledger_checks")


def downgrade() -> None:
    """Remove it again."""
    op.drop_table("ledger_checks")

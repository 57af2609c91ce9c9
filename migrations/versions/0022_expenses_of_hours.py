"""Keep what the expenses and kilometres of unbilled hours come to beside what the hours are worth.

Can be rolled back: hours without minutes go, the others stay as they were.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, and have all hours read again: only changed ones are otherwise."""
    op.add_column("hours", sa.Column("expenses", sa.BigInteger(), nullable=True))
    op.add_column("hours", sa.Column("kilometres", sa.Numeric(12, 2), nullable=True))
    op.add_column(
        "hours", sa.Column("costs", postgresql.JSONB(astext_type=sa.Text()), nullable=True)
    )
    op.execute("ALTER TABLE hours_marks NO FORCE ROW LEVEL SECURITY")
    op.execute("DELETE FROM hours_marks")
    op.execute("ALTER TABLE hours_marks FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    """Remove them again, and the hours that were kept for them alone."""
    op.execute("ALTER TABLE hours NO FORCE ROW LEVEL SECURITY")
    op.execute("DELETE FROM hours WHERE minutes <= 0")
    op.execute("ALTER TABLE hours FORCE ROW LEVEL SECURITY")
    for column in ("costs", "kilometres", "expenses"):
        op.drop_column("hours", column)

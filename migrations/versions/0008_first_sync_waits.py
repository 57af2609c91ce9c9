"""Let a plan wait by itself on any working link, and say when a run looked again."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the two instants; what waits now is due at once."""
    op.add_column("link_directory", sa.Column("next_plan", sa.DateTime(timezone=True)))
    op.execute("UPDATE link_directory SET next_plan = next_due WHERE state = 'reviewing'")
    op.add_column("runs", sa.Column("checked_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Remove them again."""
    op.drop_column("runs", "checked_at")
    op.drop_column("link_directory", "next_plan")

"""Find the records that are not ready, or were left out, by an index of their own.

Can be rolled back.
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.execute(
        "CREATE INDEX ix_records_hindered ON records (link_id, side, kind, record_id)"
        " WHERE left_out OR NOT ready"
    )


def downgrade() -> None:
    """Remove it again."""
    op.execute("DROP INDEX ix_records_hindered")

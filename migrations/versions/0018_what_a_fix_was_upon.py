"""Keep what a record said before a fix of ours, until the review has taken it in.

Can be rolled back: a plan then shows what a record said before its fix.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and the index by which a page sees whether anything was fixed."""
    op.add_column("records", sa.Column("fixed_from", sa.String(64)))
    op.execute("CREATE INDEX ix_records_fixed ON records (link_id) WHERE fixed_from IS NOT NULL")


def downgrade() -> None:
    """Remove both."""
    op.execute("DROP INDEX ix_records_fixed")
    op.drop_column("records", "fixed_from")

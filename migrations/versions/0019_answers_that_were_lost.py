"""Keep what was answered to a line before it had to be asked again.

Can be rolled back; what was answered before is lost then, and the lines stay.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of lines that are asked again already nobody knows it any more."""
    op.add_column("proposals", sa.Column("lost", postgresql.JSONB(), nullable=True))


def downgrade() -> None:
    """Remove it again."""
    op.drop_column("proposals", "lost")

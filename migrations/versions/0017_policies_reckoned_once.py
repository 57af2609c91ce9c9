"""Take the transaction's links apart once for a statement, no longer for each row.

Can be rolled back. Who may see what stays the same.
"""

import sqlalchemy as sa
from alembic import op

from migrations.row_security import POLICY

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

FOR_EACH_ROW = (
    "link_id = ANY(string_to_array(NULLIF(current_setting('app.link_ids', true), ''), ',')::uuid[])"
)


def upgrade() -> None:
    """Give each policy the text of today."""
    _rewrite(POLICY)


def downgrade() -> None:
    """Give each policy the text it had."""
    _rewrite(FOR_EACH_ROW)


def _rewrite(policy: str) -> None:
    found = sa.text(
        "SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'public'"
        " AND policyname = tablename || '_link' ORDER BY tablename"
    )
    for table, name in op.get_bind().execute(found).all():
        op.execute(f"ALTER POLICY {name} ON {table} USING ({policy}) WITH CHECK ({policy})")

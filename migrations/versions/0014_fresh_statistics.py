"""Let the service have the planner look at what a first sync just stored.

Can be rolled back.
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the function; it runs as its owner, since only an owner may analyse."""
    op.execute(
        "CREATE FUNCTION refresh_statistics() RETURNS void LANGUAGE plpgsql SECURITY DEFINER"
        " SET search_path = pg_catalog, public AS $$"
        " BEGIN ANALYZE public.records, public.proposals; END $$"
    )


def downgrade() -> None:
    """Remove it."""
    op.execute("DROP FUNCTION refresh_statistics()")

"""Protect a table that holds links' rows: row-level security, forced, for reading and writing."""

from alembic import op

POLICY = (
    "link_id = ANY(string_to_array(NULLIF(current_setting('app.link_ids', true), ''), ',')::uuid[])"
)


def protect(table: str) -> None:
    """Let a transaction see and write only the rows of the links it is bound to.

    Its owner included.
    """
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY {table}_link ON {table} USING ({POLICY}) WITH CHECK ({POLICY})")

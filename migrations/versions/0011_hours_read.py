"""Keep what unbilled hours are worth, and let history only grow: events, papers and the ledger.

Can be rolled back; the hours are read again from Timerabbit.
"""

import sqlalchemy as sa
from alembic import op

from migrations.row_security import protect

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = ("hours", "hours_marks")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables, and triggers that refuse what bookkeeping evidence must not suffer."""
    op.create_table(
        "hours",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.String(length=64), nullable=True),
        sa.Column("project_id", sa.String(length=64), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("link_id", "entry_id", name=op.f("pk_hours")),
    )
    op.create_table(
        "hours_marks",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.Column("approval_required", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("link_id", name=op.f("pk_hours_marks")),
    )
    for table in TABLES:
        protect(table)
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME; END $$"
    )
    op.execute(
        "CREATE TRIGGER draft_events_grow BEFORE UPDATE OR DELETE ON draft_events"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER specifications_stay BEFORE UPDATE ON specifications"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER ledger_freed_once BEFORE UPDATE ON ledger FOR EACH ROW"
        " WHEN (NOT OLD.active OR NEW.active OR (NEW.minutes, NEW.rate, NEW.line_no, NEW.snapshot,"
        " NEW.entry_id, NEW.draft_id) IS DISTINCT FROM (OLD.minutes, OLD.rate, OLD.line_no,"
        " OLD.snapshot, OLD.entry_id, OLD.draft_id)) EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER ledger_grows BEFORE DELETE ON ledger"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """Remove them again."""
    for trigger, table in (
        ("ledger_grows", "ledger"),
        ("ledger_freed_once", "ledger"),
        ("specifications_stay", "specifications"),
        ("draft_events_grow", "draft_events"),
    ):
        op.execute(f"DROP TRIGGER {trigger} ON {table}")
    op.execute("DROP FUNCTION refuse_change()")
    for table in reversed(TABLES):
        op.drop_table(table)

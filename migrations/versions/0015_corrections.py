"""Keep which follow-up draft bills the difference of which changed hour.

Can be rolled back; which follow-up billed what is lost then.
"""

import sqlalchemy as sa
from alembic import op

from migrations.row_security import protect

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table; as in the ledger, a row can only be freed, once."""
    op.create_table(
        "corrections",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("draft_id", sa.Uuid(), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.String(length=64), nullable=False),
        sa.Column("corrected_id", sa.Uuid(), nullable=False),
        sa.Column("corrected_line", sa.Integer(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("takes_back", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("freed_at", _TIME, nullable=True),
        sa.Column("given_back_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("link_id", "draft_id", "change_id", name=op.f("pk_corrections")),
    )
    op.create_index("ix_corrections_corrected", "corrections", ["link_id", "corrected_id"])
    op.create_index("ix_corrections_entry", "corrections", ["link_id", "entry_id"])
    op.create_index(
        "uq_corrections_active_change", "corrections", ["link_id", "change_id"], unique=True,
        postgresql_where=sa.text("active"),
    )  # fmt: skip
    protect("corrections")
    op.execute(
        "CREATE TRIGGER corrections_freed_once BEFORE UPDATE ON corrections FOR EACH ROW"
        " WHEN (NOT OLD.active OR (NEW.minutes, NEW.net, NEW.line_no, NEW.entry_id, NEW.draft_id,"
        " NEW.change_id, NEW.corrected_id) IS DISTINCT FROM (OLD.minutes, OLD.net, OLD.line_no,"
        " OLD.entry_id, OLD.draft_id, OLD.change_id, OLD.corrected_id))"
        " EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER corrections_grow BEFORE DELETE ON corrections"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """Remove it."""
    op.drop_table("corrections")

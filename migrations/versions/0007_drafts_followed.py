"""Keep what was billed of each hour, how long a hold lasts, and what became of a draft in Conta.

Can be rolled back; snapshots, invoices, differences and specifications are lost then.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.row_security import protect

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = ("billing_choices", "specifications", "entry_changes")
_JSON = {"nullable": False, "server_default": sa.text("'{}'::jsonb")}
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the columns with empty defaults, so that older code still writes; make the tables."""
    op.add_column("previews", sa.Column("entries", postgresql.JSONB(), **_JSON))
    op.add_column("previews", sa.Column("wish", postgresql.JSONB(), **_JSON))
    op.add_column("ledger", sa.Column("snapshot", postgresql.JSONB(), **_JSON))
    op.add_column("reservations", sa.Column("expires_at", _TIME, nullable=True))
    op.add_column(
        "reservations",
        sa.Column("generation", sa.Integer(), nullable=False, server_default=sa.text("0")),
    )
    op.add_column("drafts", sa.Column("invoice", postgresql.JSONB(), nullable=True))
    op.add_column("drafts", sa.Column("next_look", _TIME, nullable=True))
    op.add_column("drafts", sa.Column("watch_until", _TIME, nullable=True))
    op.create_index(
        "ix_drafts_next_look", "drafts", ["link_id", "next_look"],
        postgresql_where=sa.text("next_look IS NOT NULL"),
    )  # fmt: skip
    _tables()
    for table in TABLES:
        protect(table)


def downgrade() -> None:
    """Remove them again."""
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_index("ix_drafts_next_look", table_name="drafts")
    for table, columns in (
        ("drafts", ("watch_until", "next_look", "invoice")),
        ("reservations", ("generation", "expires_at")),
        ("ledger", ("snapshot",)),
        ("previews", ("wish", "entries")),
    ):
        for column in columns:
            op.drop_column(table, column)


def _tables() -> None:
    op.create_table(
        "billing_choices",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.Column("values", postgresql.JSONB(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("link_id", "scope", name=op.f("pk_billing_choices")),
    )
    op.create_table(
        "specifications",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("draft_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("keep_until", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("link_id", "draft_id", "kind", name=op.f("pk_specifications")),
    )
    op.create_table(
        "entry_changes",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("draft_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.String(length=64), nullable=False),
        sa.Column("entry_version", sa.Integer(), nullable=False),
        sa.Column("what", postgresql.JSONB(), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=False),
        sa.Column("after", postgresql.JSONB(), nullable=False),
        sa.Column("choice", sa.String(length=16), nullable=True),
        sa.Column("chosen_by", sa.String(length=300), nullable=True),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.Column("chosen_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("link_id", "change_id", name=op.f("pk_entry_changes")),
    )
    op.create_index(
        "uq_entry_changes_seen", "entry_changes",
        ["link_id", "draft_id", "entry_id", "entry_version"], unique=True,
    )  # fmt: skip

"""Make the tables of previews, drafts and the hour ledger.

Can be rolled back, their rows are lost.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.row_security import protect

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = (
    "previews",
    "drafts",
    "draft_attempts",
    "ledger",
    "reservations",
    "vat_answers",
    "draft_events",
)


def upgrade() -> None:
    """Make the tables; the ledger's unique index is over the company, across links."""
    _tables()
    for table in TABLES:
        protect(table)


def downgrade() -> None:
    """Remove them again."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _tables() -> None:
    op.create_table(
        "draft_attempts",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("draft_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("link_id", "draft_id", "number", name=op.f("pk_draft_attempts")),
    )
    op.create_table(
        "draft_events",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("draft_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("link_id", "event_id", name=op.f("pk_draft_events")),
    )
    op.create_table(
        "drafts",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("draft_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("mark", sa.String(length=16), nullable=False),
        sa.Column("customer_time_id", sa.String(length=64), nullable=False),
        sa.Column("customer_books_id", sa.String(length=64), nullable=False),
        sa.Column("project_books_id", sa.String(length=64), nullable=True),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("versions", postgresql.JSONB(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("vat", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("books_ids", postgresql.JSONB(), nullable=False),
        sa.Column("remote", postgresql.JSONB(), nullable=True),
        sa.Column("problem", sa.String(length=64), nullable=True),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("requested_by", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("link_id", "draft_id", name=op.f("pk_drafts")),
    )
    op.create_index("uq_drafts_mark", "drafts", ["link_id", "mark"], unique=True)
    op.create_table(
        "ledger",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("draft_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.String(length=64), nullable=False),
        sa.Column("time_company_id", sa.String(length=64), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("entry_version", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("freed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("link_id", "draft_id", "entry_id", name=op.f("pk_ledger")),
    )
    op.create_index("ix_ledger_entry", "ledger", ["link_id", "entry_id"], unique=False)
    op.create_index(
        "uq_ledger_active_entry",
        "ledger",
        ["time_company_id", "entry_id"],
        unique=True,
        postgresql_where=sa.text("active"),
    )
    op.create_table(
        "previews",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("preview_id", sa.Uuid(), nullable=False),
        sa.Column("customer_time_id", sa.String(length=64), nullable=False),
        sa.Column("customer_books_id", sa.String(length=64), nullable=False),
        sa.Column("project_books_id", sa.String(length=64), nullable=True),
        sa.Column("mark", sa.String(length=16), nullable=False),
        sa.Column("versions", postgresql.JSONB(), nullable=False),
        sa.Column("minutes", postgresql.JSONB(), nullable=False),
        sa.Column("lines", postgresql.JSONB(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("vat", sa.BigInteger(), nullable=False),
        sa.Column("problems", postgresql.JSONB(), nullable=False),
        sa.Column("left_out", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("link_id", "preview_id", name=op.f("pk_previews")),
    )
    op.create_table(
        "reservations",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("draft_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("reservation_id", sa.String(length=64), nullable=False),
        sa.Column("completed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("link_id", "draft_id", "part", name=op.f("pk_reservations")),
    )
    op.create_table(
        "vat_answers",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("link_id", "code", name=op.f("pk_vat_answers")),
    )

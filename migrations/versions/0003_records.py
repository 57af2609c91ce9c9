"""Make the tables of records. Can be rolled back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.row_security import protect

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = ("records", "create_intents", "questions", "refusals")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "create_intents",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("intent_id", sa.Uuid(), nullable=False),
        sa.Column("target_side", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("key_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("posts_left", sa.Integer(), nullable=False),
        sa.Column("looked", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("result_id", sa.String(length=64), nullable=True),
        sa.Column("marked", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'done') = (result_id IS NOT NULL)", name=op.f("ck_create_intents_result")
        ),
        sa.CheckConstraint(
            "state IN ('planned', 'sending', 'unknown', 'done')",
            name=op.f("ck_create_intents_state"),
        ),
        sa.PrimaryKeyConstraint("link_id", "intent_id", name=op.f("pk_create_intents")),
    )
    op.create_index(
        "ix_create_intents_unmarked",
        "create_intents",
        ["link_id"],
        unique=False,
        postgresql_where=sa.text("state = 'done' AND NOT marked"),
    )
    op.create_index(
        "uq_create_intents_source",
        "create_intents",
        ["link_id", "target_side", "kind", "source_id"],
        unique=True,
    )
    op.create_table(
        "questions",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("record_id", sa.String(length=64), nullable=False),
        sa.Column("candidates", postgresql.JSONB(), nullable=False),
        sa.Column("answer", sa.String(length=16), nullable=True),
        sa.Column("partner_id", sa.String(length=64), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "answer IN ('link', 'create', 'leave-out')", name=op.f("ck_questions_answer")
        ),
        sa.PrimaryKeyConstraint("link_id", "question_id", name=op.f("pk_questions")),
    )
    op.create_index(
        "uq_questions_record", "questions", ["link_id", "side", "kind", "record_id"], unique=True
    )
    op.create_table(
        "records",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("record_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("findings", postgresql.JSONB(), nullable=False),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.Column("left_out", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("link_id", "side", "kind", "record_id", name=op.f("pk_records")),
    )
    op.create_table(
        "refusals",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("time_id", sa.String(length=64), nullable=False),
        sa.Column("books_id", sa.String(length=64), nullable=False),
        sa.Column("refused_by", sa.Text(), nullable=False),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("link_id", "kind", "time_id", "books_id", name=op.f("pk_refusals")),
    )
    for table in TABLES:
        protect(table)


def downgrade() -> None:
    """Remove them again."""
    for table in TABLES:
        op.drop_table(table)

"""Make the house: the queue, the way of deferring once, links, access and pairs.

Can be rolled back.
"""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy.dialects import postgresql

from migrations.row_security import protect

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCOPED = ("credentials", "links", "pairs", "webhook_secrets")
UNSCOPED = ("api_tokens", "idempotency_keys", "link_directory", "oauth_states")

# A waiting job is held FOR KEY SHARE: the worker's fetch (FOR UPDATE SKIP LOCKED) passes it by
# until
# we commit, so that it always sees the rows written beside it. A plain look would lose the wake-up.
DEFER_ONCE = """
CREATE FUNCTION defer_once(job text, lock_name text, once text, job_args jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1..10 LOOP
    PERFORM 1 FROM procrastinate_jobs
      WHERE queueing_lock = once AND status = 'todo' FOR KEY SHARE;
    IF FOUND THEN
      RETURN;
    END IF;
    BEGIN
      PERFORM procrastinate_defer_jobs_v1(ARRAY[
        ROW('default', job, 0, lock_name, once, job_args, NULL)::procrastinate_job_to_defer_v1
      ]);
      RETURN;
    EXCEPTION WHEN unique_violation THEN
      NULL;  -- someone was faster; look again
    END;
  END LOOP;
  RAISE EXCEPTION 'defer_once: no decision after 10 looks at %', once;
END
$$
"""


def upgrade() -> None:
    """Make everything; the service role gets its rights by the owner's default privileges."""
    op.get_bind().exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))
    op.execute(DEFER_ONCE)
    _tables()
    for table in SCOPED:
        protect(table)


def downgrade() -> None:
    """Remove everything; the queue's objects by list."""
    for table in (*SCOPED, *UNSCOPED):
        op.drop_table(table)
    op.execute("DROP FUNCTION defer_once(text, text, text, jsonb)")
    drop_queue()


def drop_queue() -> None:
    """Drop the queue's tables, then its functions and types, by what carries its prefix."""
    op.execute("DROP TABLE procrastinate_events, procrastinate_periodic_defers CASCADE")
    op.execute("DROP TABLE procrastinate_jobs, procrastinate_workers CASCADE")
    op.execute("""
    DO $$ DECLARE item record; BEGIN
      FOR item IN SELECT p.oid::regprocedure AS name FROM pg_proc p
        JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = 'public' AND p.proname LIKE 'procrastinate%'
      LOOP EXECUTE 'DROP FUNCTION ' || item.name || ' CASCADE'; END LOOP;
      FOR item IN SELECT t.oid::regtype AS name FROM pg_type t
        JOIN pg_namespace n ON n.oid = t.typnamespace
        WHERE n.nspname = 'public' AND t.typname LIKE 'procrastinate%' AND t.typtype IN ('e', 'c')
      LOOP EXECUTE 'DROP TYPE ' || item.name || ' CASCADE'; END LOOP;
    END $$
    """)


def _tables() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("token_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("hint", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("scopes", postgresql.JSONB(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_api_tokens")),
    )
    op.create_index("ix_api_tokens_account", "api_tokens", ["side", "account"], unique=False)
    op.create_index("uq_api_tokens_hash", "api_tokens", ["hash"], unique=True)
    op.create_table(
        "credentials",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("link_id", "side", name=op.f("pk_credentials")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("scope", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=True),
        sa.Column("resource_id", sa.String(length=64), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_idempotency_keys")),
    )
    op.create_table(
        "link_directory",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("time_account", sa.String(length=64), nullable=True),
        sa.Column("books_account", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("next_due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_sweep", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_draft", sa.DateTime(timezone=True), nullable=True),
        sa.Column("time_not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("books_not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pending", sa.Integer(), nullable=False),
        sa.Column("parked", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('connecting', 'reviewing', 'active', 'paused', 'closed')",
            name=op.f("ck_link_directory_state"),
        ),
        sa.PrimaryKeyConstraint("link_id", name=op.f("pk_link_directory")),
        sa.UniqueConstraint(
            "time_account",
            "books_account",
            name=op.f("uq_link_directory_time_account_books_account"),
        ),
    )
    op.create_index(
        "ix_link_directory_next_due",
        "link_directory",
        ["next_due"],
        unique=False,
        postgresql_where=sa.text("next_due IS NOT NULL"),
    )
    op.create_index(
        "uq_link_directory_open_books",
        "link_directory",
        ["books_account"],
        unique=True,
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_index(
        "uq_link_directory_open_time",
        "link_directory",
        ["time_account"],
        unique=True,
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_table(
        "links",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("resume_state", sa.String(length=16), nullable=True),
        sa.Column("pause_reason", sa.String(length=64), nullable=True),
        sa.Column("pause_detail", postgresql.JSONB(), nullable=False),
        sa.Column("time_account", sa.String(length=64), nullable=True),
        sa.Column("time_name", sa.String(length=300), nullable=True),
        sa.Column("time_organization_number", sa.String(length=20), nullable=True),
        sa.Column("books_account", sa.String(length=64), nullable=False),
        sa.Column("books_name", sa.String(length=300), nullable=True),
        sa.Column("books_organization_number", sa.String(length=20), nullable=True),
        sa.Column("books_key_owner", sa.String(length=300), nullable=True),
        sa.Column("return_url", sa.String(length=2000), nullable=False),
        sa.Column("settings", postgresql.JSONB(), nullable=False),
        sa.Column("features", postgresql.JSONB(), nullable=False),
        sa.Column("subscription_id", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_sweep_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'paused') = (pause_reason IS NOT NULL)", name=op.f("ck_links_pause")
        ),
        sa.PrimaryKeyConstraint("link_id", name=op.f("pk_links")),
    )
    op.create_table(
        "oauth_states",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("sealed_verifier", sa.LargeBinary(), nullable=False),
        sa.Column("return_url", sa.String(length=2000), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_oauth_states")),
    )
    op.create_table(
        "pairs",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("pair_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("time_id", sa.String(length=64), nullable=False),
        sa.Column("books_id", sa.String(length=64), nullable=False),
        sa.Column("base", postgresql.JSONB(), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("problem", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("link_id", "pair_id", name=op.f("pk_pairs")),
    )
    op.create_index("uq_pairs_books", "pairs", ["link_id", "kind", "books_id"], unique=True)
    op.create_index("uq_pairs_time", "pairs", ["link_id", "kind", "time_id"], unique=True)
    op.create_table(
        "webhook_secrets",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("secret_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("link_id", "secret_id", name=op.f("pk_webhook_secrets")),
    )
    op.create_index("ix_webhook_secrets_side", "webhook_secrets", ["link_id", "side"], unique=False)

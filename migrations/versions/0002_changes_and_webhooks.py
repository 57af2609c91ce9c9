"""Make the tables of changes and webhooks, and the one call that accepts a webhook.

Can be rolled back.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.row_security import protect

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# One round trip and one commit for each webhook. The signature is verified before, by a secret
# that the process may have cached; here that very secret is looked up again, so that a revoked
# one is refused at once. SECURITY INVOKER: the caller's own rights, row-level security included.
ACCEPT_DELIVERY = """
CREATE FUNCTION accept_delivery(
  p_link uuid, p_side text, p_system text, p_secret uuid, p_account text,
  p_delivery text, p_event text, p_hash text, p_body text, p_kinds text[], p_ids text[],
  p_change_ids uuid[], p_sweep boolean, p_now timestamptz
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  link_state text;
  account text;
  used_at timestamptz;
  known_hash text;
BEGIN
  PERFORM set_config('app.link_ids', p_link::text, true);
  SELECT state, CASE p_side WHEN 'time' THEN time_account ELSE books_account END
    INTO link_state, account FROM link_directory WHERE link_id = p_link;
  SELECT COALESCE(last_used_at, '-infinity') INTO used_at FROM webhook_secrets
    WHERE link_id = p_link AND secret_id = p_secret AND side = p_side
      AND (expires_at IS NULL OR expires_at > p_now);
  IF link_state IS NULL OR used_at IS NULL THEN
    RETURN 'refused';
  END IF;
  IF link_state = 'closed' THEN
    RETURN 'closed';
  END IF;
  IF p_account <> account THEN
    RETURN 'misdirected';
  END IF;
  INSERT INTO deliveries
      (link_id, system, delivery_id, event, body_hash, body, altered, received_at)
    VALUES (p_link, p_system, p_delivery, p_event, p_hash, p_body, false, p_now)
    ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    SELECT body_hash INTO known_hash FROM deliveries
      WHERE link_id = p_link AND system = p_system AND delivery_id = p_delivery;
    IF known_hash = p_hash THEN
      RETURN 'repeated';
    END IF;
    UPDATE deliveries SET altered = true
      WHERE link_id = p_link AND system = p_system AND delivery_id = p_delivery;
    RETURN 'altered';
  END IF;
  IF used_at < p_now - interval '1 minute' THEN
    UPDATE webhook_secrets SET last_used_at = p_now
      WHERE link_id = p_link AND secret_id = p_secret
        AND COALESCE(last_used_at, '-infinity') < p_now - interval '1 minute';
  END IF;
  IF p_sweep THEN
    UPDATE link_directory SET next_sweep = p_now
      WHERE link_id = p_link AND (next_sweep IS NULL OR next_sweep > p_now);
  END IF;
  IF cardinality(p_ids) = 0 THEN
    RETURN 'accepted';
  END IF;
  INSERT INTO changes AS c (link_id, side, kind, record_id, change_id, counter, attempts,
                            not_before, state, code, facts, first_seen, last_seen)
    SELECT p_link, p_side, n.kind, n.record_id, n.change_id, 1, 0, p_now, 'pending', NULL, '{}',
           p_now, p_now
    FROM unnest(p_kinds, p_ids, p_change_ids) AS n (kind, record_id, change_id)
    ON CONFLICT (link_id, side, kind, record_id) DO UPDATE SET
      counter = c.counter + 1,
      attempts = CASE WHEN c.state = 'pending' THEN c.attempts ELSE 0 END,
      not_before = LEAST(c.not_before, excluded.not_before),
      state = 'pending',
      last_seen = excluded.last_seen;
  UPDATE link_directory SET next_due = p_now
    WHERE link_id = p_link AND (next_due IS NULL OR next_due > p_now);
  IF link_state = 'active' THEN
    PERFORM defer_once('drain_link', 'drain_link:' || p_link, 'drain_link:' || p_link,
                       jsonb_build_object('link_id', p_link));
  END IF;
  RETURN 'accepted';
END
$$
"""

# A job that waited behind its lock is not announced by the queue when the lock falls free; without
# this it would lie until the next poll.
NEXT_IN_LINE = """
CREATE FUNCTION notify_next_in_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM procrastinate_jobs
             WHERE queueing_lock = OLD.lock AND status = 'todo') THEN
    PERFORM pg_notify('procrastinate_any_queue_v1', '{"type": "job_inserted", "job_id": 0}');
  END IF;
  RETURN NULL;
END
$$
"""


def upgrade() -> None:
    """Make the tables and functions."""
    op.create_table(
        "changes",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("record_id", sa.String(length=64), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("counter", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('pending', 'parked', 'ignored')", name=op.f("ck_changes_state")
        ),
        sa.PrimaryKeyConstraint("link_id", "side", "kind", "record_id", name=op.f("pk_changes")),
    )
    op.create_table(
        "deliveries",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("system", sa.String(length=32), nullable=False),
        sa.Column("delivery_id", sa.String(length=64), nullable=False),
        sa.Column("event", sa.String(length=100), nullable=False),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("altered", sa.Boolean(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("link_id", "system", "delivery_id", name=op.f("pk_deliveries")),
    )
    for table in ("changes", "deliveries"):
        protect(table)
    op.execute(sa.text(ACCEPT_DELIVERY.replace(":", r"\:")))
    op.execute(sa.text(NEXT_IN_LINE.replace(":", r"\:")))
    op.execute(
        "CREATE TRIGGER notify_next_in_line_deleted AFTER DELETE ON procrastinate_jobs"
        " FOR EACH ROW WHEN (OLD.status = 'doing') EXECUTE FUNCTION notify_next_in_line()"
    )
    op.execute(
        "CREATE TRIGGER notify_next_in_line_ended AFTER UPDATE OF status ON procrastinate_jobs"
        " FOR EACH ROW WHEN (OLD.status = 'doing' AND NEW.status <> 'doing')"
        " EXECUTE FUNCTION notify_next_in_line()"
    )


def downgrade() -> None:
    """Remove them again."""
    op.execute("DROP TRIGGER notify_next_in_line_deleted ON procrastinate_jobs")
    op.execute("DROP TRIGGER notify_next_in_line_ended ON procrastinate_jobs")
    op.execute("DROP FUNCTION notify_next_in_line()")
    op.execute(
        "DROP FUNCTION accept_delivery(uuid, text, text, uuid, text, text, text, text, text,"
        " text[], text[], uuid[], boolean, timestamptz)"
    )
    op.drop_table("deliveries")
    op.drop_table("changes")

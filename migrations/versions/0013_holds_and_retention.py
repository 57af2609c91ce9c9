"""Keep how a hold was asked for until it is answered, and let papers go once their time is over.

Can be rolled back: a hold that was asked for and not answered then lapses after an hour.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_FREED_ONCE = (
    "CREATE TRIGGER ledger_freed_once BEFORE UPDATE ON ledger FOR EACH ROW"
    " WHEN ({exception}(NOT OLD.active OR NEW.active OR (NEW.minutes, NEW.rate, NEW.line_no,"
    " NEW.snapshot, NEW.entry_id, NEW.draft_id) IS DISTINCT FROM (OLD.minutes, OLD.rate,"
    " OLD.line_no, OLD.snapshot, OLD.entry_id, OLD.draft_id))) EXECUTE FUNCTION refuse_change()"
)
_TIME_OVER = (
    "NOT (NEW.snapshot = '{}'::jsonb AND OLD.created_at < date_trunc('year', CURRENT_DATE)"
    " - interval '5 years' AND (NEW.active, NEW.minutes, NEW.rate, NEW.line_no, NEW.entry_id,"
    " NEW.draft_id) IS NOT DISTINCT FROM (OLD.active, OLD.minutes, OLD.rate, OLD.line_no,"
    " OLD.entry_id, OLD.draft_id)) AND "
)
"""Of an hour whose five years are over the snapshot may be emptied, and nothing else changed."""


def upgrade() -> None:
    """Add the column, refuse a paper's early end, and let old snapshots be emptied."""
    op.add_column(
        "reservations", sa.Column("asked", postgresql.JSONB(astext_type=sa.Text()), nullable=True)
    )
    op.execute(
        "CREATE TRIGGER specifications_kept BEFORE DELETE ON specifications FOR EACH ROW"
        " WHEN (OLD.keep_until >= CURRENT_DATE) EXECUTE FUNCTION refuse_change()"
    )
    op.execute("DROP TRIGGER ledger_freed_once ON ledger")
    op.execute(_FREED_ONCE.replace("{exception}", _TIME_OVER))


def downgrade() -> None:
    """Put them back as they were."""
    op.execute("DROP TRIGGER ledger_freed_once ON ledger")
    op.execute(_FREED_ONCE.replace("{exception}", ""))
    op.execute("DROP TRIGGER specifications_kept ON specifications")
    op.drop_column("reservations", "asked")

"""Let what a draft was billed by stand as it was written, and find what waits for a person.

Can be rolled back; nothing is lost.
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_TIME_OVER = "OLD.created_at < date_trunc('year', CURRENT_DATE) - interval '5 years'"
_DRAFT = (
    "link_id", "draft_id", "mark", "customer_time_id", "customer_books_id", "project_books_id",
    "versions", "net", "vat", "body_hash", "created_at",
)  # fmt: skip
"""What of a draft never changes; its body, which is compared apart, may be emptied once."""

_HOUR = (
    "link_id", "draft_id", "entry_id", "time_company_id", "line_no", "minutes", "rate",
    "entry_version", "created_at",
)  # fmt: skip
"""What of an hour never changes; its snapshot, which is compared apart, may be emptied once."""

_HOUR_BEFORE = ("minutes", "rate", "line_no", "entry_id", "draft_id")
"""The columns that the trigger watched before this."""


def upgrade() -> None:
    """Refuse by trigger what neither our code does nor a person may; add the two indexes."""
    op.create_index(
        "ix_drafts_problem", "drafts", ["link_id", "problem", "draft_id"],
        postgresql_where="problem IS NOT NULL",
    )  # fmt: skip
    op.create_index("ix_hours_day", "hours", ["link_id", "day"])
    erased = (
        f"{_TIME_OVER} AND jsonb_exists(NEW.body, 'erasedAt') AND NEW.body->'lines' = '[]'::jsonb"
    )
    # Only where a statement names such a column: a draft's state moves often, its body is large.
    op.execute(
        f"CREATE TRIGGER drafts_frozen BEFORE UPDATE OF {', '.join((*_DRAFT, 'body'))} ON drafts"
        f" FOR EACH ROW WHEN ({_changed(_DRAFT)}"
        f" OR (NEW.body IS DISTINCT FROM OLD.body AND NOT ({erased})))"
        " EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER drafts_stay BEFORE DELETE ON drafts"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    attempt = ("link_id", "draft_id", "number", "started_at", "deadline")
    op.execute(
        "CREATE TRIGGER draft_attempts_frozen BEFORE UPDATE ON draft_attempts"
        f" FOR EACH ROW WHEN ({_changed(attempt)}) EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER draft_attempts_grow BEFORE DELETE ON draft_attempts"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    _freed_once(_HOUR)


def downgrade() -> None:
    """Put them back as they were."""
    _freed_once(_HOUR_BEFORE)
    for trigger, table in (
        ("draft_attempts_grow", "draft_attempts"),
        ("draft_attempts_frozen", "draft_attempts"),
        ("drafts_stay", "drafts"),
        ("drafts_frozen", "drafts"),
    ):
        op.execute(f"DROP TRIGGER {trigger} ON {table}")
    op.drop_index("ix_hours_day", table_name="hours")
    op.drop_index("ix_drafts_problem", table_name="drafts")


def _freed_once(columns: tuple[str, ...]) -> None:
    """Let a row of the ledger be freed once, and its snapshot be emptied after its five years."""
    emptied = (
        f"NEW.snapshot = '{{}}'::jsonb AND {_TIME_OVER} AND NEW.active = OLD.active"
        f" AND NOT ({_changed(columns)})"
    )
    op.execute("DROP TRIGGER ledger_freed_once ON ledger")
    op.execute(
        "CREATE TRIGGER ledger_freed_once BEFORE UPDATE ON ledger FOR EACH ROW"
        f" WHEN (NOT ({emptied}) AND (NOT OLD.active OR NEW.active"
        f" OR {_changed((*columns, 'snapshot'))})) EXECUTE FUNCTION refuse_change()"
    )


def _changed(columns: tuple[str, ...]) -> str:
    new, old = (", ".join(f"{row}.{name}" for name in columns) for row in ("NEW", "OLD"))
    return f"({new}) IS DISTINCT FROM ({old})"

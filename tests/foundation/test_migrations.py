"""Migrations: up, down and up again; models and tables agree.

Every table is protected or excused.
"""

from collections.abc import Iterator

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from app import migrate
from app.database import UNSCOPED, Base, sqlalchemy_url
from app.embedded import EmbeddedServer


@pytest.fixture
def empty_database(server: EmbeddedServer) -> Iterator[str]:
    server.drop_database("migrating")
    server.create_database("migrating")
    yield server.url("tc_owner", "migrating")
    server.drop_database("migrating")


@pytest.mark.xdist_group("migrating")
def test_up_down_and_up_again(server: EmbeddedServer, empty_database: str) -> None:
    """A revision can be rolled back wholly and brought back."""
    migrate.upgrade(empty_database)
    migrate.downgrade(empty_database)

    with psycopg.connect(server.url("postgres", "migrating")) as connection:
        left = connection.execute(
            "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = 'public' AND relname NOT LIKE 'alembic_version%'"
        ).fetchall()
        functions = connection.execute(
            "SELECT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE n.nspname = 'public'"
        ).fetchall()
    migrate.upgrade(empty_database)

    assert (left, functions) == ([], [])


def test_models_and_migrations_agree(server: EmbeddedServer, database_name: str) -> None:
    """Autogenerate finds nothing to do, names of indexes and constraints included."""
    migrate.import_all_tables()
    engine = create_engine(sqlalchemy_url(server.url("tc_owner", database_name)))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_name": lambda name, kind, _: (
                    not (
                        kind == "table" and (name or "").startswith(("procrastinate_", "alembic_"))
                    )
                ),
            },
        )
        differences = compare_metadata(context, Base.metadata)
    engine.dispose()

    assert differences == []


def test_every_table_has_a_policy_or_a_reason(server: EmbeddedServer, database_name: str) -> None:
    """A new table without row-level security, FORCE and both clauses, or a listed reason.

    Fails here.
    """
    with psycopg.connect(server.url("postgres", database_name)) as connection:
        tables = connection.execute(
            "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity,"
            " EXISTS (SELECT 1 FROM pg_policies p WHERE p.tablename = c.relname"
            "  AND p.cmd = 'ALL' AND p.qual LIKE '%app.link_ids%'"
            "  AND p.with_check LIKE '%app.link_ids%')"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')"
        ).fetchall()
    open_tables = {name for name, forced, policy in tables if not (forced and policy)}

    assert open_tables == set(UNSCOPED)


def test_keys_of_protected_tables_lead_with_the_link(
    server: EmbeddedServer, database_name: str
) -> None:
    """A unique key that did not lead with the link would tell one company of another's records."""
    excused = {
        "uq_ledger_active_entry"  # the hour ledger must see across links: an hour is billed once
    }
    with psycopg.connect(server.url("postgres", database_name)) as connection:
        keys = connection.execute(
            "SELECT i.indexrelid::regclass::text, a.attname FROM pg_index i"
            " JOIN pg_class c ON c.oid = i.indrelid"
            " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
            " WHERE i.indisunique AND c.relrowsecurity"
        ).fetchall()

    assert {name for name, first in keys if first != "link_id"} == excused


def test_no_function_or_view_steps_over_the_policies(
    server: EmbeddedServer, database_name: str
) -> None:
    """No function and no view reads or writes rows with rights that the service role lacks."""
    excused = {"refresh_statistics"}  # only an owner may ANALYZE; it takes and gives nothing
    with psycopg.connect(server.url("postgres", database_name)) as connection:
        definers = connection.execute(
            "SELECT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE n.nspname = 'public' AND p.prosecdef"
        ).fetchall()
        views = connection.execute(
            "SELECT viewname FROM pg_views WHERE schemaname = 'public'"
        ).fetchall()

    assert ({name for (name,) in definers}, views) == (excused, [])

"""What no comparison of models sees: policies, checks and index predicates, from the catalogue.

Texts are compared as PostgreSQL prints them, so no second spelling of a rule can pass for it.
"""

import os
from collections.abc import Iterator
from typing import NamedTuple

import psycopg
import pytest
from sqlalchemy import create_engine

from app import migrate
from app.database import UNSCOPED, Base, sqlalchemy_url
from app.embedded import EmbeddedServer
from migrations.row_security import POLICY

CHECKS = (
    "SELECT c.conrelid::regclass::text, c.conname, pg_get_constraintdef(c.oid)"
    " FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace"
    " WHERE n.nspname = 'public' AND c.contype = 'c'"
    " AND c.conrelid::regclass::text !~ '^(procrastinate|alembic)_'"
)
PREDICATES = (
    "SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text,"
    " pg_get_indexdef(i.indexrelid)"
    " FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
    " JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = 'public' AND i.indpred IS NOT NULL"
    " AND i.indrelid::regclass::text !~ '^(procrastinate|alembic)_'"
)


class Policy(NamedTuple):
    """One policy of a table, as PostgreSQL prints it."""

    kind: str
    command: str
    roles: list[str]
    using: str | None
    with_check: str | None


def our_policy(connection: psycopg.Connection) -> Policy:
    """The text of `migrations/row_security.py`, in PostgreSQL's own spelling."""
    connection.execute("CREATE TEMP TABLE printed (link_id uuid)")
    connection.execute(f"CREATE POLICY p ON printed USING ({POLICY}) WITH CHECK ({POLICY})")
    (printed,) = policies(connection)["printed"]
    connection.execute("DROP TABLE printed")
    return printed


def policies(connection: psycopg.Connection) -> dict[str, list[Policy]]:
    found: dict[str, list[Policy]] = {}
    for table, *policy in connection.execute(
        "SELECT tablename, permissive, cmd, roles::text[], qual, with_check FROM pg_policies"
    ):
        found.setdefault(table, []).append(Policy(*policy))
    return found


def unprotected(connection: psycopg.Connection) -> set[str]:
    """Each table whose row-level security is not forced, or whose policy is not wholly ours."""
    ours = [our_policy(connection)]
    theirs = policies(connection)
    tables = connection.execute(
        "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')"
    ).fetchall()
    return {name for name, forced in tables if not (forced and theirs.get(name) == ours)}


@pytest.fixture
def migrated(server: EmbeddedServer, database_name: str) -> Iterator[psycopg.Connection]:
    """The migrated database, as superuser; what a test changes in it is rolled back."""
    with psycopg.connect(server.url("postgres", database_name)) as connection:
        yield connection
        connection.rollback()


@pytest.fixture(scope="module")
def modelled(server: EmbeddedServer) -> Iterator[psycopg.Connection]:
    """A database made by the models instead of the migrations."""
    name = f"modelled_{os.getpid()}"
    migrate.import_all_tables()
    server.drop_database(name)
    server.create_database(name)
    engine = create_engine(sqlalchemy_url(server.url("tc_owner", name)))
    Base.metadata.create_all(engine)
    engine.dispose()
    with psycopg.connect(server.url("postgres", name)) as connection:
        yield connection
    server.drop_database(name)


def test_every_table_has_the_one_policy_or_a_reason(migrated: psycopg.Connection) -> None:
    """Row-level security is forced, by one policy of one text; else the table is listed."""
    assert unprotected(migrated) == set(UNSCOPED)


def test_a_policy_is_reckoned_once_for_a_statement(
    server: EmbeddedServer, database_name: str
) -> None:
    """For each row the setting would be taken apart anew: 500 links took 60 times as long."""
    with psycopg.connect(server.url("tc_service", database_name)) as connection:
        plan = connection.execute("EXPLAIN SELECT count(*) FROM hours WHERE minutes > 0").fetchall()

    lines = [line.strip() for (line,) in plan]
    assert any(line.startswith("InitPlan") for line in lines), lines
    assert not any("current_setting" in line for line in lines), lines


@pytest.mark.parametrize(
    "loosened",
    [
        "CREATE POLICY everyone ON pairs USING (true)",
        f"ALTER POLICY pairs_link ON pairs USING (({POLICY}) OR true)",
        f"ALTER POLICY pairs_link ON pairs WITH CHECK (({POLICY}) OR true)",
        "ALTER POLICY pairs_link ON pairs TO tc_owner",
        "ALTER TABLE pairs NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE pairs DISABLE ROW LEVEL SECURITY",
        "DROP POLICY pairs_link ON pairs",
    ],
)
def test_a_wall_with_a_hole_is_found(migrated: psycopg.Connection, loosened: str) -> None:
    """A second policy, a wider one, one for some roles only, or one that is not forced."""
    migrated.execute(loosened)

    assert unprotected(migrated) == set(UNSCOPED) | {"pairs"}


@pytest.mark.parametrize("query", [CHECKS, PREDICATES], ids=["checks", "predicates"])
def test_checks_and_predicates_are_as_the_models_say(
    migrated: psycopg.Connection, modelled: psycopg.Connection, query: str
) -> None:
    """A check or a partial index of the migrations is that of the models, name and text."""
    ours = modelled.execute(query).fetchall()

    assert ours != []
    assert sorted(migrated.execute(query).fetchall()) == sorted(ours)


@pytest.mark.parametrize(
    ("query", "changed"),
    [
        (CHECKS, "ALTER TABLE runs DROP CONSTRAINT ck_runs_state"),
        (PREDICATES, "DROP INDEX uq_ledger_active_entry;"
         " CREATE UNIQUE INDEX uq_ledger_active_entry"
         " ON ledger (time_company_id, entry_id) WHERE active OR minutes > 0"),
    ],
    ids=["checks", "predicates"],
)  # fmt: skip
def test_a_check_or_predicate_that_differs_is_found(
    migrated: psycopg.Connection, modelled: psycopg.Connection, query: str, changed: str
) -> None:
    """What autogenerate passes over would fail here."""
    migrated.execute(changed)

    assert set(migrated.execute(query).fetchall()) != set(modelled.execute(query).fetchall())


def test_keys_of_protected_tables_lead_with_the_link(migrated: psycopg.Connection) -> None:
    """A unique key that did not lead with the link would tell one company of another's records."""
    excused = {
        "uq_ledger_active_entry"  # the hour ledger must see across links: an hour is billed once
    }
    keys = migrated.execute(
        "SELECT i.indexrelid::regclass::text, a.attname FROM pg_index i"
        " JOIN pg_class c ON c.oid = i.indrelid"
        " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
        " WHERE i.indisunique AND c.relrowsecurity"
    ).fetchall()

    assert {name for name, first in keys if first != "link_id"} == excused


def test_no_function_or_view_steps_over_the_policies(migrated: psycopg.Connection) -> None:
    """No function and no view reads or writes rows with rights that the service role lacks."""
    excused = {"refresh_statistics"}  # only an owner may ANALYZE; it takes and gives nothing
    definers = migrated.execute(
        "SELECT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE n.nspname = 'public' AND p.prosecdef"
    ).fetchall()
    views = migrated.execute("SELECT viewname FROM pg_views WHERE schemaname = 'public'").fetchall()

    assert ({name for (name,) in definers}, views) == (excused, [])

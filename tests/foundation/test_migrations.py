"""Migrations: up, down and up again; models and tables agree."""

import os
from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from app import migrate
from app.database import Base, sqlalchemy_url
from app.embedded import EmbeddedServer

NAME = f"migrating_{os.getpid()}"
"""Of this test worker alone: two of them may migrate at once."""


@pytest.fixture
def empty_database(server: EmbeddedServer) -> Iterator[str]:
    server.drop_database(NAME)
    server.create_database(NAME)
    yield server.url("tc_owner", NAME)
    server.drop_database(NAME)


def test_up_down_and_up_again(server: EmbeddedServer, empty_database: str) -> None:
    """A revision can be rolled back wholly and brought back."""
    migrate.upgrade(empty_database)
    migrate.downgrade(empty_database)

    with psycopg.connect(server.url("postgres", NAME)) as connection:
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


def test_policies_are_rewritten_up_and_down_and_hold_either_way(
    server: EmbeddedServer, empty_database: str
) -> None:
    """0017 changes how often a policy is reckoned, on every table, and not what it lets through."""
    texts = []
    for step, revision in (("up", "head"), ("down", "0016"), ("up", "head")):
        move = migrate.upgrade if step == "up" else migrate.downgrade
        move(empty_database, revision)
        texts.append(_policies(server))
        _expect_walls(server)

    assert [len(found) for found in texts] == [1, 1, 1]
    assert texts[0] == texts[2] != texts[1]


def test_hours_kept_for_their_expenses_alone_go_with_them(
    server: EmbeddedServer, empty_database: str
) -> None:
    """The release before 0022 knows none without minutes; all are read again on the way up."""
    migrate.upgrade(empty_database, "0022")
    with psycopg.connect(server.url("postgres", NAME)) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "INSERT INTO hours (link_id, entry_id, version, day, minutes, approved, held, expenses)"
            " SELECT %s, minutes::text, 1, now(), minutes, true, false, 9000"
            " FROM unnest(ARRAY[0, 60]) AS minutes",
            (UUID(int=1),),
        )
        connection.execute("INSERT INTO hours_marks VALUES (%s, now(), false)", (UUID(int=1),))
    migrate.downgrade(empty_database, "0021")

    with psycopg.connect(server.url("postgres", NAME)) as connection:
        left = connection.execute("SELECT minutes FROM hours").fetchall()
    migrate.upgrade(empty_database, "0022")
    with psycopg.connect(server.url("postgres", NAME)) as connection:
        marks = connection.execute("SELECT count(*) FROM hours_marks").fetchone()

    assert (left, marks) == ([(60,)], (0,))
    migrate.upgrade(empty_database)
    _expect_walls(server)


def _policies(server: EmbeddedServer) -> set[tuple[str, str]]:
    with psycopg.connect(server.url("postgres", NAME)) as connection:
        return set(connection.execute("SELECT qual, with_check FROM pg_policies").fetchall())


def _expect_walls(server: EmbeddedServer) -> None:
    """See and write a row under its own link only; under none while the setting was never set."""
    insert = "INSERT INTO refusals VALUES (%s, 'customer', '1', '1', 'a person', now())"
    count = "SELECT count(*) FROM refusals"
    ours, other = UUID(int=1), UUID(int=2)
    with psycopg.connect(server.url("tc_service", NAME)) as connection:
        for bound in ("", f"{other}", f"{other},{ours}"):
            if bound:
                connection.execute("SELECT set_config('app.link_ids', %s, true)", (bound,))
            if str(ours) in bound:
                connection.execute(insert, (ours,))
            else:
                with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                    connection.execute(insert, (ours,))
            assert connection.execute(count).fetchone() == (1 if str(ours) in bound else 0,)
        connection.execute("SELECT set_config('app.link_ids', %s, true)", (str(other),))
        assert connection.execute(count).fetchone() == (0,)
        connection.rollback()


def test_models_and_migrations_agree(server: EmbeddedServer, database_name: str) -> None:
    """Autogenerate finds nothing to do; what it does not see, `test_catalogue.py` compares."""
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

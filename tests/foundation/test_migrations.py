"""Migrations: up, down and up again; models and tables agree."""

from collections.abc import Iterator

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from app import migrate
from app.database import Base, sqlalchemy_url
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

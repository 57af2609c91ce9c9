"""Bring a database to a revision, as its owner; know every module that holds tables."""

import importlib
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import create_engine, pool, text

from app.database import sqlalchemy_url
from app.database_faults import DATABASE_FAULTS, say_fault
from app.shipped import shipped

TABLE_MODULES: Final = (
    "app.access.store",
    "app.changes.store",
    "app.first_sync.store",
    "app.idempotency",
    "app.invoicing.invariants.kept",
    "app.invoicing.ledger.corrections",
    "app.invoicing.unbilled.hours",
    "app.invoicing.store",
    "app.links.pairs",
    "app.links.store",
    "app.records.asked",
    "app.records.businesses",
    "app.records.store",
    "app.sync.store",
    "app.webhooks.store",
)

_LACKING: Final = "what an earlier revision made is not there; restore the database whole"


class NotMigrated(Exception):  # noqa: N818 - named by what happened
    """Say in one sentence why nothing was migrated: the database is away, or no such revision."""


def import_all_tables() -> None:
    """Import every module with tables, so that the metadata is complete."""
    for name in TABLE_MODULES:
        importlib.import_module(name)


def configuration(url: str) -> Config:
    """Give Alembic's configuration for a database, as its owner."""
    config = Config(str(shipped("alembic.ini")))
    config.attributes["url"] = url
    return config


def upgrade(url: str, revision: str = "head") -> str:
    """
    Migrate up to a revision and give where the database is; one that is further on stays there.

    Raises:
        NotMigrated: The database does not answer, refuses us or is held by others; or there is no
            such revision. What was migrated before stays.

    """
    try:
        command.upgrade(configuration(url), revision)
        return _revision_of(url)
    except DATABASE_FAULTS as err:
        told = say_fault(err, setting="TC_MIGRATION_URL", outdated=_LACKING)
        raise NotMigrated(f"not migrated: {told}") from err
    except CommandError as err:
        raise NotMigrated(f"not migrated: {err}") from err


def _revision_of(url: str) -> str:
    engine = create_engine(sqlalchemy_url(url), poolclass=pool.NullPool)
    with engine.connect() as connection:
        found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found or "base"


def downgrade(url: str, revision: str = "base") -> None:
    """Migrate down to a revision; tables and their rows are gone afterwards."""
    command.downgrade(configuration(url), revision)

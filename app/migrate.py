"""Bring a database to a revision, as its owner; know every module that holds tables."""

import importlib
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.exc import OperationalError

from app.shipped import shipped

TABLE_MODULES: Final = (
    "app.access.store",
    "app.changes.store",
    "app.first_sync.store",
    "app.idempotency",
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


def upgrade(url: str, revision: str = "head") -> None:
    """
    Migrate up to a revision; nothing happens when it is there already.

    Raises:
        NotMigrated: The database does not answer, refuses us or is held by others; or there is no
            such revision. What was migrated before stays.

    """
    try:
        command.upgrade(configuration(url), revision)
    except OperationalError as err:
        first, *_ = str(err.orig).strip().splitlines() or ["no answer"]
        raise NotMigrated(f"not migrated, the database says: {first}") from err
    except CommandError as err:
        raise NotMigrated(f"not migrated: {err}") from err


def downgrade(url: str, revision: str = "base") -> None:
    """Migrate down to a revision; tables and their rows are gone afterwards."""
    command.downgrade(configuration(url), revision)

"""Bring a database to a revision, as its owner; know every module that holds tables."""

import importlib
from typing import Final

from alembic import command
from alembic.config import Config

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
    """Migrate up to a revision; nothing happens when it is there already."""
    command.upgrade(configuration(url), revision)


def downgrade(url: str, revision: str = "base") -> None:
    """Migrate down to a revision; tables and their rows are gone afterwards."""
    command.downgrade(configuration(url), revision)

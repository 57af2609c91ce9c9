"""Run migrations as the owner.

A policy that would hide rows from a migration makes it fail loudly.
"""

from alembic import context
from sqlalchemy import create_engine, pool, text

from app.database import Base, sqlalchemy_url
from app.migrate import import_all_tables

import_all_tables()


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    """Leave the queue's own objects to the queue."""
    return not (kind == "table" and (name or "").startswith("procrastinate_"))


def run() -> None:
    """Migrate over the connection handed in, or over the URL of the configuration."""
    engine = create_engine(
        sqlalchemy_url(context.config.attributes["url"]), poolclass=pool.NullPool
    )
    with engine.connect() as connection:
        connection.execute(text("SET row_security = off"))
        connection.execute(text("SET lock_timeout = '5s'"))
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            include_name=include_name,
            compare_type=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()

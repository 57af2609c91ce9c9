"""Say in one sentence, with its remedy, why a database did not do what a command asked of it."""

from typing import Final

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

DATABASE_FAULTS: Final = (DBAPIError, PoolTimeout)
"""What SQLAlchemy raises where the database is away, or refuses."""

NOT_MIGRATED: Final = "database not migrated: run timerabbit-conta migrate"
"""What commands say of a database without tables, or with those of an older release."""

_AWAY: Final = ("08", "28", "3D", "57P")
"""How the codes of lost connections and refused log-ins begin; psycopg gives many none at all."""
_RIGHTS: Final = "42501"


def is_outdated(error: DBAPIError | PoolTimeout) -> bool:
    """Say whether a table, column or function was not there: `migrate` was forgotten."""
    missing = (
        psycopg.errors.UndefinedTable,
        psycopg.errors.UndefinedColumn,
        psycopg.errors.UndefinedFunction,
    )
    return isinstance(error, DBAPIError) and isinstance(error.orig, missing)


def say_fault(
    error: DBAPIError | PoolTimeout,
    *,
    setting: str = "TC_DATABASE_URL",
    outdated: str = NOT_MIGRATED,
) -> str:
    """
    Say what is wrong and what to do; no password, statement or parameter stands in it.

    Args:
        setting: The variable that names the database.
        outdated: What is said where a table, column or function was not there.

    """
    if not isinstance(error, DBAPIError):
        return f"the database gave no connection in time; look at its load, or correct {setting}"
    if is_outdated(error):
        return outdated
    origin = error.orig
    told, *_ = str(origin).strip().splitlines() or ["no answer"]
    state = getattr(origin, "sqlstate", None)
    if state == _RIGHTS:
        return f"the database says: {told}; {setting} needs a role as in docs/operating.md"
    if state is None or state.startswith(_AWAY):
        return f"the database is away: {told}; start it, or correct {setting}"
    return f"the database says: {told}; try again"

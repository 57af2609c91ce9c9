"""Find the database a process works on: the one its settings name, else the embedded server."""

import subprocess
from pathlib import Path
from typing import Final

import psycopg

from app.embedded import EmbeddedMissing, is_there, start_embedded
from app.settings import Settings, SettingsInvalid, load_settings

_NEEDED: Final = ("keyring", "issuers")


def complete_settings() -> Settings:
    """
    Read the settings of a service or worker, its database included.

    Raises:
        SettingsInvalid: One it needs is missing or wrong.

    """
    load_settings(required=_NEEDED)
    return find_database()


def find_database(*, found_only: bool = False) -> Settings:
    """
    Read the settings; without a database URL, start the embedded server and name it in them.

    Args:
        found_only: Refuse where there is no database yet; a question makes none.

    Raises:
        SettingsInvalid: One is wrong, or the embedded server cannot be had.

    """
    settings = load_settings()
    if settings.database_url is not None:
        return settings
    folder = settings.data_dir
    try:
        if found_only and not is_there(folder):
            raise SettingsInvalid(f"no database in {folder}; set TC_DATABASE_URL or TC_DATA_DIR")
        server = start_embedded(folder)
    except EmbeddedMissing as err:
        raise SettingsInvalid(str(err)) from err
    except OSError as err:
        raise SettingsInvalid(f"TC_DATA_DIR: {err.strerror or err}: {err.filename}") from err
    except psycopg.Error as err:
        said = str(err).partition("\n")[0]
        raise SettingsInvalid(
            f"TC_DATA_DIR: PostgreSQL runs in {folder}, but says: {said}"
        ) from err
    except subprocess.SubprocessError as err:
        raise SettingsInvalid(f"TC_DATA_DIR: PostgreSQL did not start; {_where(folder)}") from err
    return settings.model_copy(
        update={
            "database_url": server.service_url,
            "migration_url": settings.migration_url or server.owner_url,
        }
    )


def _where(folder: Path) -> str:
    """Say where a server tells why it did not start; before it has a log, it told it already."""
    log = folder / "postgres" / "log"
    return f"see {log}" if log.exists() else f"why stands above; is {folder} of another program?"

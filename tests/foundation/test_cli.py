"""What a person types wrong is answered in one sentence, with exit code 2 and no traceback."""

import csv
from pathlib import Path

import pytest

from app.cli import main

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

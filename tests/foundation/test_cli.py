"""What a person types wrong is answered in one sentence, with exit code 2 and no traceback."""

import csv
import re
from pathlib import Path

import pytest

from app.cli import main
from app.records.matching.registers import COLUMNS as READ
from app.records.matching.registers import KINDS

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
    other = tmp_path / "tabs.csv"
    other.write_text("\t".join(COLUMNS) + "\n" + "\t".join(ROW), encoding="utf-8")
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


def test_a_file_that_is_no_csv_is_named(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bytes that are no text of ours, and a cell as no spreadsheet saves."""
    strange = tmp_path / "strange.csv"
    strange.write_bytes(good.read_bytes() + b"\x81\x8d")
    vast = register(tmp_path / "vast.csv", COLUMNS, ("x" * 200_000, *ROW[1:]))
    out = tmp_path / "found.csv"

    neither = refused(capsys, "match", strange, good, "--out", out)
    assert "neither UTF-8 nor Windows-1252" in neither
    assert "no CSV" in refused(capsys, "match", good, vast, "--out", out)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_a_register_is_read_as_excel_writes_it(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], encoding: str
) -> None:
    """Semicolons, with or without a byte order mark or UTF-8, and its empty rows at the end."""
    excel, out = tmp_path / "excel.csv", tmp_path / "found.csv"
    rows = (COLUMNS, ROW, ("",) * len(COLUMNS), ("",) * len(COLUMNS))
    written = "\r\n".join(";".join(row) for row in rows)
    excel.write_bytes(written.encode(encoding))

    code = main(["match", str(excel), str(good), "--out", str(out)])

    told = capsys.readouterr()
    assert code == 0
    assert out.read_text(encoding="utf-8") == "timerabbit_id,conta_id,decision\n1,1,review\n"
    assert ("read as Windows-1252" in told.err) == (encoding == "cp1252")


def test_the_kind_is_read_in_both_languages_and_an_unknown_word_is_told_once(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the row a spreadsheet shows; an empty one is a fault of the record, not of the file."""
    words = ("BEDRIFT", "company", "Privat", " Private ", "Firma", "", "Firma", "Lag")
    rows = [(str(n), "", word, f"Navn {n}", *ROW[4:]) for n, word in enumerate(words)]
    mixed, invalid = register(tmp_path / "mixed.csv", COLUMNS, *rows), tmp_path / "invalid.csv"

    files = (str(mixed), str(good), "--out", str(tmp_path / "o.csv"), "--invalid", str(invalid))
    assert main(["match", *files]) == 0

    assert capsys.readouterr().err.splitlines() == [
        f"timerabbit-conta: {mixed}: row {row}: type «{word}» is none of bedrift, company, privat,"
        " private; taken as not set"
        for row, word in (("6 (and 1 more)", "Firma"), ("9", "Lag"))
    ]
    assert [line.split(",")[1] for line in invalid.read_text().splitlines()[1:]] == list("4567")


def test_two_rows_with_one_id_are_refused(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With their numbers as a spreadsheet shows them, a cell of two lines notwithstanding."""
    long = ("2", "", "", "Fjell\nog Sjø", *ROW[4:])
    twice = register(tmp_path / "twice.csv", COLUMNS, ROW, long, ROW)

    sentence = refused(capsys, "match", good, twice, "--out", tmp_path / "found.csv")

    assert sentence == f"{twice}: rows 2 and 4 have one id, «1»"


@pytest.mark.parametrize("option", ["--out", "--duplicates", "--invalid"])
@pytest.mark.parametrize("name", ["good.csv", "other.csv", "link.csv", "same.csv", "o.csv"])
def test_no_file_is_written_over_a_register_or_another_answer(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, name: str
) -> None:
    """By whatever name, also where the file is not there yet; nothing at all is written."""
    other = register(tmp_path / "other.csv", COLUMNS, ROW)
    (tmp_path / "link.csv").symlink_to(good)
    (tmp_path / "same.csv").hardlink_to(other)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    asked = {"--out": tmp_path / "o.csv", "--duplicates": tmp_path / "d.csv"}
    asked |= {option: tmp_path / "." / name}
    if name == "o.csv":
        asked |= {"--out": tmp_path / "o.csv", "--invalid": tmp_path / "o.csv"}

    sentence = refused(capsys, "match", good, other, *(w for pair in asked.items() for w in pair))

    assert "one file" in sentence if name == "o.csv" else f"{option} would overwrite" in sentence
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_answers_may_all_go_to_a_device(good: Path) -> None:
    """Who wants the counts only throws the rest away."""
    nowhere = ("--out", "/dev/null", "--duplicates", "/dev/null")

    assert main(["match", str(good), str(good), *nowhere]) == 0


def test_the_help_names_the_columns_and_the_words(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody needs the code to write a register or to read an answer."""
    with pytest.raises(SystemExit) as ended:
        main(["match", "--help"])

    told = set(re.findall(r"\w+", capsys.readouterr().out))
    assert ended.value.code == 0
    assert told >= {*READ, *KINDS, "contact_person", "match", "review", "new"}


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

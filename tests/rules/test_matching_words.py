"""What is said of a proposal, and the files the benchmark reads and writes."""

import csv
import json
import re
from pathlib import Path

import pytest

from app.canonical import Address, Customer, CustomerKind, RecordId
from app.records.matching import Fact, describe, explain, match
from app.records.matching.benchmark import faults, run
from app.records.matching.explain import LANGUAGES
from app.records.matching.facts import bit, facts_in
from app.records.matching.score import ordered, score, weights

HEAD = "id,customer_number,type,name,org_number,address,postal_code,city,email,phone,contact_person"
SILENT = {
    Fact.NUMBER_ONE_SIDE,
    Fact.NAME_PERSONAL,
    Fact.FULL_COMPANY_NAME,
    Fact.FORM_MISSING,
    Fact.LIMITED,
    Fact.DOMAIN_KNOWN,
    Fact.KIND_SAME,
    Fact.KIND_UNSET,
    Fact.BOTH_COMPANIES,
}


def proposal() -> Customer:
    return Customer(
        RecordId("1"),
        "Fjell Blikk AS",
        CustomerKind.COMPANY,
        organization_number="974760673",
        address=Address("Storgata 1", None, "0155", "Oslo"),
    )


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("nb", {"samme organisasjonsnummer", "navn likt bortsett fra AS", "samme postnummer"}),
        ("nn", {"same organisasjonsnummer", "namn likt bortsett frå AS", "same postnummer"}),
        ("en", {"same organization number", "name equal but for AS", "same postal code"}),
        ("fr", {"samme organisasjonsnummer", "navn likt bortsett fra AS", "samme postnummer"}),
    ],
)
def test_a_proposal_is_explained_in_three_languages(language: str, said: set[str]) -> None:
    """One line, the weightiest fact first; an unknown language gives bokmål."""
    other = Customer(
        RecordId("2"),
        "Fjell Blikk",
        CustomerKind.COMPANY,
        organization_number="974760673",
        address=Address("Storgata 1", None, "0155", "Oslo"),
    )
    found = match([proposal()], [other]).certain[0]

    assert said <= set(explain(found, language).split("; "))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_fact_a_reader_needs_has_words(language: str) -> None:
    """A fact is said in all three languages, or in none because it tells a reader nothing."""
    for fact in Fact:
        assert bool(describe([fact], language)) == (fact not in SILENT)


def test_each_fact_has_a_weight_and_its_own_bit() -> None:
    """No fact is forgotten in the table, and bits read back as the facts they stand for."""
    assert set(weights().single) == set(Fact)
    assert [list(facts_in(bit(fact))) for fact in Fact] == [[fact] for fact in Fact]
    assert ordered(bit(Fact.NUMBER_SAME, Fact.KIND_SAME))[0] is Fact.NUMBER_SAME


def test_meetings_of_facts_count_beside_the_facts() -> None:
    """What two facts together add is counted only when both hold."""
    one, other, extra = next(
        (one, other, extra)
        for one, met in weights().together.items()
        for other, extra in met
        if extra
    )

    alone = score(one) + score(other) - weights().start
    assert score(one | other) - alone == extra


def test_the_benchmark_reads_and_writes_its_files(tmp_path: Path) -> None:
    """Predictions, duplicates and invalid records come out in the benchmark's columns."""
    time, books = tmp_path / "t.csv", tmp_path / "c.csv"
    time.write_text(
        f"{HEAD}\n"
        "T1,1001,Bedrift,Fjell Blikk AS,974760673,,,,,,\n"
        "T2,1002,,Ola Hansen,,-,0001,OSLO,,,\n"
        "T3,1003,Privat,Kari Moe,97476067,Storgata 1,9999,OSLO,,,\n",
        encoding="utf-8",
    )
    books.write_text(
        f"{HEAD}\n"
        "C1,,Bedrift,FJELL BLIKK,974 760 673,Storgata 1,0155,OSLO,,,\n"
        "C2,,Bedrift,Fjell Blikk AS,974760673,Storgata 1,0155,OSLO,,,\n"
        "C3,,Bedrift,Nordre Gulv,,Storgata 9,155,OSLO,,,\n"
        "C4,,Privat,Ola Hansen,,Bryggen 1,5003,BERGEN,,,\n",
        encoding="utf-8",
    )
    out, doubles, invalid = (tmp_path / name for name in ("p.csv", "d.csv", "i.csv"))

    counted = run(time, books, out, duplicates=doubles, invalid=invalid)
    assert run(time, books, tmp_path / "only.csv") == counted
    assert str(counted).splitlines() == [
        "3 customers in Timerabbit and 4 in Conta",
        "certain        1  pairs, linked without asking",
        "asked          1  pairs, for a person to look at",
        "new        1 + 2  without a counterpart",
        "duplicates 0 + 1  pairs inside a side",
        "invalid    3 + 1  lack or break something the books demand",
    ]

    assert rows(out)[0] == ["timerabbit_id", "conta_id", "decision"]
    assert {row[2] for row in rows(out)[1:]} == {"match", "review", "new"}
    assert rows(out) == rows(tmp_path / "only.csv")
    assert rows(doubles) == [["side", "id_a", "id_b"], ["conta", "C1", "C2"]]
    assert rows(invalid)[1:] == [
        ["timerabbit", "T1", "no_address"],
        ["timerabbit", "T2", "no_type"],
        ["timerabbit", "T2", "no_address"],
        ["timerabbit", "T3", "bad_postal_code"],
        ["timerabbit", "T3", "bad_org_number"],
        ["conta", "C3", "bad_postal_code"],
    ]


def test_a_record_that_lacks_nothing_has_no_fault() -> None:
    """Only what hinders is named."""
    assert faults(proposal()) == []


def test_the_shipped_tables_name_their_source() -> None:
    """Lists made from others' data say whose."""
    words = Path(__file__).parents[2] / "app" / "records" / "matching" / "words"

    for path in words.glob("*.tsv"):
        assert path.read_text(encoding="utf-8").startswith("# ")
    for name in ("terms.json", "weights.json"):
        assert json.loads((words / name).read_text(encoding="utf-8"))["source"]


def rows(path: Path) -> list[list[str]]:
    """Read a CSV file's rows."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_the_notice_says_of_each_list_under_which_licence_it_came() -> None:
    """Also where none is known: who passes the list on must not take silence for leave."""
    root = Path(__file__).parents[2]
    told = (root / "NOTICE").read_text(encoding="utf-8").split("\n\n")

    for path in (root / "app").rglob("*.tsv"):
        (said,) = (part for part in told if part.startswith(str(path.relative_to(root))))
        assert re.search(r"\bCC BY|\bNLOD|\bno licence\b", said), path

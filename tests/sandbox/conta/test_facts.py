"""The published table of facts and the tests that hold the twin to them agree."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[2]
PAGE = TESTS.parent / "docs" / "twins.md"
ROW = re.compile(r"^\| (\d+(?:\.\d)?|Corrections) \| (.+) \| (.+) \|$", re.MULTILINE)
TEST = re.compile(r"def (test_\w+)\([^\"]*?\"\"\"(.*?)\"\"\"", re.DOTALL)
HEAD = re.compile(r"(?:Facts \d|Corrections)[^:]*:")  # "Facts 1, 2.3 and Corrections: …"
SECTIONS = {"1", "1.1", "1.2", "2", "3", "3.1", "3.2", "3.3", "3.4", "4", "5", "5.1", "5.2", "5.3",
            "5.4", "5.5", "5.6", "6", "7", "8", "9", "10", "11", "12", "13",
            "Corrections"}  # fmt: skip


def rows() -> list[tuple[str, str, str]]:
    return ROW.findall(PAGE.read_text(encoding="utf-8"))


def written_tests() -> dict[str, set[str]]:
    """Each test of the twins with the sections that the head of its docstring names."""
    texts = (path.read_text(encoding="utf-8") for path in (TESTS / "sandbox").rglob("test_*.py"))
    return {name: sections(said) for text in texts for name, said in TEST.findall(text)}


def sections(said: str) -> set[str]:
    head = HEAD.match(said)
    return set(re.findall(r"\d+(?:\.\d+)?|Corrections", head.group())) if head else set()


def test_each_fact_names_a_test_that_exists_or_says_why_there_is_none() -> None:
    """A renamed or deleted test cannot leave a fact without proof unnoticed."""
    known = set(written_tests())
    wrong = [
        fact
        for _, fact, proof in rows()
        if not set(re.findall(r"`(test_\w+)`", proof)) <= known
        or not re.match(r"`test_|none[^:]*: \w", proof)
    ]

    assert wrong == []


def test_each_test_of_the_table_names_the_section_of_its_fact() -> None:
    """Who reads the test finds the fact: its docstring begins with «Facts n» of its row."""
    known = written_tests()
    silent = [
        (section, name)
        for section, _, proof in rows()
        for name in re.findall(r"`(test_\w+)`", proof)
        if section not in known[name]
    ]

    assert silent == []


def test_each_section_that_a_test_names_has_a_row_in_the_table() -> None:
    """The table is whole: a test with «Facts n» in its docstring is one of its proofs."""
    page = PAGE.read_text(encoding="utf-8")
    naming = {name: named for name, named in written_tests().items() if named}

    assert sorted(name for name in naming if f"`{name}`" not in page) == []
    assert set().union(*naming.values()) <= SECTIONS


def test_each_section_of_the_facts_is_in_the_table() -> None:
    """No part of what is known of Conta is passed over in silence."""
    assert {section for section, _, _ in rows()} == SECTIONS

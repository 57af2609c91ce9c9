"""The published table of facts and the tests that hold the twin to them agree."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[2]
PAGE = TESTS.parent / "docs" / "twins.md"
ROW = re.compile(r"^\| (\d+(?:\.\d)?) \| (.+) \| (.+) \|$", re.MULTILINE)
SECTIONS = {"1", "1.1", "1.2", "2", "3", "3.2", "3.3", "3.4", "4", "5", "5.1", "5.2", "5.3",
            "5.4", "5.5", "5.6", "6", "7", "8", "9", "10", "12", "13"}  # fmt: skip


def rows() -> list[tuple[str, str, str]]:
    return ROW.findall(PAGE.read_text(encoding="utf-8"))


def written_tests() -> set[str]:
    texts = (path.read_text(encoding="utf-8") for path in (TESTS / "sandbox").rglob("test_*.py"))
    return {name for text in texts for name in re.findall(r"def (test_\w+)", text)}


def _proven(proof: str, known: set[str]) -> bool:
    if named := re.findall(r"`(test_\w+)`", proof):
        return set(named) <= known
    return re.match(r"none[^:]*: \w", proof) is not None


def test_each_fact_names_a_test_that_exists_or_says_why_there_is_none() -> None:
    """A renamed or deleted test cannot leave a fact without proof unnoticed."""
    known = written_tests()
    wrong = [fact for _, fact, proof in rows() if not _proven(proof, known)]

    assert wrong == []


def test_each_section_of_the_facts_is_in_the_table() -> None:
    """No part of what is known of Conta is passed over in silence."""
    assert {section for section, _, _ in rows()} == SECTIONS


def test_each_test_that_names_a_fact_is_in_the_table() -> None:
    """The table is whole: a test with «Facts n» in its docstring is one of its proofs."""
    texts = (path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    naming = {
        name
        for text in texts
        for name in re.findall(r"def (test_\w+)\([^\"]*?\"\"\"Facts \d", text)
    }
    page = PAGE.read_text(encoding="utf-8")

    assert sorted(name for name in naming if f"`{name}`" not in page) == []

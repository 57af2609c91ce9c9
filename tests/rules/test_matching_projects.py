"""Projects are matched inside linked customers only."""

from typing import Any

import pytest

from app.canonical import Project, RecordId
from app.records.matching import explain, match_projects

CUSTOMERS = {RecordId("t1"): RecordId("b1"), RecordId("t2"): RecordId("b2")}


def ours(name: str, **facts: Any) -> Project:
    facts = {"id": "1", "customer_id": "t1", **facts}
    return Project(name=name, **facts)


def theirs(name: str, **facts: Any) -> Project:
    facts = {"id": "1", "customer_id": "b1", **facts}
    return Project(name=name, **facts)


@pytest.mark.parametrize(
    ("one", "other", "rule"),
    [
        (ours("Nettside – fase 1"), theirs("NETTSIDE FASE 1"), "project-name"),
        (ours("Nettside", number="0012"), theirs("Netside", number="12"), "project-number"),
        (ours("Nettside", number="12"), theirs("Nettside 2026", number="12"), "project-number"),
    ],
)
def test_a_project_is_linked_by_its_name_or_by_its_number(
    one: Project, other: Project, rule: str
) -> None:
    """Equal name, or equal number with a name that is akin, inside a linked customer."""
    found = match_projects([one], [other], customers=CUSTOMERS)

    assert [p.rule for p in found.certain] == [rule]
    assert (found.asked, found.only_time, found.only_books) == ((), (), ())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ours("Nettside", number="1"), theirs("Taktekking", number="1")),
        (ours("Nettside", number="1"), theirs("Nettside", number="2")),
        (ours("Nettside", active=False), theirs("Nettside")),
        (ours("Nettside"), theirs("Netside")),
        (ours("Nettside"), theirs("Nettside Oslo")),
    ],
)
def test_a_doubtful_project_is_asked(one: Project, other: Project) -> None:
    """The same number under another name, or a contradiction, is for a person."""
    found = match_projects([one], [other], customers=CUSTOMERS)

    assert not found.certain
    assert [p.rule for p in found.asked] == ["project-in-doubt"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ours("Nettside"), theirs("Nettside", customer_id="b2")),
        (ours("Nettside", customer_id=None), theirs("Nettside")),
        (ours("Nettside", customer_id="t9"), theirs("Nettside", customer_id=None)),
        (ours("Trinn 1"), theirs("Trinn 2")),
        (ours("Tak"), theirs("Tap")),
    ],
)
def test_strangers_are_left_alone(one: Project, other: Project) -> None:
    """Another customer's project, or one numbered otherwise, is new to the other side."""
    found = match_projects([one], [other], customers=CUSTOMERS)

    assert (found.certain, found.asked) == ((), ())
    assert (found.only_time, found.only_books) == (("1",), ("1",))


def test_two_projects_of_one_name_are_asked() -> None:
    """Nobody can tell which of two equal ones is meant; both are shown."""
    found = match_projects(
        [ours("Drift")], [theirs("Drift"), theirs("DRIFT", id="2")], customers=CUSTOMERS
    )

    assert not found.certain
    assert [(p.books_id, p.rule) for p in found.asked] == [
        ("1", "project-rival"),
        ("2", "project-rival"),
    ]


def test_subprojects_tombstones_and_linked_ones_take_no_part() -> None:
    """They are neither linked nor reported; a refused pair is not asked again."""
    time = [ours("A", id="1"), ours("B", id="2", parent_id="1"), ours("C", id="3", gone=True)]
    books = [theirs("A", id="1"), theirs("D", id="4")]
    pair = (RecordId("1"), RecordId("1"))

    linked = match_projects(time, books, customers=CUSTOMERS, linked={pair})
    refused = match_projects(time, books, customers=CUSTOMERS, refused={pair})

    assert (linked.certain, linked.only_time, linked.only_books) == ((), (), ("4",))
    assert (refused.certain, refused.only_time, refused.only_books) == ((), ("1",), ("1", "4"))


def test_a_project_is_explained_in_words() -> None:
    """The facts of a project read like those of a customer."""
    found = match_projects(
        [ours("Nettside", number="7")], [theirs("Nettside", number="7")], customers=CUSTOMERS
    )

    assert explain(found.certain[0], "nn") == "same prosjektnummer; same namn"

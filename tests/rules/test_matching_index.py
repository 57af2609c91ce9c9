"""The indexes of one piece of work: made once, and never behind what the records say."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.canonical import Customer, RecordId
from app.records.matching import Index, Indexes
from app.records.matching import index as module
from app.records.matching.normalise import Card, read_card

names = st.sampled_from(["Bakken AS", "Bakken", "Fjell og Fjord ANS", "Kari Nordmann"])
customers = st.builds(
    Customer,
    id=st.integers(1, 6).map(lambda number: RecordId(str(number))),
    name=names,
    email=st.sampled_from([None, "post@bakken.no"]),
)
sides = st.lists(customers, max_size=6, unique_by=lambda one: one.id)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note each customer that is read."""
    seen: list[str] = []

    def noting(customer: Customer) -> Card:
        seen.append(customer.id)
        return read_card(customer)

    monkeypatch.setattr(module, "read_card", noting)
    return seen


@settings(deadline=None)
@given(st.lists(sides, max_size=6))
def test_an_index_is_always_what_a_new_one_would_be(turns: list[list[Customer]]) -> None:
    """Whatever changed, came or went between two askings, also what neighbours share."""
    indexes = Indexes()

    for side in turns:
        assert indexes.of("time", side) == Index.of(side)


def test_only_what_changed_is_read_again(read: list[str]) -> None:
    """A bite of fifty records reads five thousand customers once, not fifty times."""
    known = [Customer(RecordId(str(n)), f"Kunde {n} AS") for n in range(20)]
    indexes = Indexes()

    first = indexes.of("books", known)
    same = indexes.of("books", list(known))
    indexes.of("books", [*known[1:], Customer(RecordId("0"), "Ny AS")])

    assert same is first
    assert len(read) == 21


def test_threads_side_by_side_make_one_index(read: list[str]) -> None:
    """The records of a bite are matched in threads; the second waits for what the first makes."""
    known = [Customer(RecordId(str(n)), f"Kunde {n} AS") for n in range(200)]
    indexes = Indexes()

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: indexes.of("books", known), range(8)))

    assert len({id(index) for index in made}) == 1
    assert len(read) == 200

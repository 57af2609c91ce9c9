"""The base of a new pair lets the merge do the rest, whoever is right."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.canonical import (
    SYNCED_FIELDS,
    Address,
    Customer,
    CustomerKind,
    Project,
    RecordId,
    RecordKind,
    Side,
)
from app.records.agreement import SHOWN, base_after_create, content_print, start_base
from app.records.look_for import says_the_same
from app.records.shapes import from_json, kind_of, to_json
from app.sync.merge import as_agreed, plan_merge

texts = st.sampled_from([None, "a", "b", "c d"])
addresses = st.builds(Address, line1=texts, line2=texts, postal_code=texts, city=texts)
customers = st.builds(
    Customer,
    id=st.just(RecordId("1")),
    name=st.sampled_from(["Bakken AS", "Lia AS"]),
    kind=st.sampled_from([None, *CustomerKind]),
    organization_number=texts,
    email=texts,
    phone=texts,
    address=addresses,
    active=st.booleans(),
    mark=texts,
)
projects = st.builds(
    Project,
    id=st.just(RecordId("1")),
    name=st.sampled_from(["Tilbygg", "Garasje"]),
    customer_id=st.sampled_from([None, RecordId("7")]),
    active=st.booleans(),
    start=st.one_of(st.none(), st.dates()),
    end=st.one_of(st.none(), st.dates()),
)
fields = st.fixed_dictionaries(dict.fromkeys(SYNCED_FIELDS[RecordKind.CUSTOMER], texts))
winners = st.dictionaries(
    st.sampled_from(SYNCED_FIELDS[RecordKind.CUSTOMER]), st.sampled_from(list(Side))
)


@given(fields, fields, winners)
def test_a_new_pair_merges_to_what_was_chosen(
    time: dict[str, Any], books: dict[str, Any], chosen: dict[str, Side]
) -> None:
    """A chosen side's value is written to the other, a blank is filled, the rest is a conflict."""
    plan = plan_merge(start_base(time, books, winners=chosen), time, books)

    said = {Side.TIME: {**time, **plan.to_time}, Side.BOOKS: {**books, **plan.to_books}}
    conflicts = {conflict.field for conflict in plan.conflicts}
    for name, value in time.items():
        if value == books[name]:
            assert name not in plan.to_time.keys() | plan.to_books.keys() | conflicts
        elif name in chosen:
            expected = value if chosen[name] is Side.TIME else books[name]
            assert said[Side.TIME][name] == said[Side.BOOKS][name] == expected
        elif None in (value, books[name]):
            assert said[Side.TIME][name] == said[Side.BOOKS][name] is not None
        else:
            assert name in conflicts


@given(fields, fields, st.sampled_from(list(Side)))
def test_the_look_after_a_create_writes_nothing(
    sent: dict[str, Any], came: dict[str, Any], target: Side
) -> None:
    """Whatever the target makes of what was sent, the next merge has nothing to do."""
    base = base_after_create(sent, came, target)
    shown = base.pop(SHOWN, {}).get(target.value, {})

    seen, _ = as_agreed(came, base=base, shown=shown)

    plan = plan_merge(base, sent, seen)
    assert (plan.to_time, plan.to_books, plan.conflicts) == ({}, {}, ())


@given(st.one_of(customers, projects))
def test_a_record_is_read_back_as_it_was_written(record: Customer | Project) -> None:
    """JSON loses nothing of a record."""
    assert from_json(kind_of(record), to_json(record)) == record


@given(customers)
def test_our_mark_changes_no_print(customer: Customer) -> None:
    """Writing the mark makes no record look changed; changing what it says does."""
    assert content_print(replace(customer, mark="10001")) == content_print(customer)
    assert content_print(replace(customer, name="Noe Annet")) != content_print(customer)


@given(projects)
def test_a_project_that_moves_to_another_customer_changes_its_print(project: Project) -> None:
    """The print holds the customer's id of that side: no pair is needed to tell a move."""
    moved = replace(project, customer_id=RecordId("8"))

    assert content_print(moved) != content_print(project)
    assert content_print(replace(moved)) == content_print(moved)


@given(customers)
def test_a_record_says_the_same_as_itself_however_it_is_spelt(customer: Customer) -> None:
    """Case, blanks and a country code are spelling; another name is not."""
    spelt = replace(customer, name=f" {customer.name.upper()} ", mark=None)

    assert says_the_same(customer, spelt)
    assert not says_the_same(customer, replace(spelt, name="Noe Annet"))

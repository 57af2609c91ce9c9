"""Laws of the three-way merge."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.canonical import Side
from app.sync.merge import Decision, Plan, Policy, as_agreed, plan_merge

NAMES = ("name", "email", "phone", "address")
values = st.one_of(st.none(), st.sampled_from(["a", "b", "c"]), st.booleans())
whole = st.fixed_dictionaries(dict.fromkeys(NAMES, values))
partial = st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, values))
policies = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(Policy))
MIRRORED = {Policy.TIME: Policy.BOOKS, Policy.BOOKS: Policy.TIME, Policy.ASK: Policy.ASK}


def _carry_out(plan: Plan, time: dict[str, Any], books: dict[str, Any]) -> tuple[Any, Any]:
    return time | dict(plan.to_time), books | dict(plan.to_books)


@given(base=partial, time=whole, books=whole, policy=policies)
def test_a_plan_carried_out_leaves_nothing_to_write(
    base: dict[str, Any], time: dict[str, Any], books: dict[str, Any], policy: dict[str, Policy]
) -> None:
    """Planning again after carrying out writes nothing, and the same conflicts stay open."""
    first = plan_merge(base, time, books, policies=policy)

    second = plan_merge(first.new_base, *_carry_out(first, time, books), policies=policy)

    assert (second.to_time, second.to_books, second.losses) == ({}, {}, ())
    assert second.conflicts == first.conflicts
    assert second.new_base == first.new_base


@given(base=partial, time=whole, books=whole, policy=policies)
def test_swapping_sides_mirrors_the_plan(
    base: dict[str, Any], time: dict[str, Any], books: dict[str, Any], policy: dict[str, Policy]
) -> None:
    """Neither side is privileged but by policy."""
    plan = plan_merge(base, time, books, policies=policy)

    mirrored = plan_merge(
        base, books, time, policies={name: MIRRORED[p] for name, p in policy.items()}
    )

    assert mirrored.to_time == plan.to_books
    assert mirrored.to_books == plan.to_time
    assert mirrored.new_base == plan.new_base
    assert [(c.field, c.books, c.time) for c in mirrored.conflicts] == [
        (c.field, c.time, c.books) for c in plan.conflicts
    ]


@given(base=whole, time=whole, books=whole, policy=policies)
def test_an_untouched_field_is_never_written(
    base: dict[str, Any], time: dict[str, Any], books: dict[str, Any], policy: dict[str, Policy]
) -> None:
    """What both sides still say as agreed stands in no write, conflict or loss."""
    plan = plan_merge(base, time, books, policies=policy)

    untouched = {name for name in NAMES if time[name] == books[name] == base[name]}
    touched = {*plan.to_time, *plan.to_books, *(c.field for c in plan.conflicts)}
    assert not untouched & touched
    assert not untouched & {loss.field for loss in plan.losses}


@given(base=partial, time=whole, policy=policies)
def test_both_changed_alike_is_no_conflict(
    base: dict[str, Any], time: dict[str, Any], policy: dict[str, Policy]
) -> None:
    """Equal sides are the new base, whatever the base was."""
    plan = plan_merge(base, time, dict(time), policies=policy)

    assert plan == Plan(new_base=base | time)


@given(base=partial, time=whole, books=whole, policy=policies)
def test_no_value_is_lost_silently(
    base: dict[str, Any], time: dict[str, Any], books: dict[str, Any], policy: dict[str, Policy]
) -> None:
    """A changed value stays, spreads, waits in a conflict, or is kept among the losses."""
    plan = plan_merge(base, time, books, policies=policy)
    after_time, after_books = _carry_out(plan, time, books)

    asked = {c.field for c in plan.conflicts}
    lost = {(loss.field, loss.side) for loss in plan.losses}
    for side, before, after in ((Side.TIME, time, after_time), (Side.BOOKS, books, after_books)):
        for name in NAMES:
            overwritten = before[name] != after[name]
            was_agreed = before[name] is None or (name in base and before[name] == base[name])
            assert not overwritten or was_agreed or (name, side) in lost
            assert not (overwritten and name in asked)


@given(base=partial, time=whole, books=whole, value=values)
def test_a_decision_makes_both_sides_equal(
    base: dict[str, Any], time: dict[str, Any], books: dict[str, Any], value: Any
) -> None:
    """What a person decided counts while both sides say what they said."""
    first = plan_merge(base, time, books)
    decisions = {c.field: Decision(c.time, c.books, value) for c in first.conflicts}

    plan = plan_merge(base, time, books, decisions=decisions)

    assert plan.conflicts == ()
    assert _carry_out(plan, time, books)[0] == _carry_out(plan, time, books)[1]


def test_a_decision_about_old_values_does_not_count() -> None:
    """When a side changed after the question was put, the question is put again."""
    decision = Decision(time="a", books="b", value="a")

    plan = plan_merge({"name": "x"}, {"name": "c"}, {"name": "b"}, decisions={"name": decision})

    assert [(c.time, c.books) for c in plan.conflicts] == [("c", "b")]


def test_edits_to_different_fields_both_live() -> None:
    """A new phone here and a new e-mail there end on both sides."""
    base = {"phone": "1", "email": "a@b.no"}

    plan = plan_merge(base, base | {"phone": "2"}, base | {"email": "c@d.no"})

    assert (plan.to_books, plan.to_time) == ({"phone": "2"}, {"email": "c@d.no"})
    assert plan.conflicts == ()


def test_a_cleared_field_is_a_change() -> None:
    """``None`` is a value: clearing spreads like any other edit."""
    plan = plan_merge({"phone": "1"}, {"phone": None}, {"phone": "1"})

    assert plan.to_books == {"phone": None}


@given(base=partial, time=whole, books=whole, shown=partial)
def test_a_systems_own_spelling_of_an_agreed_value_is_no_change(
    base: dict[str, Any], time: dict[str, Any], books: dict[str, Any], shown: dict[str, Any]
) -> None:
    """What a side showed after our write counts as written, until it says something new."""
    seen, still = as_agreed(books, base=base, shown=shown)

    for name in NAMES:
        spelled = name in base and name in shown and books[name] == shown[name]
        assert seen[name] == (base[name] if spelled else books[name])
        assert (name in still) == (spelled and shown[name] != base[name])


@given(base=partial, time=whole, books=whole, held=st.sets(st.sampled_from(NAMES)))
def test_a_field_held_back_stays_as_it_was_agreed(
    base: dict[str, Any], time: dict[str, Any], books: dict[str, Any], held: set[str]
) -> None:
    """A write left out is planned again next time, and no other write is touched."""
    plan = plan_merge(base, time, books)

    without = plan.without(Side.BOOKS, held, base=base)
    again = plan_merge(without.new_base, time | dict(without.to_time), books)

    assert set(without.to_books) == set(plan.to_books) - held
    for name in held & set(plan.to_books):
        assert again.to_books[name] == plan.to_books[name]


def test_a_blank_that_was_never_agreed_on_is_filled() -> None:
    """Where nothing was agreed and one side is blank there is no question to ask."""
    plan = plan_merge({}, {"phone": "1", "email": None}, {"phone": None, "email": "a@b.no"})

    assert (plan.to_books, plan.to_time) == ({"phone": "1"}, {"email": "a@b.no"})
    assert plan.conflicts == ()


@pytest.mark.parametrize("base", [{}, {"phone": "33 33 33 33"}])
def test_nobody_is_asked_about_spelling(base: dict[str, Any]) -> None:
    """Both keep theirs, and the next look finds nothing to do."""
    time, books = {"phone": "22113344"}, {"phone": "+47 22 11 33 44"}
    plan = plan_merge(base, time, books)

    assert (plan.to_time, plan.to_books, plan.conflicts, plan.losses) == ({}, {}, (), ())
    seen = {
        side: as_agreed(said, base=plan.new_base, shown=plan.spelled.get(side, {}))[0]
        for side, said in ((Side.TIME, time), (Side.BOOKS, books))
    }
    again = plan_merge(plan.new_base, seen[Side.TIME], seen[Side.BOOKS])
    assert (again.to_time, again.to_books, again.conflicts) == ({}, {}, ())
    assert again.new_base == plan.new_base
    mirrored = plan_merge(base, books, time)
    assert mirrored.new_base == plan.new_base
    assert mirrored.spelled.get(Side.TIME) == plan.spelled.get(Side.BOOKS)


def test_a_number_spelled_alike_is_written_once_it_changes() -> None:
    """A real change goes over as ever, from the side that keeps a spelling of its own."""
    plan = plan_merge({}, {"phone": "22113344"}, {"phone": "+47 22 11 33 44"})
    later = plan_merge(plan.new_base, {"phone": plan.new_base["phone"]}, {"phone": "99887766"})

    assert later.to_time == {"phone": "99887766"}


def test_capitals_do_not_become_the_agreed_name() -> None:
    """Where one side shouts, the pair shows what the other one says."""
    plan = plan_merge({}, {"name": "Bergen Sjømat AS"}, {"name": "BERGEN SJØMAT AS"})

    assert plan.new_base == {"name": "Bergen Sjømat AS"}
    assert plan.spelled == {Side.BOOKS: {"name": "BERGEN SJØMAT AS"}}


def test_a_policy_settles_spelling_too() -> None:
    """Who names a side that wins wants its spelling."""
    plan = plan_merge({}, {"name": "Dahl AS"}, {"name": "DAHL AS"}, policies={"name": Policy.TIME})

    assert plan.to_books == {"name": "Dahl AS"}

"""The laws of the matching, on made-up registers full of look-alikes."""

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.canonical import Address, Customer, CustomerKind, RecordId, Side
from app.records.matching import Fact, Index, Matching, Proposal, match, match_one
from app.records.matching.compare import compare, compare_likely
from app.records.matching.decide import Verdict, decide
from app.records.matching.facts import bit
from app.records.matching.normalise import read_card

NAMES = (
    "Ola Hansen",
    "Hansen, Ola",
    "Olav Hansen",
    "Ola og Kari Hansen",
    "Ola Berg Hansen",
    "Oal Hansen",
    "Ola Hansen AS",
    "Fjell Blikk AS",
    "Fjell Blikk",
    "FJELLBLIKK A/S",
    "Fjel Blikk AS",
    "Fjell Blikk Oslo AS",
    "Fjell Blikk avd. Bergen",
    "Fjell Blikk II AS",
    "Nye Fjell Blikk AS",
    "Blikk & Fasade AS",
    "Moe Transport AS",
    "Mo Transport AS",
    "Torvald Grimsrud",
    "-",
)
NUMBERS = (None, "974760673", "NO 974 760 673 MVA", "988077917", "97476067", "974760674")
MAILS = (None, "post@fjellblikk.example", "ola.hansen.1@gmail.com", "faktura@fjellblikk.example")
PHONES = (None, "41 00 00 01", "+47 410 00 002")
ADDRESSES = (
    Address(),
    Address("Storgata 12", None, "0155", "Oslo"),
    Address("Storgt. 12 B", None, "0155", "OSLO"),
    Address("Storgata", None, "0155", "Oslo"),
    Address("Bryggen 4", None, "5003", "Bergen"),
    Address("Postboks 7", None, "0101", "Oslo"),
    Address("Ukjent", None, "0001", "-"),
)

customers = st.builds(
    Customer,
    id=st.just(RecordId("")),
    name=st.sampled_from(NAMES),
    kind=st.sampled_from((None, *CustomerKind)),
    organization_number=st.sampled_from(NUMBERS),
    email=st.sampled_from(MAILS),
    phone=st.sampled_from(PHONES),
    address=st.sampled_from(ADDRESSES),
    active=st.sampled_from((True, True, True, False)),
    gone=st.sampled_from((False, False, False, False, True)),
)


def numbered(drawn: list[Customer]) -> list[Customer]:
    """Give ids; both sides use the same ones, as two systems may."""
    return [
        Customer(**{name: getattr(one, name) for name in Customer.__slots__} | {"id": str(at)})
        for at, one in enumerate(drawn)
    ]


registers = st.lists(customers, max_size=9).map(numbered)
lawful = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def mirrored(found: Matching) -> Matching:
    """Swap the sides of an answer."""

    def swapped(proposals: tuple[Proposal, ...]) -> tuple[Proposal, ...]:
        turned = [
            Proposal(p.books_id, p.time_id, p.certain, p.rule, p.facts, p.score) for p in proposals
        ]
        return tuple(sorted(turned, key=lambda p: (-p.score, p.time_id, p.books_id)))

    doubles = [
        type(d)(d.side.other, d.first_id, d.second_id, d.rule, d.facts, d.score)
        for d in found.duplicates
    ]
    return Matching(
        certain=swapped(found.certain),
        asked=swapped(found.asked),
        only_time=found.only_books,
        only_books=found.only_time,
        duplicates=tuple(sorted(doubles, key=lambda d: d.side is Side.BOOKS)),
    )


@lawful
@given(time=registers, books=registers, chance=st.randoms())
def test_the_order_of_the_lists_does_not_matter(
    time: list[Customer], books: list[Customer], chance: Random
) -> None:
    """Any order of the records gives the same answer."""
    first = match(time, books)
    chance.shuffle(time)
    chance.shuffle(books)

    assert match(time, books) == first


@lawful
@given(time=registers, books=registers)
def test_swapping_the_sides_mirrors_the_answer(time: list[Customer], books: list[Customer]) -> None:
    """What is found does not depend on which side is called first."""
    assert match(books, time) == mirrored(match(time, books))


@lawful
@given(time=registers, books=registers)
def test_a_record_is_in_at_most_one_certain_pair(
    time: list[Customer], books: list[Customer]
) -> None:
    """Certain pairs share no record."""
    found = match(time, books)

    assert len({p.time_id for p in found.certain}) == len(found.certain)
    assert len({p.books_id for p in found.certain}) == len(found.certain)


@lawful
@given(time=registers, books=registers)
def test_every_record_is_reported_once(time: list[Customer], books: list[Customer]) -> None:
    """Each living record is certain, asked or alone, and never two of them."""
    found = match(time, books)

    for side, alone in (("time_id", found.only_time), ("books_id", found.only_books)):
        certain = {getattr(p, side) for p in found.certain}
        asked = {getattr(p, side) for p in found.asked}
        living = {c.id for c in (time if side == "time_id" else books) if not c.gone}
        assert certain | asked | set(alone) == living
        assert not certain & asked
        assert not (certain | asked) & set(alone)
        assert len(alone) == len(set(alone))


@lawful
@given(time=registers, books=registers)
def test_a_record_is_asked_about_twice_at_most(time: list[Customer], books: list[Customer]) -> None:
    """Two questions a record at most, on either side."""
    asked = match(time, books).asked

    for ids in ([p.time_id for p in asked], [p.books_id for p in asked]):
        assert max(map(ids.count, ids), default=0) <= 2


@lawful
@given(time=registers, books=registers)
def test_what_was_refused_or_linked_is_not_proposed_again(
    time: list[Customer], books: list[Customer]
) -> None:
    """A no and a yes are remembered: neither pair comes back, and linked records are left alone."""
    first = match(time, books)
    pairs = [(p.time_id, p.books_id) for p in (*first.certain, *first.asked)]
    refused, linked = frozenset(pairs[::2]), frozenset(pairs[1:2])

    again = match(time, books, refused=refused, linked=linked)

    proposed = {(p.time_id, p.books_id) for p in (*again.certain, *again.asked)}
    assert not proposed & refused
    for time_id, books_id in linked:
        assert time_id not in {one for one, _ in proposed} | set(again.only_time)
        assert books_id not in {other for _, other in proposed} | set(again.only_books)


@lawful
@given(time=registers, books=registers)
def test_one_record_alone_is_judged_by_the_same_rules(
    time: list[Customer], books: list[Customer]
) -> None:
    """What one record's look-up calls certain, the whole matching without its siblings does too."""
    index = Index.of(books)

    for record in [one for one in time if not one.gone]:
        found = match_one(record, Side.TIME, index)
        whole = match([record], books)
        certain = [(p.time_id, p.books_id, p.rule) for p in whole.certain]
        mine = [found.certain] if found.certain else []
        assert all((p.time_id, p.books_id, p.rule) in certain for p in mine)
        assert found.nothing == (not found.certain and not found.asked)


@lawful
@given(drawn=st.lists(customers, min_size=2, max_size=2).map(numbered))
def test_what_is_not_compared_to_the_end_links_nothing(drawn: list[Customer]) -> None:
    """Facts are spared only where names are unlike, no number agrees and nobody must be asked."""
    one, other = map(read_card, drawn)
    whole = compare(one, other)

    if not compare_likely(one, other):
        decision = decide(whole)
        assert decision.verdict is not Verdict.LINK
        assert not decision.duty
        assert whole & bit(Fact.NAME_PARTLY, Fact.NAME_OTHER)
    else:
        assert compare_likely(one, other) == whole

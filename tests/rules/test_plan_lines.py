"""A plan that is made again keeps a person's answers, or asks again; it writes nothing unasked."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.canonical import Address, Customer, RecordId, RecordKind, Side
from app.first_sync.plan.categories import Category
from app.first_sync.plan.deeds import Deed, deed_of, partner_of
from app.first_sync.plan.kept import keep_answers, woken
from app.first_sync.plan.propose import Line
from app.first_sync.plan.words import fold, sought, words_of


def line(side: Side, id_: str, **more: object) -> Line:
    made = Line(RecordKind.CUSTOMER, Category.LIKELY, side, RecordId(id_), "Kunde AS", "print-1")
    return replace(made, **more)  # type: ignore[arg-type] # the test's own facts of a line


def candidate(id_: str) -> dict[str, object]:
    return {"id": id_, "rule": "number-and-name", "facts": [], "score": 60}


LINKED = line(
    Side.TIME, "t1", answer="link", partner_id="b1", answered_by="kari", proposal_id=UUID(int=1)
)
PARTNER = line(Side.BOOKS, "b1", proposal_id=UUID(int=2))
FRESH = [line(Side.TIME, "t1"), line(Side.BOOKS, "b1")]


def test_an_answer_lives_on_while_both_records_say_the_same() -> None:
    """So do the line's id and, where it shows nothing new, its version."""
    first, _ = keep_answers(FRESH, {one.key: one for one in (LINKED, PARTNER)})

    assert (first.answer, first.partner_id, first.answered_by) == ("link", "b1", "kari")
    assert (first.proposal_id, first.version) == (LINKED.proposal_id, 1)


def test_a_link_is_asked_again_when_either_record_changed_or_the_partner_is_gone() -> None:
    """What a person judged is not there any more; who is there still is named."""
    old = {one.key: one for one in (LINKED, PARTNER)}
    changed = [replace(FRESH[0], print="print-2"), FRESH[1]]
    partner_changed = [FRESH[0], replace(FRESH[1], print="print-2")]

    for lines, named in ((changed, ["b1"]), (partner_changed, ["b1"]), (FRESH[:1], [])):
        asked = keep_answers(lines, old)
        assert asked[0].answer is None
        assert [one["id"] for one in asked[0].candidates] == named
        assert {one.category for one in asked} == {Category.ASKED_AGAIN}
    assert keep_answers(changed, old)[0].version == 2


def test_a_record_is_linked_once_however_often_it_was_answered() -> None:
    """The first answer takes the partner; the second is asked again, without it."""
    second = replace(LINKED, anchor_id=RecordId("t2"))
    lines = [*FRESH, line(Side.TIME, "t2")]

    kept = keep_answers(lines, {one.key: one for one in (LINKED, PARTNER, second)})

    assert [one.answer for one in kept] == ["link", None, None]
    assert (kept[2].category, kept[2].candidates) == (Category.ASKED_AGAIN, ())


def test_what_was_not_asked_about_a_partner_is_kept_by_itself() -> None:
    """Leaving out needs no other record and no print; a new record has no answer."""
    left_out = replace(LINKED, answer="leave_out", partner_id=None, print="print-0")

    first, other = keep_answers(FRESH, {left_out.key: left_out})

    assert (first.answer, other.answer, other.proposal_id) == ("leave_out", None, None)


def test_what_a_left_out_line_took_along_is_asked_when_it_is_named_no_more() -> None:
    """Nobody said that it may be created."""
    left_out = line(Side.TIME, "t1", answer="leave_out", candidates=(candidate("b1"),))
    alone = [line(Side.TIME, "t1"), line(Side.BOOKS, "b1", category=Category.ONLY_BOOKS)]

    _, freed = keep_answers(alone, {left_out.key: left_out, PARTNER.key: PARTNER})

    assert freed.category is Category.ASKED_AGAIN


ANSWERS = (None, "link", "create", "leave_out")
TIMES, BOOKS = ("t1", "t2", "t3"), ("b1", "b2", "b3")


def test_projects_that_rested_speak_again_as_they_did() -> None:
    """Put to sleep for want of the right to them; what slept for its partner's sake sleeps on."""
    time = line(Side.TIME, "p1", kind=RecordKind.PROJECT, dormant=True)
    said = line(Side.BOOKS, "q1", kind=RecordKind.PROJECT, dormant=True, answer="create")
    silent = replace(said, answer=None)
    customer = line(Side.BOOKS, "b1", dormant=True, answer="create")

    rested = woken([time, said, silent, customer])
    never = woken([replace(time, dormant=False), said])

    assert [one.dormant for one in rested] == [False, False, True, True]
    assert [one.dormant for one in never] == [False, True]


@st.composite
def plans(draw: st.DrawFn) -> list[Line]:
    """Give lines as a matching draws them: of some records, each the partner of one at most."""
    lines: list[Line] = []
    wanted: set[str] = set()
    certain = set(BOOKS)
    for one in draw(st.lists(st.sampled_from(TIMES), unique=True)):
        category = draw(st.sampled_from([Category.CERTAIN, Category.AMBIGUOUS, Category.ONLY_TIME]))
        free = sorted(certain)
        if category is Category.CERTAIN and not free:
            category = Category.ONLY_TIME
        named: list[str] = []
        if category is Category.CERTAIN:
            named = [draw(st.sampled_from(free))]
            certain -= set(named)
        elif category is Category.AMBIGUOUS:
            named = draw(st.lists(st.sampled_from(BOOKS), min_size=1, max_size=2, unique=True))
        wanted |= set(named)
        lines.append(drawn(draw, Side.TIME, one, category, [candidate(to) for to in named]))
    theirs = wanted | set(draw(st.lists(st.sampled_from(BOOKS))))
    for one in sorted(theirs):
        made = drawn(draw, Side.BOOKS, one, Category.ONLY_BOOKS, [])
        lines.append(replace(made, dormant=one in wanted))
    return lines


def drawn(
    draw: st.DrawFn, side: Side, id_: str, category: Category, named: list[dict[str, object]]
) -> Line:
    said = draw(st.sampled_from(["print-1", "print-2"]))
    return line(side, id_, category=category, candidates=tuple(named), print=said)


@st.composite
def reviewed(draw: st.DrawFn) -> list[Line]:
    """Give lines with a person's answers, no record linked twice."""
    lines, free = draw(plans()), set(BOOKS)
    free -= {str(partner_of(one)) for one in lines}
    answered: list[Line] = []
    for one in lines:
        answer = draw(st.sampled_from(ANSWERS))
        if answer == "link" and (one.anchor_side is Side.BOOKS or not free):
            answer = None
        partner = draw(st.sampled_from(sorted(free))) if answer == "link" else None
        free -= {str(partner)}
        answered.append(replace(one, answer=answer, partner_id=partner, proposal_id=UUID(int=1)))
    return answered


@given(reviewed(), plans())
def test_no_answer_that_is_dropped_turns_into_a_write_by_itself(
    old: list[Line], drawn_anew: list[Line]
) -> None:
    """
    Whose answer is lost is asked, and so is the partner of a lost link; a kept one is as it was.

    Nothing links by itself to a record whose own line, awake, was answered.
    """
    before = {one.key: one for one in old}
    there = {one.key for one in drawn_anew}
    spoken = {
        one.anchor_id
        for one in old
        if one.answer and one.anchor_side is Side.BOOKS and not one.dormant
    }

    kept = keep_answers(drawn_anew, before)

    by_key = {one.key: one for one in kept}
    assert by_key.keys() == there
    for key, then in before.items():
        now = by_key.get(key)
        lost = then.answer is not None and (now is None or now.answer is None)
        partner = partner_of(then)
        halves = {key} | ({(then.kind, Side.BOOKS, RecordId(partner))} if partner else set())
        gone = not halves <= there and (then.answer is None or lost)
        asked = halves if (lost or gone) and then.answer != "leave_out" else set()
        for half in asked & there:
            assert by_key[half].answer or deed_of(by_key[half], ready=True) is Deed.ASK
        assert now is None or now.answer in (None, then.answer)
        assert now is None or then.answer != "leave_out" or now.answer == "leave_out"
    for one in kept:
        assert one.answer or partner_of(one) not in spoken
    given_to = [one.partner_id for one in kept if one.answer == "link"]
    assert len(given_to) == len(set(given_to))


@given(reviewed(), plans())
def test_what_is_asked_again_stays_asked_over_further_readings(
    old: list[Line], drawn_anew: list[Line]
) -> None:
    """Reading once more without news changes no line."""
    once = keep_answers(drawn_anew, {one.key: one for one in old})

    twice = keep_answers(drawn_anew, {one.key: one for one in once})

    assert [replace(one, words="") for one in twice] == [replace(one, words="") for one in once]


@given(reviewed(), plans())
def test_a_create_covers_only_whom_somebody_was_shown(
    old: list[Line], drawn_anew: list[Line]
) -> None:
    """A record that is shown beside it for the first time makes it a question."""
    before = {one.key: one for one in old}

    kept = keep_answers(drawn_anew, before)

    for one in kept:
        if one.answer == "create":
            assert beside(one, drawn_anew) <= beside(one, old)
            assert one.print == before[one.key].print


def beside(one: Line, lines: list[Line]) -> set[str]:
    """Name the records that are shown with one, in its own line or as whose candidate it is."""
    named = {
        other.anchor_id
        for other in lines
        if other.anchor_side is not one.anchor_side
        and one.anchor_id in [found["id"] for found in other.candidates]
    }
    return named | {
        str(found["id"]) for other in lines if other.key == one.key for found in other.candidates
    }


def test_norwegian_letters_stay_apart_and_signs_of_patterns_are_only_signs() -> None:
    """Accents and width fold, å does not; a per cent sign finds a per cent sign."""
    assert fold("ÅSE Café") == "åse cafe"
    assert sought("100% a_b") == ["%100\\%%", "%a\\_b%"]
    assert sought("860 001 381") == ["%860001381%"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("12 0150", True),
        ("0150 10017", True),
        ("0150 12", True),
        ("22 00 00 17", True),
        ("860 001 381", True),
        ("860001 381", True),
        ("47 22 00 00 17", True),
        ("860 001", True),
        ("0150 22000017", True),
        ("12 0151", False),
        ("22 17 00 00", False),
    ],
)
def test_digits_are_found_as_a_number_or_as_words(typed: str, found: bool) -> None:
    """A number may be typed with blanks inside; a house and a postal code are two words."""
    customer = Customer(
        RecordId("c"), "Bakken AS", None, "860001381", None, "+47 22 00 00 17",
        Address("Storgata 12", None, "0150", "Oslo"), number="10017",
    )  # fmt: skip
    stored = words_of(customer)

    assert all(pattern.strip("%") in stored for pattern in sought(typed)) is found

"""A plan that is made again keeps a person's answers where nothing they judged has changed."""

from dataclasses import replace
from uuid import UUID

from app.canonical import RecordId, RecordKind, Side
from app.first_sync.plan.categories import Category
from app.first_sync.plan.kept import keep_answers
from app.first_sync.plan.propose import Line
from app.first_sync.plan.words import fold, sought


def line(side: Side, id_: str, **more: object) -> Line:
    made = Line(RecordKind.CUSTOMER, Category.LIKELY, side, RecordId(id_), "Kunde AS", "print-1")
    return replace(made, **more)  # type: ignore[arg-type] # the test's own facts of a line


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


def test_an_answer_is_asked_anew_when_either_record_changed_or_the_partner_is_gone() -> None:
    """What a person judged is not there any more."""
    old = {one.key: one for one in (LINKED, PARTNER)}
    changed = [replace(FRESH[0], print="print-2"), FRESH[1]]
    partner_changed = [FRESH[0], replace(FRESH[1], print="print-2")]

    for lines in (changed, partner_changed, FRESH[:1]):
        assert keep_answers(lines, old)[0].answer is None
    assert keep_answers(changed, old)[0].version == 2


def test_a_record_is_linked_once_however_often_it_was_answered() -> None:
    """The first answer takes the partner."""
    second = replace(LINKED, anchor_id=RecordId("t2"))
    lines = [*FRESH, line(Side.TIME, "t2")]

    kept = keep_answers(lines, {one.key: one for one in (LINKED, PARTNER, second)})

    assert [one.answer for one in kept] == ["link", None, None]


def test_what_was_not_asked_about_a_partner_is_kept_by_itself() -> None:
    """Leaving out needs no other record; a new record has no answer."""
    left_out = replace(LINKED, answer="leave_out", partner_id=None)

    first, other = keep_answers(FRESH, {left_out.key: left_out})

    assert (first.answer, other.answer, other.proposal_id) == ("leave_out", None, None)


def test_norwegian_letters_stay_apart_and_signs_of_patterns_are_only_signs() -> None:
    """Accents and width fold, å does not; a per cent sign finds a per cent sign."""
    assert fold("ÅSE Café") == "åse cafe"
    assert sought("100% a_b") == ["%100\\%%", "%a\\_b%"]
    assert sought("860 001 381") == ["%860001381%"]

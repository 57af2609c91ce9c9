"""What breaks an invariant of the ledger, from what was read; and that each has its words."""

import string
from uuid import UUID

import pytest

from app.invoicing.invariants.violations import Broken, Summed, Suspects, name_violations
from app.operating.check import say_remedy, violation_texts
from app.problems import LANGUAGES

ONE = UUID(int=1)


def summed(seen_net: int, seen_vat: int | None = None) -> Summed:
    """A draft of 300 øre on three lines, of which a person released one of 100."""
    return Summed(
        draft_id=ONE, mark="TR-2222AAAA", state="completed", problem=None, net=300, vat=75,
        lines=3, lines_net=300, lines_vat=75, ledger_net=300, is_odd=False, entry_ids=(), hours=0,
        standing_net=200, standing_vat=50, seen_net=seen_net, seen_vat=seen_vat,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("net", "vat", "broken"),
    [
        (300, 75, False), (200, 50, False), (200, None, False), (300, 78, False), (300, 79, True),
        (200, 46, True), (100, 25, True),
    ],
)  # fmt: skip
def test_conta_has_the_whole_sum_or_that_without_what_was_released(
    net: int, vat: int | None, broken: bool
) -> None:
    """VAT is Conta's own arithmetic: an øre a line is no difference."""
    named = [one.code for one in name_violations(Suspects(summed=[summed(net, vat)]))]

    assert named == [Broken.REMOTE_SUM] * broken


def test_nothing_suspected_is_nothing_broken() -> None:
    assert list(name_violations(Suspects())) == []


def test_each_violation_has_its_words_in_all_languages() -> None:
    """The same facts in each, and a remedy that names none."""
    texts = violation_texts()

    assert set(texts) == {code.value for code in Broken}
    for code, said in texts.items():
        assert set(said["text"]) == set(said["remedy"]) == set(LANGUAGES)
        facts = [
            {name for _, name, _, _ in string.Formatter().parse(words) if name}
            for words in said["text"].values()
        ]
        assert facts[0] == facts[1] == facts[2] != set()
        assert "–" not in say_remedy(code, "en")
    assert say_remedy("not-named", "en") == "–"

"""What the demo tells is read in any width, is copied unbroken, and hides no part of a sum."""

import io
import shlex

import pytest
from rich.console import Console

from app.demo import story
from app.demo.hours import on_the_table
from app.demo.processes import Addresses
from app.demo.screen import Screen, kroner
from app.demo.words import CATEGORIES, OUTCOMES
from app.first_sync.plan.categories import Category
from app.first_sync.store import OutcomeState

ADDRESSES = Addresses("http://127.0.0.1:40801", "http://127.0.0.1:35013", "http://127.0.0.1:33613")


def a_screen(width: int) -> tuple[Screen, io.StringIO]:
    paper = io.StringIO()
    return Screen(Console(file=paper, width=width, highlight=False)), paper


@pytest.mark.parametrize("width", [40, 80, 200])
def test_lines_to_copy_are_whole_in_any_width(width: int) -> None:
    """A shell takes them as they stand: the addresses, and the operator's look."""
    screen, paper = a_screen(width)

    story._tell_where(ADDRESSES, screen, story_told=True)

    lines = paper.getvalue().splitlines()
    (export,) = (line for line in lines if line.startswith("export "))
    (look,) = (line for line in lines if line.startswith("TC_DATA_DIR="))
    assert shlex.split(export)[1:] == [
        f"SERVICE={ADDRESSES.service}", f"CONTA={ADDRESSES.conta}",
        f"TIMERABBIT={ADDRESSES.timerabbit}",
    ]  # fmt: skip
    assert shlex.split(look)[0] == "TC_DATA_DIR=.data/demo"
    assert shlex.split(look)[2:] == ["status", "--language", "en"]


@pytest.mark.parametrize("story_told", [True, False])
def test_the_first_hour_is_sent_to_make_serve_where_the_story_has_used_it_up(
    story_told: bool,
) -> None:
    """After the story no certain line is left for its step 6; on make serve all works."""
    screen, paper = a_screen(200)

    story._tell_where(ADDRESSES, screen, story_told=story_told)

    (line,) = (line for line in paper.getvalue().splitlines() if "/docs/first-hour" in line)
    assert ("run it on make serve" in line) == story_told


def test_a_text_is_broken_between_words_only() -> None:
    """An amount and an address stay whole; what goes on stands below the first line's words."""
    screen, paper = a_screen(30)
    address = "http://127.0.0.1:40801/v1/links/01a22b10-5f4e/specification-of-hours.pdf"

    screen.true(f"past the limit 14\u00a0153,75\u00a0kr at {address}")

    lines = paper.getvalue().splitlines()
    assert lines[0] == "   ✓ past the limit"
    assert all(line.startswith("     ") for line in lines[1:])
    assert f"     {address}" in lines
    assert any(kroner(1_415_375) in line for line in lines)


def test_figures_in_a_table_are_never_broken() -> None:
    """A column of text gives way instead."""
    screen, paper = a_screen(40)

    screen.table(("a customer with a long name", ">net"), [("x " * 30, kroner(2_115_200))])

    assert kroner(2_115_200) in paper.getvalue()


def test_what_a_person_reads_has_words_for_every_code() -> None:
    """A new category or outcome is told in words, not as its code."""
    assert set(CATEGORIES) == {one.value for one in Category}
    assert set(OUTCOMES) == {one.value for one in OutcomeState} - {"refused"}


def test_the_money_on_the_table_says_what_of_it_is_hindered() -> None:
    """Ages sum up to the whole, and what cannot be billed yet is taken off."""
    total = {
        "ore": 1000,
        "byAge": {"fresh": 400, "close-to-limit": 300, "past-limit": 200, "old": 100},
        "byHindrance": {"no-customer": {"ore": 150, "entryCount": 1}},
    }

    amounts = [amount for _, amount in on_the_table(total)]

    assert amounts == [kroner(n) for n in (400, 300, 300, 1000, 850)]

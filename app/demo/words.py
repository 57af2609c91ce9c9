"""Say in words what the API says in codes, where the story's reader is no program."""

from collections.abc import Mapping
from typing import Final

CATEGORIES: Final[Mapping[str, str]] = {
    "certain": "the same on both sides, beyond doubt",
    "likely": "may be the same: a person is asked",
    "ambiguous": "several may be the same: a person is asked",
    "duplicate": "may stand twice on its own side: a person is asked",
    "asked_again": "an earlier answer does not hold any more: a person is asked",
    "only_time": "only in Timerabbit: made in Conta",
    "only_books": "only in Conta: made in Timerabbit",
    "not_ready": "lacks something that the other side needs: waits",
    "archived": "archived on its own side: left as it is",
    "left_out": "left out by a person",
}
"""What the matching found about a line, in the order in which people want to read it."""

OUTCOMES: Final[Mapping[str, str]] = {
    "done": "carried out",
    "waiting": "under way",
    "later": "put off",
    "left-out": "left out, as was answered",
}
"""What became of a line."""

ANSWERS: Final[Mapping[str, str]] = {"link": "linked", "leave_out": "left out"}
"""What a person answered."""


def fix_in_words(fix: str | None) -> str:
    """Say a repair of the API (`set-address`) in words."""
    return (fix or "none here").replace("-", " ")

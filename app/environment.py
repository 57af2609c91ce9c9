"""Find variables of ours that nobody knows; pure."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

PREFIX: Final = "TC_"


def unknown_variables(names: Iterable[str], known: Iterable[str]) -> list[str]:
    """
    Name the variables with our prefix that are no setting, each with the one it comes nearest to.

    One that is misspelt would be passed over in silence, and its default taken instead.
    """
    known = sorted(known)
    return [
        f"{name}: unknown{_hint(name, known)}"
        for name in sorted(names)
        if name.upper().startswith(PREFIX) and name.upper() not in known
    ]


def _hint(name: str, known: list[str]) -> str:
    nearest = get_close_matches(name.upper(), known, n=1)
    return f", did you mean {nearest[0]}?" if nearest else ""

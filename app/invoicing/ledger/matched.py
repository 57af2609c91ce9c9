"""Match a draft's lines with those the books have by now; pure."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.invoicing.lines.mark import without_mark
from app.systems.documents import RemoteLine


@dataclass(frozen=True, slots=True)
class Matched:
    """
    Hold what became of each line in the books, by its number from 1.

    Args:
        lines: Those that stand there, with what they are there; the text or the net may be another.
        gone: Those that do not: every line there is another of ours.
        unclear: Those that may be one of the lines there that are none of ours.

    """

    lines: Mapping[int, RemoteLine]
    gone: frozenset[int]
    unclear: frozenset[int]


def match_lines(ours: Mapping[int, Mapping[str, Any]], theirs: Sequence[RemoteLine]) -> Matched:
    """
    Say which line there is which of ours, wherever it stands and wherever the mark is.

    The same text and net first, then the same text, then the same net, then what is left where it
    is as many on both sides. Where several are alike they are paired in order, and only where as
    many are there as we sent: else nobody can say which of them was taken out.

    Args:
        ours: The lines as ``shapes.line_to_json`` wrote them, by number.

    """
    left, others, found = dict(ours), list(theirs), dict[int, RemoteLine]()
    for (own_key, their_key), sure in _RULES:
        for numbers, alike in _alike(left, others, own_key, their_key):
            if sure or len(numbers) == len(alike):
                for number, other in zip(numbers, alike, strict=False):
                    found[number] = other
                    del left[number]
                    others.remove(other)
    unclear = frozenset(left) if others else frozenset[int]()
    return Matched(found, frozenset(left) - unclear, unclear)


def net_of(other: RemoteLine, line: Mapping[str, Any]) -> int:
    """Give a line's net in the books; where they do not say, it is what we sent."""
    return int(line["net"]) if other.net is None else other.net


_Own = Callable[[Mapping[str, Any]], Hashable]
_Their = Callable[[RemoteLine], Hashable]


def _text(line: Mapping[str, Any]) -> str:
    return without_mark(line["text"])


def _their_text(line: RemoteLine) -> str:
    return without_mark(line.text)


_RULES: Final[tuple[tuple[tuple[_Own, _Their], bool], ...]] = (
    ((lambda own: (_text(own), own["net"]), lambda their: (_their_text(their), their.net)), True),
    ((_text, _their_text), False),
    ((lambda own: own["net"], lambda their: their.net), False),
    ((lambda _: None, lambda _: None), False),
)
"""By what a line is known, and whether any of several alike will do: they are all the same."""


def _alike(
    ours: Mapping[int, Mapping[str, Any]],
    theirs: Sequence[RemoteLine],
    own_key: _Own,
    their_key: _Their,
) -> list[tuple[list[int], list[RemoteLine]]]:
    """Give the numbers and the lines there of each key that both sides have."""
    numbers, lines = (
        defaultdict[Hashable, list[int]](list),
        defaultdict[Hashable, list[RemoteLine]](list),
    )
    for number, own in sorted(ours.items()):
        numbers[own_key(own)].append(number)
    for other in theirs:
        lines[their_key(other)].append(other)
    return [(numbers[key], lines[key]) for key in numbers if key in lines]

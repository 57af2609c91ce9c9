"""Check texts against what a system takes, purely, so that no call is made only to be refused."""

from collections.abc import Iterator, Mapping

from app.systems.ports import Reason, Rejected

TextLimits = Mapping[str, tuple[int, int]]
"""Shortest and longest text by canonical field; lengths in characters."""

Member = tuple[str, object]
"""A canonical field name and the value about to be written."""


def longest(limits: TextLimits) -> Mapping[str, int]:
    """Give the longest text by canonical field, as ``Capabilities`` says it."""
    return {name: most for name, (_, most) in limits.items()}


def refuse_unfit(members: Iterator[Member], limits: TextLimits) -> None:
    """
    Refuse texts that are too short or too long, all at once.

    Raises:
        Rejected: Naming each field; nothing was sent.

    """
    reasons = tuple(_unfit(members, limits))
    if reasons:
        raise Rejected("the other system would refuse this", reasons=reasons)


def _unfit(members: Iterator[Member], limits: TextLimits) -> Iterator[Reason]:
    for about, value in members:
        if not isinstance(value, str) or about not in limits:
            continue
        least, most = limits[about]
        if len(value) < least:
            yield Reason("too-short", about=about)
        elif len(value) > most:
            yield Reason("too-long", about=about)

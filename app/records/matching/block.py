"""Find the pairs worth comparing, without comparing everyone with everyone."""

from collections.abc import Iterator, Sequence

from app.records.matching.normalise import Card

_CAP = 12
"""Longest list of a side that a key may hold; longer keys say too little. Strong keys may hold more."""
_STRONG_CAP = 40


def keys(card: Card) -> Iterator[str]:
    """
    Give the keys under which a card is found; two cards that share one are compared.

    Capital letters first: strong keys (a number, a whole name, a mail, a phone, a street and number).
    """
    yield from _identity_keys(card)
    joined = card.joined
    yield "n" + joined[:7]
    yield "m" + joined[-7:]
    if card.label:
        yield "n" + card.label[:7]
    words = card.words
    if card.personal:
        yield from _person_keys(words)
    else:
        for word in words:
            if len(word) > 3:
                yield "w" + word
                yield "x" + word[:5]
    if card.street:
        yield f"s{card.street[:6]}{card.house}{card.place[:3]}"


def _identity_keys(card: Card) -> Iterator[str]:
    """Give the keys of what is meant to identify."""
    yield "K" + card.key
    yield "J" + card.joined
    if card.number or card.bad_number:
        yield "O" + (card.number or card.bad_number)
    if card.mail:
        yield "E" + card.mail
    if card.domain:
        yield "D" + card.domain
    if card.phone:
        yield "P" + card.phone
    if card.street and card.house:
        yield f"S{card.street}{card.house}"
    if card.box:
        yield f"B{card.box}{card.code}"


def _person_keys(words: Sequence[str]) -> Iterator[str]:
    """Give keys that survive one typing slip or a missing middle name: pairs of word beginnings."""
    ends = sorted({words[0], words[-1]})
    first, last = ends[0], ends[-1]
    yield f"p{first[:2]}{last}"
    yield f"q{first}{last[:2]}"
    yield f"r{first[:3]}{last[:3]}"
    yield f"t{first[-3:]}{last[-3:]}"


def blocks(cards: Sequence[Card]) -> dict[str, list[int]]:
    """Collect the places of one side's cards by key."""
    found: dict[str, list[int]] = {}
    for place, card in enumerate(cards):
        for key in set(keys(card)):
            found.setdefault(key, []).append(place)
    return found


def pairs_across(left: dict[str, list[int]], right: dict[str, list[int]]) -> set[tuple[int, int]]:
    """List the pairs of places that share a key that is not too common on either side."""
    pairs: set[tuple[int, int]] = set()
    for key, places in left.items():
        others = right.get(key)
        if others and _says_enough(key, len(places), len(others)):
            pairs.update((one, other) for one in places for other in others)
    return pairs


def pairs_within(side: dict[str, list[int]]) -> set[tuple[int, int]]:
    """List the pairs of one side, the lower place first."""
    pairs: set[tuple[int, int]] = set()
    for key, places in side.items():
        if len(places) > 1 and _says_enough(key, len(places), len(places)):
            pairs.update((one, other) for one in places for other in places if one < other)
    return pairs


def _says_enough(key: str, left: int, right: int) -> bool:
    """Say whether a key is rare enough on both sides."""
    return max(left, right) <= (_STRONG_CAP if key[0].isupper() else _CAP)

"""Find the pairs worth comparing, without comparing everyone with everyone."""

import re
from collections.abc import Sequence
from itertools import combinations, product

from app.records.matching.normalise import Card

Blocks = dict[str, int | list[int]]
"""Places by key; most keys hold one place, and a bare number spares a list for each."""

_CAP = 12
"""Most records of a side that a key may hold; beyond it says too little. Strong keys hold more."""
_STRONG_CAP = 40
_RARE_CAP = 5
_DOUBLED = re.compile(r"(.)\1")
_TELL_IF_RARE = frozenset("hx")
"""Keys of what tells only where hardly any hold it: a house in any town, a word's beginning."""


def keys(card: Card) -> list[str]:
    """
    Give the keys under which a card is found, perhaps twice; cards that share one are compared.

    A capital letter in front marks a strong key: a number, a whole name, a mail, a phone, a box.
    Each kind of key finds true pairs that no other finds; one that found none was taken away.
    """
    found = _identity_keys(card)
    joined, words = card.joined, card.words
    single = _DOUBLED.sub(r"\1", joined)
    found += ("n" + single[:7], "m" + single[-7:])
    if card.label:
        found.append("n" + _DOUBLED.sub(r"\1", card.label)[:7])
    if card.personal:
        found += _person_keys(words)
    else:
        if not card.form and 2 <= len(words) <= 3:
            found += _person_keys(words)
        found += _company_keys(words)
    if card.street:
        found.append(f"s{card.street[:6]}{card.house}{card.place[:3]}")
        if card.house:
            found.append(f"h{card.street}{card.house}")
    return found


def name_key(card: Card) -> str:
    """Give the key of a whole name, whatever the order of its words and of two letters swapped."""
    return "J" + "".join(sorted(card.joined))


def _identity_keys(card: Card) -> list[str]:
    """Give the keys of what is meant to identify."""
    found = [name_key(card)]
    if card.number or card.bad_number:
        found.append("O" + (card.number or card.bad_number))
    if card.mail:
        found.append("E" + card.mail)
        if card.domain:
            found.append("D" + card.domain)
    if card.phone:
        found.append("P" + card.phone)
    if card.box:
        found.append(f"B{card.box}{card.code}")
    return found


def _person_keys(words: Sequence[str]) -> list[str]:
    """Give keys that survive a slip, a swap or a missing middle name: pairs of word ends."""
    found: list[str] = []
    for first, last in combinations(sorted([word for word in words if len(word) > 1]), 2):
        found += (
            f"r{first[:3]}{last[:3]}",
            f"t{first[-3:]}{last[-3:]}",
            f"p{first[:2]}{last}",
            f"q{first}{last[:2]}",
        )
    return found


def _company_keys(words: Sequence[str]) -> list[str]:
    """Give keys that survive a slip or an added word: rare beginnings, the first two words."""
    found = ["x" + word[:5] for word in words if len(word) > 3]
    if len(words) > 1:
        first, second = words[0], words[1]
        found += (f"y{first[:3]}{second[:3]}", f"z{first[-3:]}{second[-3:]}")
    return found


def blocks(cards: Sequence[Card]) -> Blocks:
    """Collect the places of one side's cards by key."""
    found: Blocks = {}
    for place, card in enumerate(cards):
        for key in keys(card):
            held = found.setdefault(key, place)
            if held == place:  # new, or the card's second key of this spelling
                continue
            if not isinstance(held, list):
                found[key] = [held, place]
            elif held[-1] != place:
                held.append(place)
    return found


def places_of(found: Blocks, key: str) -> Sequence[int]:
    """List the places under a key; none for an unknown key."""
    held = found.get(key, ())
    return (held,) if isinstance(held, int) else held


def pairs_across(left: Blocks, right: Blocks) -> set[tuple[int, int]]:
    """List the pairs of places that share a key that is not too common on either side."""
    pairs: set[tuple[int, int]] = set()
    for key in left.keys() & right.keys():
        one, other = left[key], right[key]
        if isinstance(one, int) and isinstance(other, int):
            pairs.add((one, other))
            continue
        places, others = places_of(left, key), places_of(right, key)
        if _says_enough(key, max(len(places), len(others))):
            pairs.update(product(places, others))
    return pairs


def pairs_within(side: Blocks) -> set[tuple[int, int]]:
    """List the pairs of one side, the lower place first."""
    pairs: set[tuple[int, int]] = set()
    for key, places in side.items():
        if isinstance(places, list) and _says_enough(key, len(places)):
            pairs.update(combinations(places, 2))
    return pairs


def _says_enough(key: str, held: int) -> bool:
    """Say whether a key that so many records of one side hold is rare enough."""
    if held <= _RARE_CAP:
        return True
    return held <= (_STRONG_CAP if key[0].isupper() else 0 if key[0] in _TELL_IF_RARE else _CAP)

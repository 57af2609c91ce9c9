"""Find the pairs worth comparing, without comparing everyone with everyone."""

from collections.abc import Iterator, Sequence

from app.records.matching.normalise import Card

Blocks = dict[str, int | list[int]]
"""Places by key; most keys hold one place, and a bare number spares a list for each."""

_CAP = 12
"""Most records of a side that a key may hold; beyond it says too little. Strong keys hold more."""
_STRONG_CAP = 40


def keys(card: Card) -> Iterator[str]:
    """
    Give the keys under which a card is found; two cards that share one are compared.

    A capital letter in front marks a strong key: a number, a whole name, a mail, a phone, a street.
    """
    yield from _identity_keys(card)
    joined, words = card.joined, card.words
    yield "n" + joined[:7]
    yield "m" + joined[-7:]
    yield "v" + joined[:2] + joined[-9:]
    if card.label:
        yield "n" + card.label[:7]
    if card.personal or (2 <= len(words) <= 3 and not card.form):
        yield from _person_keys(words)
    if not card.personal:
        yield from _company_keys(words)
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
    """Give keys that survive a slip, a swap or a missing middle name: pairs of word ends."""
    whole = sorted(word for word in words if len(word) > 1)
    for place, first in enumerate(whole):
        for last in whole[place + 1 :]:
            yield f"r{first[:3]}{last[:3]}"
            yield f"t{first[-3:]}{last[-3:]}"
            yield f"p{first[:2]}{last}"
            yield f"q{first}{last[:2]}"


def _company_keys(words: Sequence[str]) -> Iterator[str]:
    """Give keys that survive a slip or an added word: rare words, beginnings, the first two."""
    for word in words:
        if len(word) > 3:
            yield "w" + word
            yield "x" + word[:5]
    if len(words) > 1:
        yield f"y{words[0][:3]}{words[1][:3]}"
        yield f"z{words[0][-3:]}{words[1][-3:]}"


def blocks(cards: Sequence[Card]) -> Blocks:
    """Collect the places of one side's cards by key."""
    found: Blocks = {}
    for place, card in enumerate(cards):
        for key in dict.fromkeys(keys(card)):
            held = found.get(key)
            if held is None:
                found[key] = place
            elif isinstance(held, list):
                held.append(place)
            else:
                found[key] = [held, place]
    return found


def places_of(found: Blocks, key: str) -> Sequence[int]:
    """List the places under a key; none for an unknown key."""
    held = found.get(key, ())
    return (held,) if isinstance(held, int) else held


def pairs_across(left: Blocks, right: Blocks) -> set[tuple[int, int]]:
    """List the pairs of places that share a key that is not too common on either side."""
    pairs: set[tuple[int, int]] = set()
    for key in left:
        if key not in right:
            continue
        places, others = places_of(left, key), places_of(right, key)
        if _says_enough(key, len(places), len(others)):
            pairs.update((one, other) for one in places for other in others)
    return pairs


def pairs_within(side: Blocks) -> set[tuple[int, int]]:
    """List the pairs of one side, the lower place first."""
    pairs: set[tuple[int, int]] = set()
    for key, places in side.items():
        if isinstance(places, list) and _says_enough(key, len(places), len(places)):
            pairs.update((one, other) for one in places for other in places if one < other)
    return pairs


def _says_enough(key: str, left: int, right: int) -> bool:
    """Say whether a key is rare enough on both sides."""
    return max(left, right) <= (_STRONG_CAP if key[0].isupper() else _CAP)

"""Compare the names of two cards, and the places that stand in them."""

from functools import lru_cache

from rapidfuzz.distance import OSA

from app.records.matching.facts import bit
from app.records.matching.identifiers import labels
from app.records.matching.lexicon import fold, lexicon
from app.records.matching.normalise import SELDOM_BEARERS, UNCOMMON_BEARERS, Card
from app.records.matching.proposals import Fact

_NAME_SAME = bit(Fact.NAME_SAME)
_NAME_SAME_BUT_FORM = bit(Fact.NAME_SAME_BUT_FORM)
_NAME_SPELT = bit(Fact.NAME_SPELT)
_NAME_CLOSE = bit(Fact.NAME_CLOSE)
_NAME_ALIKE = bit(Fact.NAME_ALIKE)
_NAME_MIDDLE = bit(Fact.NAME_MIDDLE)
_NAME_CONTAINED = bit(Fact.NAME_CONTAINED)
_NAME_PARTLY = bit(Fact.NAME_PARTLY)
_NAME_OTHER = bit(Fact.NAME_OTHER)
_NAME_IN_DOMAIN = bit(Fact.NAME_IN_DOMAIN)
_NAME_RARE = bit(Fact.NAME_RARE)
_NAME_UNCOMMON = bit(Fact.NAME_UNCOMMON)
_NAME_SELDOM = bit(Fact.NAME_SELDOM)
_NAME_ALONE = bit(Fact.NAME_ALONE)
_NAME_ALONE_HERE = bit(Fact.NAME_ALONE_HERE)
_FULL_COMPANY_NAME = bit(Fact.FULL_COMPANY_NAME)
_GIVEN_SAME = bit(Fact.GIVEN_SAME)
_GIVEN_SLIPPED = bit(Fact.GIVEN_SLIPPED)
_GIVEN_DIFFERENT = bit(Fact.GIVEN_DIFFERENT)
_PLACE_IN_NAME = bit(Fact.PLACE_IN_NAME)
_PLACE_IN_NAME_ONE_SIDE = bit(Fact.PLACE_IN_NAME_ONE_SIDE)
_PLACE_IN_NAME_OTHER = bit(Fact.PLACE_IN_NAME_OTHER)
_NAME_UNLIKE = _NAME_OTHER | _NAME_PARTLY | _NAME_CONTAINED


def compare_names(a: Card, b: Card) -> int:
    """Compare names: one of the NAME_ relations, and what goes with it."""
    if not a.joined or not b.joined:
        return _NAME_OTHER
    if a.mention != b.mention:
        return _names_with_places(a, b)
    if a.joined == b.joined or a.key == b.key:
        return _same_names(a, b)
    return _other_names(a, b)


def _names_with_places(a: Card, b: Card) -> int:
    """Compare names of which one at least ends in a place, which may belong to the name itself."""
    if a.full == b.full:
        return _same_names(a, b)
    if a.full == b.joined:
        return _same_names(a, b) | _mention(b.mention, a)
    if b.full == a.joined:
        return _same_names(a, b) | _mention(a.mention, b)
    if a.joined != b.joined and a.key != b.key:
        shorter = min(len(a.full), len(b.full))
        slips = OSA.distance(a.full, b.full, score_cutoff=2)
        if shorter >= 9 and slips <= min(2, shorter // 12 + 1):
            return _NAME_CLOSE
        return _other_names(a, b) | _mentions(a, b)
    return _same_names(a, b) | _mentions(a, b)


def _other_names(a: Card, b: Card) -> int:
    """Compare names that are not equal; a trade name may stand in the other's mail domain."""
    relation = _persons(a, b) if a.personal and b.personal else _companies(a, b)
    if relation & _NAME_UNLIKE and _in_domain(a, b):
        relation |= _NAME_IN_DOMAIN
    return relation


def _same_names(a: Card, b: Card) -> int:
    """Tell equal names apart by form, spelling, rarity and whether they stand once on each side."""
    facts = _alone(a, b)
    if a.personal and b.personal:
        facts |= _rarity(a, b)
    if a.marked != b.marked and (_folded_apart(a, b) or _folded_apart(b, a)):
        return facts | _NAME_SPELT
    if a.form != b.form:
        return facts | (_NAME_SAME if a.form and b.form else _NAME_SAME_BUT_FORM)
    # «Lokal Revisjon AS» and «Lokalrevisjon AS» are two names in the register.
    full = bool(a.form and a.key == b.key)
    return facts | _NAME_SAME | (_FULL_COMPANY_NAME if full else 0)


def _alone(a: Card, b: Card) -> int:
    """Say whether a name stands once on each side, or once on each in the place of both."""
    if a.alone and b.alone:
        return _NAME_ALONE
    here = (a.alone or a.alone_here) and (b.alone or b.alone_here)
    return _NAME_ALONE_HERE if here and a.place and a.place == b.place else 0


def _rarity(a: Card, b: Card) -> int:
    """
    Say how rare two personal names are, by the commoner of them.

    In one town there is hardly a second bearer of an uncommon one, however large the register,
    and behind one postal code hardly a second of one that is borne three times as often.
    """
    if a.rare and b.rare:
        return _NAME_RARE
    if a.uncommon and b.uncommon:
        return _NAME_UNCOMMON
    if not (a.bearers and b.bearers):
        return 0
    bearers = max(a.bearers, b.bearers)
    if bearers <= UNCOMMON_BEARERS and a.place and a.place == b.place:
        return _NAME_UNCOMMON
    return _NAME_SELDOM if bearers <= SELDOM_BEARERS and a.code and a.code == b.code else 0


def _folded_apart(a: Card, b: Card) -> bool:
    """
    Say whether folding joined two names that are spelt apart in plain letters: Moe and Mo.

    Bjørkheim and Bjorkheim are one name, typed on two keyboards.
    """
    others = {fold(word): word for word in b.marked}
    return any(
        word.isascii() and others.get(fold(word), "").isascii() and others.get(fold(word)) != word
        for word in a.marked
    )


def _persons(a: Card, b: Card) -> int:
    """Compare two persons' names: same but for typing slips, for a middle name, or only in part."""
    if a.given and b.given and a.given != b.given:
        facts = _GIVEN_DIFFERENT
        return facts | (_NAME_PARTLY if a.bag & b.bag else _NAME_OTHER)
    swapped = (len(b.words), b.words) < (len(a.words), a.words)
    short, long = (b.words, a.words) if swapped else (a.words, b.words)
    slips, left = _word_slips(short, list(long))
    if left > 1:
        return _NAME_PARTLY if slips else _NAME_CONTAINED
    if left and _meet_by_an_initial(short, long):
        return _NAME_PARTLY
    beside = _rarity(a, b)
    if a.guess and a.guess == b.guess:
        beside |= _GIVEN_SAME
    elif _given_slipped(a, b) or _given_slipped(b, a):
        beside |= _GIVEN_SLIPPED
    if not slips:
        return _NAME_MIDDLE | beside
    return _NAME_CLOSE | beside if slips <= 2 and not left else _slipped_names(a, b, slips, beside)


def _given_slipped(a: Card, b: Card) -> bool:
    """Say whether a given name is known here, and there a word one slip away that is none."""
    return bool(a.given and not b.given) and any(_slips(a.given, word) == 1 for word in b.words)


def _meet_by_an_initial(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    """Say whether but one word meets another in full: Morten Albertsen, Morten A. Salomonsen."""
    spelt = [word for word in long if len(word) > 1]
    return sum(any(_slips(word, other) < 9 for other in spelt) for word in short) < 2


def _slipped_names(a: Card, b: Card, slips: int, beside: int) -> int:
    """Tell names that look alike, slips and all, from those that share a word or nothing."""
    if _two_given(a.bag, b.bag):
        return _NAME_PARTLY | _GIVEN_DIFFERENT
    whole = OSA.distance(a.joined, b.joined, score_cutoff=3)
    if slips <= 3 or whole <= (2 if min(len(a.joined), len(b.joined)) < 10 else 3):
        return _NAME_ALIKE | beside
    return _NAME_PARTLY if a.bag & b.bag else _NAME_OTHER


def _two_given(a: frozenset[str], b: frozenset[str]) -> bool:
    """Say whether each name has a given name that the other lacks: Anne-Britt and Anne-Grete."""
    lexis = lexicon()
    apart = (a - b, b - a)
    return all(any(w in lexis.given and w not in lexis.surnames for w in own) for own in apart)


def _word_slips(short: tuple[str, ...], rest: list[str]) -> tuple[int, int]:
    """Count the slips between each word and its best partner, and the words without partner."""
    slips = 0
    for word in short:
        fewest, best = min([(_slips(word, other), other) for other in rest])
        slips += fewest
        rest.remove(best)
    return slips, len(rest)


@lru_cache(maxsize=1 << 14)
def _slips(word: str, other: str) -> int:
    """Count typing slips between two words; an initial fits its word; 9 means another word."""
    shorter = min(len(word), len(other))
    if word == other or (shorter == 1 and word[0] == other[0]):
        return 0
    if shorter < 3:
        return 9
    allowed = 2 if shorter > 5 else 1
    distance = OSA.distance(word, other, score_cutoff=allowed)
    return distance if distance <= allowed else 9


def _companies(a: Card, b: Card) -> int:
    """Compare two names of which at least one is no person's."""
    first, second = a.stem, b.stem
    shorter = min(len(first), len(second))
    distance = OSA.distance(first, second, score_cutoff=3)
    if distance <= 2 and distance <= (0 if shorter < 5 else 1 if shorter < 12 else 2):
        return _NAME_CLOSE
    one, two = a.bag, b.bag
    shared = one & two
    if shared and (len(shared) == len(one) or len(shared) == len(two)):
        return _NAME_CONTAINED
    if first[0] == second[0] and _close_words(a.words, b.words):
        return _NAME_CLOSE
    if distance <= 3 and distance <= (
        0 if shorter < 4 else 1 if shorter < 6 else 2 if shorter < 12 else 3
    ):
        return _NAME_ALIKE
    if shared and sum(map(len, shared)) >= 4:
        return _NAME_PARTLY
    alike = shorter >= 5 and (first[:5] == second[:5] or first[-6:] == second[-6:])
    return _NAME_PARTLY if alike else _NAME_OTHER


def _close_words(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """Say whether names of as many words differ by shortened words only."""
    if len(a) != len(b):
        return False
    return all(
        one == two
        or (min(len(one), len(two)) >= 4 and (one.startswith(two) or two.startswith(one)))
        for one, two in zip(a, b, strict=True)
    )


def _in_domain(a: Card, b: Card) -> bool:
    """Say whether one's name is the other's mail domain: a trade name on one side."""
    return _is_named_by(a, b.joined) or _is_named_by(b, a.joined)


def _is_named_by(card: Card, name: str) -> bool:
    """
    Say whether a card's mail domain is a name, and nobody else's on its side.

    A small firm often has its accountant's or manager's mailbox, and then his address too.
    """
    if card.label[:5] != name[:5] or not labels(card.label, name) or not card.domain_alone:
        return False
    return not any(keeper in name for keeper in lexicon().keepers)


def _mentions(a: Card, b: Card) -> int:
    """Compare the places at the end of the names, with each other and with the addresses."""
    if a.mention and b.mention:
        return _PLACE_IN_NAME_OTHER
    return _mention(a.mention, b) if a.mention else _mention(b.mention, a)


def _mention(mention: str, other: Card) -> int:
    """Compare a place that stands in one name only with where the other is."""
    if not other.place:
        return _PLACE_IN_NAME_ONE_SIDE
    code_place = lexicon().code_place.get(other.code, other.place)
    return _PLACE_IN_NAME if mention in {other.place, code_place} else _PLACE_IN_NAME_OTHER

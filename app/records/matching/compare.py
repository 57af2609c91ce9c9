"""Compare two cards: which facts hold. The same whichever card comes first."""

from rapidfuzz.distance import OSA

from app.canonical import CustomerKind
from app.records.matching.facts import bit
from app.records.matching.lexicon import fold, lexicon
from app.records.matching.normalise import Card
from app.records.matching.proposals import Fact

_NUMBER_SAME = bit(Fact.NUMBER_SAME)
_NUMBER_CLOSE = bit(Fact.NUMBER_CLOSE)
_NUMBER_ONE_SIDE = bit(Fact.NUMBER_ONE_SIDE)
_NUMBER_DIFFERENT = bit(Fact.NUMBER_DIFFERENT)
_NUMBER_FAR = bit(Fact.NUMBER_FAR)
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
_NAME_ALONE = bit(Fact.NAME_ALONE)
_NAME_PERSONAL = bit(Fact.NAME_PERSONAL)
_FULL_COMPANY_NAME = bit(Fact.FULL_COMPANY_NAME)
_FORM_DIFFERENT = bit(Fact.FORM_DIFFERENT)
_FORM_MISSING = bit(Fact.FORM_MISSING)
_COUNT_DIFFERENT = bit(Fact.COUNT_DIFFERENT)
_GIVEN_SAME = bit(Fact.GIVEN_SAME)
_GIVEN_DIFFERENT = bit(Fact.GIVEN_DIFFERENT)
_COUPLE_ONE_SIDE = bit(Fact.COUPLE_ONE_SIDE)
_DEPARTMENT_ONE_SIDE = bit(Fact.DEPARTMENT_ONE_SIDE)
_PLACE_IN_NAME = bit(Fact.PLACE_IN_NAME)
_PLACE_IN_NAME_ONE_SIDE = bit(Fact.PLACE_IN_NAME_ONE_SIDE)
_PLACE_IN_NAME_OTHER = bit(Fact.PLACE_IN_NAME_OTHER)
_STREET_SAME = bit(Fact.STREET_SAME)
_STREET_CLOSE = bit(Fact.STREET_CLOSE)
_STREET_NUMBER_MISSING = bit(Fact.STREET_NUMBER_MISSING)
_STREET_NUMBER_OTHER = bit(Fact.STREET_NUMBER_OTHER)
_STREET_OTHER = bit(Fact.STREET_OTHER)
_BOX_SAME = bit(Fact.BOX_SAME)
_CODE_SAME = bit(Fact.CODE_SAME)
_PLACE_SAME = bit(Fact.PLACE_SAME)
_PLACE_OTHER = bit(Fact.PLACE_OTHER)
_MAIL_SAME = bit(Fact.MAIL_SAME)
_MAIL_SHARED = bit(Fact.MAIL_SHARED)
_MAIL_OTHER = bit(Fact.MAIL_OTHER)
_DOMAIN_SAME = bit(Fact.DOMAIN_SAME)
_DOMAIN_OTHER = bit(Fact.DOMAIN_OTHER)
_PHONE_SAME = bit(Fact.PHONE_SAME)
_PHONE_SHARED = bit(Fact.PHONE_SHARED)
_PHONE_OTHER = bit(Fact.PHONE_OTHER)
_KIND_SAME = bit(Fact.KIND_SAME)
_BOTH_COMPANIES = bit(Fact.BOTH_COMPANIES)
_KIND_DIFFERENT = bit(Fact.KIND_DIFFERENT)
_KIND_UNSET = bit(Fact.KIND_UNSET)
_ACTIVITY_DIFFERENT = bit(Fact.ACTIVITY_DIFFERENT)


def compare(a: Card, b: Card) -> int:
    """Give the facts that hold between two cards as bits of ``facts.bit``."""
    names = _names(a, b)
    return names | _numbers(a, b) | _contacts(a, b) | _places(a, b) | _kinds(a, b) | _signs(a, b)


def _numbers(a: Card, b: Card) -> int:
    """Compare organization numbers."""
    if a.number and b.number:
        return _NUMBER_SAME if a.number == b.number else _NUMBER_DIFFERENT
    first, second = a.number or a.bad_number, b.number or b.bad_number
    if first and second:
        # A mistyped number still speaks: within two edits it supports, far away it is a veto.
        return _NUMBER_CLOSE if OSA.distance(first, second, score_cutoff=2) <= 2 else _NUMBER_FAR
    return _NUMBER_ONE_SIDE if a.number or b.number else 0


def _names(a: Card, b: Card) -> int:
    """Compare names: one of the NAME_ relations, and what goes with it."""
    if a.joined == b.joined or a.key == b.key:
        return _same_names(a, b)
    relation = _persons(a, b) if a.personal and b.personal else _companies(a, b)
    if relation & (_NAME_OTHER | _NAME_PARTLY | _NAME_CONTAINED) and _in_domain(a, b):
        relation |= _NAME_IN_DOMAIN
    return relation


def _same_names(a: Card, b: Card) -> int:
    """Tell equal names apart by form, spelling, rarity and whether they stand once on each side."""
    facts = _NAME_ALONE if a.alone and b.alone else 0
    if a.personal and b.personal and a.rare and b.rare:
        facts |= _NAME_RARE
    if a.key != b.key or (a.marked != b.marked and (_folded_apart(a, b) or _folded_apart(b, a))):
        return facts | _NAME_SPELT
    if a.form == b.form:
        return facts | _NAME_SAME | (_FULL_COMPANY_NAME if a.form else 0)
    return facts | (_NAME_SAME if a.form and b.form else _NAME_SAME_BUT_FORM)


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
        return facts | (_NAME_PARTLY if set(a.words) & set(b.words) else _NAME_OTHER)
    short, long = (a.words, b.words) if len(a.words) <= len(b.words) else (b.words, a.words)
    slips, left = _word_slips(short, list(long))
    beside = _NAME_RARE if a.rare and b.rare else 0
    beside |= _GIVEN_SAME if a.guess and a.guess == b.guess else 0
    if not slips and left == 1:
        return _NAME_MIDDLE | beside
    if slips <= 2 and not left:
        return _NAME_CLOSE | beside
    whole = OSA.distance(a.joined, b.joined, score_cutoff=3)
    if slips <= 3 or whole <= (2 if min(len(a.joined), len(b.joined)) < 10 else 3):
        return _NAME_ALIKE | beside
    return _NAME_PARTLY if set(a.words) & set(b.words) else _NAME_OTHER


def _word_slips(short: tuple[str, ...], rest: list[str]) -> tuple[int, int]:
    """Count the slips between each word and its best partner, and the words without partner."""
    slips = 0
    for word in short:
        best = min(rest, key=lambda other: (_slips(word, other), other))
        slips += _slips(word, best)
        rest.remove(best)
    return slips, len(rest)


def _slips(word: str, other: str) -> int:
    """Count typing slips between two words; an initial fits its word; 9 means another word."""
    if word == other or (min(len(word), len(other)) == 1 and word[0] == other[0]):
        return 0
    distance = OSA.distance(word, other, score_cutoff=2)
    allowed = 2 if min(len(word), len(other)) > 5 else 1
    return distance if distance <= allowed and min(len(word), len(other)) > 2 else 9


def _companies(a: Card, b: Card) -> int:
    """Compare two names of which at least one is no person's."""
    first, second = a.joined, b.joined
    shorter = min(len(first), len(second))
    distance = OSA.distance(first, second, score_cutoff=3)
    if distance <= (0 if shorter < 5 else 1 if shorter < 12 else 2):
        return _NAME_CLOSE
    one, two = set(a.words), set(b.words)
    if one <= two or two <= one:
        return _NAME_CONTAINED
    if _close_words(a.words, b.words):
        return _NAME_CLOSE
    if distance <= (0 if shorter < 4 else 1 if shorter < 6 else 2 if shorter < 12 else 3):
        return _NAME_ALIKE
    shared = one & two
    if shared and sum(map(len, shared)) >= 4:
        return _NAME_PARTLY
    alike = shorter >= 5 and (first.startswith(second[:5]) or first.endswith(second[-6:]))
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
    return _labels(a.label, b.joined) or _labels(b.label, a.joined)


def _labels(label: str, joined: str) -> bool:
    """Compare a domain's label with a name run together; labels may be cut short or numbered."""
    shorter = min(len(label), len(joined))
    if shorter < 5:
        return False
    label = fold(label)
    return label.rstrip("0123456789") == joined or (
        shorter >= 8 and (joined.startswith(label) or label.startswith(joined))
    )


def _contacts(a: Card, b: Card) -> int:
    """Compare mail and phone; what many records of a side share is no evidence."""
    facts = 0
    if a.mail and b.mail:
        if a.mail == b.mail:
            facts |= _MAIL_SHARED if a.mail_shared or b.mail_shared else _MAIL_SAME
        elif a.domain and b.domain:
            facts |= _DOMAIN_SAME if a.domain == b.domain else _DOMAIN_OTHER
        else:
            facts |= _MAIL_OTHER
    if a.phone and b.phone:
        if a.phone == b.phone:
            facts |= _PHONE_SHARED if a.phone_shared or b.phone_shared else _PHONE_SAME
        else:
            facts |= _PHONE_OTHER
    return facts


def _places(a: Card, b: Card) -> int:
    """Compare addresses and the places in names."""
    facts = 0
    same_place = bool(a.place and a.place == b.place)
    if a.code and a.code == b.code:
        facts = _CODE_SAME
        same_place = True
    elif same_place:
        facts = _PLACE_SAME
    elif a.place and b.place:
        facts = _PLACE_OTHER
    if a.box and a.box == b.box and same_place:
        facts |= _BOX_SAME
    if a.street and b.street:
        facts |= _streets(a, b, elsewhere=bool(facts & _PLACE_OTHER))
    if a.mention or b.mention:
        facts |= _mentions(a, b)
    return facts


def _streets(a: Card, b: Card, *, elsewhere: bool) -> int:
    """Compare two streets; the same street name in another town is another street."""
    same = a.street == b.street
    shorter = min(len(a.street), len(b.street))
    close = not same and shorter >= 5 and OSA.distance(a.street, b.street, score_cutoff=2) <= 2
    if elsewhere or not (same or close):
        return _STREET_OTHER
    if not a.house or not b.house:
        return _STREET_NUMBER_MISSING if same else _STREET_OTHER
    if a.house != b.house or (a.letter and b.letter and a.letter != b.letter):
        return _STREET_NUMBER_OTHER
    return _STREET_SAME if same else _STREET_CLOSE


def _mentions(a: Card, b: Card) -> int:
    """Compare the places at the end of the names, with each other and with the addresses."""
    if a.mention and b.mention:
        return _PLACE_IN_NAME if a.mention == b.mention else _PLACE_IN_NAME_OTHER
    mention, place = (a.mention, b.place) if a.mention else (b.mention, a.place)
    if not place:
        return _PLACE_IN_NAME_ONE_SIDE
    code_place = lexicon().code_place.get(b.code if a.mention else a.code, place)
    return _PLACE_IN_NAME if mention in {place, code_place} else _PLACE_IN_NAME_OTHER


def _kinds(a: Card, b: Card) -> int:
    """Compare company with person; a legal form says company whatever the kind."""
    if a.kind is None or b.kind is None:
        return _KIND_UNSET
    if a.kind is b.kind:
        return _KIND_SAME | (_BOTH_COMPANIES if a.kind is CustomerKind.COMPANY else 0)
    companies = (a.kind is CustomerKind.COMPANY or a.form) and (
        b.kind is CustomerKind.COMPANY or b.form
    )
    return _KIND_SAME if companies else _KIND_DIFFERENT


def _signs(a: Card, b: Card) -> int:
    """Compare the signs in names that are identity: numbers, departments, couples, forms."""
    facts = 0
    if a.counts != b.counts:
        facts |= _COUNT_DIFFERENT
    if a.department != b.department:
        facts |= _DEPARTMENT_ONE_SIDE
    if a.couple != b.couple:
        facts |= _COUPLE_ONE_SIDE
    if a.personal or b.personal:
        facts |= _NAME_PERSONAL
    if a.form != b.form:
        facts |= _FORM_DIFFERENT if a.form and b.form else _FORM_MISSING
    if a.active != b.active:
        facts |= _ACTIVITY_DIFFERENT
    return facts

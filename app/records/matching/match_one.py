"""Find the partner of one customer made after the first sync, by the same rules."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import replace

from app.canonical import Customer, RecordId, Side
from app.records.matching.block import blocks, name_key, pairs_across, places_of
from app.records.matching.index import Index
from app.records.matching.match import Pairs, candidates, propose
from app.records.matching.normalise import Card, mark_shared, read_card
from app.records.matching.proposals import Fact, Found, Proposal
from app.records.matching.settle import QUESTIONS, Candidate, settle

_SELF = -1
"""Place of the record itself, beside the places of its siblings."""


def match_one(
    record: Customer,
    own_side: Side,
    others: Index,
    *,
    refused: Pairs = frozenset(),
    taken: AbstractSet[RecordId] = frozenset(),
    siblings: Index | None = None,
) -> Found:
    """
    Find where a record belongs on the other side.

    A candidate that has a partner already is never certain: it comes as a question with the rule
    ``partner-taken``, since the record is then likely a duplicate on its own side.

    Args:
        others: The other side's customers.
        refused: Pairs (time id, books id) a person said no to.
        taken: Records of the other side that have a partner.
        siblings: The unlinked records of the record's own side; where one fits a candidate as well
            as the record does, the pair becomes a question. Without it nobody competes.

    """
    card = read_card(record)
    mark_shared([card])
    _mark_alone(card, siblings)
    apart = refused if own_side is Side.TIME else {(mine, theirs) for theirs, mine in refused}
    near = pairs_across(blocks([card]), others.blocks)
    found = [
        Candidate(_SELF, c.right, c.bits, c.decision, c.tie)
        for c in candidates([card], others.cards, near, apart)
    ]
    free = [c for c in found if others.cards[c.right].id not in taken]
    rivals = () if siblings is None else _rivals(card, free, siblings, others)
    settled = settle([*free, *rivals], frozenset())
    for link in settled.links:
        if link.left == _SELF:
            return Found(propose(_pair(card, link, others, own_side), link, certain=True), ())
    ranked = sorted(found, key=lambda c: (-c.decision.score, c.tie))[:QUESTIONS]
    asked = (propose(_pair(card, c, others, own_side), c, certain=False) for c in ranked)
    return Found(None, tuple(_marked(question, own_side.other, taken) for question in asked))


def _mark_alone(card: Card, siblings: Index | None) -> None:
    """Note on a card whether another record of its side bears the same name, and whether here."""
    near = () if siblings is None else places_of(siblings.blocks, name_key(card))
    others = (siblings.cards[place] for place in near) if siblings else ()
    bearers = [
        other
        for other in others
        if other.id != card.id and (other.joined == card.joined or other.key == card.key)
    ]
    card.alone = not bearers
    card.alone_here = bool(card.place) and all(
        other.place not in {"", card.place} for other in bearers
    )


def _rivals(
    card: Card, found: Iterable[Candidate], siblings: Index, others: Index
) -> Iterable[Candidate]:
    """Compare the candidates with the record's siblings: none may fit as well."""
    for place in sorted({c.right for c in found}):
        near = pairs_across(siblings.blocks, blocks([others.cards[place]]))
        pairs = ((one, place) for one, _ in near if siblings.cards[one].id != card.id)
        yield from candidates(siblings.cards, others.cards, pairs, frozenset())


def _pair(
    card: Card, candidate: Candidate, others: Index, own_side: Side
) -> tuple[RecordId, RecordId]:
    """Order the two ids as (time, books)."""
    other = others.cards[candidate.right].id
    return (card.id, other) if own_side is Side.TIME else (other, card.id)


def _marked(question: Proposal, theirs: Side, taken: AbstractSet[RecordId]) -> Proposal:
    """Say on a question that the candidate has a partner already, where it has."""
    partner = question.time_id if theirs is Side.TIME else question.books_id
    if partner not in taken:
        return question
    facts = (Fact.PARTNER_TAKEN, *question.facts)
    return replace(question, rule="partner-taken", facts=facts)

"""Match projects, only inside linked customers: by equal number and name, else by equal name."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from app.canonical import Project, RecordId
from app.records.matching.facts import bit
from app.records.matching.lexicon import fold
from app.records.matching.match import Pairs
from app.records.matching.proposals import Fact, Matching, Proposal
from app.records.matching.score import ordered, score
from app.records.matching.settle import at_most_two_each

_SIGNS = re.compile(r"[^a-z0-9]+")
_NAME_SAME = bit(Fact.NAME_SAME)
_NAME_KIN = bit(Fact.NAME_CLOSE, Fact.NAME_CONTAINED)
_NUMBER_SAME = bit(Fact.PROJECT_NUMBER_SAME)
_AGAINST = bit(Fact.PROJECT_NUMBER_DIFFERENT, Fact.ACTIVITY_DIFFERENT)


def match_projects(
    time: Sequence[Project],
    books: Sequence[Project],
    *,
    customers: Mapping[RecordId, RecordId],
    refused: Pairs = frozenset(),
    linked: Pairs = frozenset(),
) -> Matching:
    """
    Propose which projects of the two sides are the same.

    Only projects of linked customers are compared; the others, and those without a partner, are in
    the ``only`` lists. Subprojects and records that are ``gone`` take no part and are not reported.
    A project is linked when its name, or its number with a name that is not a stranger's, agrees
    with one project only and nothing contradicts. The same number under another name is asked:
    both systems count from one. So is a pair of an active and an inactive project.

    Args:
        customers: Time id to books id of the customers that are linked.
        refused: Pairs (time id, books id) of projects a person said no to.
        linked: Pairs of projects that exist already; their records are not reported.

    """
    left = _taking_part(time, {pair[0] for pair in linked})
    right = _taking_part(books, {pair[1] for pair in linked})
    likely = [one for one in _compare(left, right, customers) if one.ids not in refused]
    certain = tuple(one.proposal(certain=True) for one in _best(likely))
    done_left = {proposal.time_id for proposal in certain}
    done_right = {proposal.books_id for proposal in certain}
    free = (
        one.proposal(certain=False)
        for one in likely
        if one.ids[0] not in done_left and one.ids[1] not in done_right
    )
    asked = tuple(at_most_two_each(free, lambda p: (p.time_id, p.books_id)))
    return Matching(
        certain=_sorted(certain),
        asked=_sorted(asked),
        only_time=_only(left, done_left | {proposal.time_id for proposal in asked}),
        only_books=_only(right, done_right | {proposal.books_id for proposal in asked}),
        duplicates=(),
    )


@dataclass(frozen=True, slots=True)
class _Likely:
    """Hold a compared pair of projects (time id, books id) and its facts."""

    ids: tuple[RecordId, RecordId]
    bits: int

    @property
    def agrees(self) -> bool:
        """Say whether the pair's own facts allow a link."""
        numbered = bool(self.bits & _NUMBER_SAME and self.bits & _NAME_KIN)
        return bool(self.bits & _NAME_SAME or numbered) and not self.bits & _AGAINST

    def proposal(self, *, certain: bool) -> Proposal:
        """Write the pair out."""
        if not certain:
            rule = "project-rival" if self.agrees else "project-in-doubt"
        else:
            rule = "project-name" if self.bits & _NAME_SAME else "project-number"
        return Proposal(*self.ids, certain, rule, ordered(self.bits), score(self.bits))


def _taking_part(projects: Iterable[Project], taken: set[RecordId]) -> list[Project]:
    """Take the projects that live, stand at the top and have no partner, by id."""
    return sorted(
        (p for p in projects if not p.gone and p.parent_id is None and p.id not in taken),
        key=lambda project: project.id,
    )


def _compare(
    left: Iterable[Project], right: Iterable[Project], customers: Mapping[RecordId, RecordId]
) -> Iterator[_Likely]:
    """Compare the projects of linked customers; the likeliest pairs come first."""
    theirs: defaultdict[RecordId, list[Project]] = defaultdict(list)
    for project in right:
        if project.customer_id is not None:
            theirs[project.customer_id].append(project)
    found = []
    for project in left:
        customer = customers.get(project.customer_id) if project.customer_id else None
        for other in theirs[customer] if customer else ():
            bits = _facts(project, other)
            if bits & (_NAME_SAME | _NAME_KIN | _NUMBER_SAME):
                found.append(_Likely((project.id, other.id), bits))
    yield from sorted(found, key=lambda one: (-score(one.bits), min(one.ids), max(one.ids)))


def _facts(one: Project, other: Project) -> int:
    """Compare two projects by number, name and activity."""
    bits = _names(_key(one.name), _key(other.name))
    first, second = (_key(number or "").lstrip("0") for number in (one.number, other.number))
    if first and second:
        bits |= _NUMBER_SAME if first == second else bit(Fact.PROJECT_NUMBER_DIFFERENT)
    if one.active != other.active:
        bits |= bit(Fact.ACTIVITY_DIFFERENT)
    return bits


def _names(first: str, second: str) -> int:
    """Compare two names, read; digits in them are identity (Trinn 1 and Trinn 2)."""
    if first == second:
        return _NAME_SAME
    if re.findall(r"\d+", first) == re.findall(r"\d+", second):
        shorter = min(len(first), len(second))
        if shorter > 4 and OSA.distance(first, second, score_cutoff=2) <= 2:
            return bit(Fact.NAME_CLOSE)
    one, two = set(first.split()), set(second.split())
    return bit(Fact.NAME_CONTAINED) if one <= two or two <= one else bit(Fact.NAME_OTHER)


def _key(text: str) -> str:
    """Read a project's name or number: folded words, signs gone."""
    return _SIGNS.sub(" ", fold(text)).strip()


def _best(likely: Sequence[_Likely]) -> list[_Likely]:
    """Take the pairs that agree and are alone in agreeing, on both sides."""
    agreeing = [one for one in likely if one.agrees]
    left = Counter(one.ids[0] for one in agreeing)
    right = Counter(one.ids[1] for one in agreeing)
    return [one for one in agreeing if left[one.ids[0]] == 1 and right[one.ids[1]] == 1]


def _sorted(proposals: Iterable[Proposal]) -> tuple[Proposal, ...]:
    """Order proposals by falling score, then by id."""
    return tuple(sorted(proposals, key=lambda p: (-p.score, p.time_id, p.books_id)))


def _only(projects: Iterable[Project], shown: set[RecordId]) -> tuple[RecordId, ...]:
    """List the projects that stand nowhere else, by id."""
    return tuple(project.id for project in projects if project.id not in shown)

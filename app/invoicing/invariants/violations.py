"""Name what breaks an invariant of the ledger, from what was read of it; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.invoicing.ledger.differing import total_differs


class Broken(StrEnum):
    """
    Name what may never be; a code never changes its meaning.

    A draft in the books for each mark; one active row, and one line in the books, for each hour;
    no hour held without an end that somebody can see; one sum in lines, ledger and books.
    """

    MARK_TWICE = "several-drafts-carry-mark"
    HELD_TWICE = "hour-held-twice"
    BILLED_TWICE = "hour-on-two-lines"
    STUCK = "hours-stuck"
    ENDED = "hours-held-by-ended-draft"
    LINES_SUM = "lines-sum-differs"
    LEDGER_SUM = "ledger-sum-differs"
    REMOTE_SUM = "remote-sum-differs"


@dataclass(frozen=True, slots=True)
class Violation:
    """
    Hold one violation; no name or text of a customer.

    Args:
        draft_ids: The draft, or all that have the hour.
        entry_ids: The first of the hours it is about; ``hours`` says how many there are.
        ours: What the draft says, in øre; ``theirs`` what the lines, the ledger or the books say.
        books_ids: What in the books carries the mark.
        told: A person is asked about the draft already, for a reason of its own.

    """

    code: Broken
    draft_ids: tuple[UUID, ...]
    mark: str | None = None
    state: str | None = None
    since: datetime | None = None
    entry_ids: tuple[str, ...] = ()
    hours: int = 0
    ours: int | None = None
    theirs: int | None = None
    books_ids: tuple[str, ...] = ()
    told: bool = False


@dataclass(frozen=True, slots=True)
class Summed:
    """
    Hold a draft of which some sum may be another than its own, in øre.

    Args:
        net: The draft's own; ``lines_net`` the sum of its lines, ``ledger_net`` what the hours and
            differences it has in the ledger come to.
        is_odd: The ledger has the minutes, rate or sum of some line otherwise, whatever the sum;
            ``entry_ids`` are the first of the hours of such lines.
        lines: How many lines it has; ``standing_net`` and ``standing_vat`` are without those that
            a person released.
        seen_net: What the books said when they were last looked at; ``None`` where that is over,
            is about to be looked at anew, was before a release of lines, or was told to a person.

    """

    draft_id: UUID
    mark: str
    state: str
    problem: str | None
    net: int
    vat: int
    lines: int
    lines_net: int
    lines_vat: int
    ledger_net: int
    is_odd: bool
    entry_ids: Sequence[str]
    hours: int
    standing_net: int
    standing_vat: int
    seen_net: int | None
    seen_vat: int | None


@dataclass(frozen=True, slots=True)
class Carried:
    """Hold a draft whose mark several things in the books carry."""

    draft_id: UUID
    mark: str
    state: str
    problem: str | None
    books_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class HeldTwice:
    """Hold an hour and the drafts that hold it."""

    entry_id: str
    draft_ids: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class OnTwoLines:
    """Hold an hour that was freed, whose line still stands, and that another draft holds."""

    entry_id: str
    draft_ids: Sequence[UUID]
    problem: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Hold a draft that keeps hours and does not go on, or has ended; ``state`` says which."""

    draft_id: UUID
    mark: str | None
    state: str | None
    since: datetime | None
    entry_ids: Sequence[str]
    hours: int


@dataclass(frozen=True, slots=True)
class Suspects:
    """Hold what was read of one link; each is a suspect, and most links have none."""

    summed: Sequence[Summed] = field(default=())
    carried: Sequence[Carried] = field(default=())
    held_twice: Sequence[HeldTwice] = field(default=())
    on_two_lines: Sequence[OnTwoLines] = field(default=())
    stuck: Sequence[Waiting] = field(default=())
    ended: Sequence[Waiting] = field(default=())


def name_violations(read: Suspects) -> Iterator[Violation]:
    """Name each invariant that is broken, by the draft or the hour that breaks it."""
    for one in read.carried:
        yield Violation(
            Broken.MARK_TWICE, (one.draft_id,), one.mark, one.state,
            books_ids=tuple(one.books_ids), told=one.problem is not None,
        )  # fmt: skip
    for hour in read.held_twice:
        yield Violation(
            Broken.HELD_TWICE, tuple(hour.draft_ids), entry_ids=(hour.entry_id,), hours=1
        )
    for line in read.on_two_lines:
        yield Violation(
            Broken.BILLED_TWICE, tuple(line.draft_ids), entry_ids=(line.entry_id,), hours=1,
            told=line.problem is not None,
        )  # fmt: skip
    yield from (_waiting(Broken.STUCK, one) for one in read.stuck)
    yield from (_waiting(Broken.ENDED, one) for one in read.ended)
    for draft in read.summed:
        yield from _sums(draft)


def _waiting(code: Broken, one: Waiting) -> Violation:
    return Violation(
        code, (one.draft_id,), one.mark, one.state, one.since, tuple(one.entry_ids), one.hours
    )


def _sums(draft: Summed) -> Iterator[Violation]:
    if draft.net != draft.lines_net:
        yield _other_sum(Broken.LINES_SUM, draft, draft.net, draft.lines_net)
    elif draft.vat != draft.lines_vat:
        ours, theirs = draft.net + draft.vat, draft.lines_net + draft.lines_vat
        yield _other_sum(Broken.LINES_SUM, draft, ours, theirs)
    if draft.is_odd or draft.ledger_net != draft.net:
        yield _other_sum(Broken.LEDGER_SUM, draft, draft.net, draft.ledger_net, hours=True)
    if draft.seen_net is not None and _books_differ(draft, draft.seen_net):
        vat = (0, 0)
        if draft.seen_net == draft.standing_net:  # only the totals tell
            vat = (draft.standing_vat, draft.seen_vat or 0)
        ours, theirs = draft.standing_net + vat[0], draft.seen_net + vat[1]
        yield _other_sum(Broken.REMOTE_SUM, draft, ours, theirs)


def _books_differ(draft: Summed, seen: int) -> bool:
    """Compare as each look at the books does; before it they may have what was released since."""
    sums = ((draft.net, draft.vat), (draft.standing_net, draft.standing_vat))
    return all(
        total_differs(net=net, vat=vat, lines=draft.lines, their_net=seen, their_vat=draft.seen_vat)
        for net, vat in sums
    )


def _other_sum(
    code: Broken, draft: Summed, ours: int, theirs: int, *, hours: bool = False
) -> Violation:
    return Violation(
        code, (draft.draft_id,), draft.mark, draft.state, ours=ours, theirs=theirs,
        entry_ids=tuple(draft.entry_ids) if hours else (), hours=draft.hours if hours else 0,
        told=draft.problem is not None,
    )  # fmt: skip

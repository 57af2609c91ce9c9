"""Waiting changes are a set: noted once, taken in order, settled unless hinted at meanwhile."""

from datetime import timedelta

from app.canonical import LinkId, RecordId, RecordKind, Side
from app.changes.settle import Waiting, keep_waiting, make_due, settle
from app.changes.store import counts, note
from app.changes.take import Due, take_due
from app.database import CommitPoint, Database
from app.systems.ports import ChangeNotice
from tests.conftest import SetClock

CUSTOMER, PROJECT = RecordKind.CUSTOMER, RecordKind.PROJECT


class Store:
    """Runs each call in a transaction of its own."""

    def __init__(self, database: Database, clock: SetClock, link_id: LinkId) -> None:
        self.database, self.clock, self.link_id = database, clock, link_id

    async def note(self, *ids: str, kind: RecordKind = CUSTOMER, side: Side = Side.TIME) -> None:
        notices = [ChangeNotice(kind, RecordId(id_)) for id_ in ids]
        async with self.database.transaction(CommitPoint.PLAIN, self.link_id) as session:
            await note(session, self.link_id, side, notices, now=self.clock())

    async def take(self, bite: int = 50) -> list[Due]:
        async with self.database.reading(self.link_id) as session:
            found = await take_due(session, self.link_id, now=self.clock(), bite=bite)
        return [due for due, _ in found]

    async def settle(self, *dues: Due) -> None:
        async with self.database.transaction(CommitPoint.PLAIN, self.link_id) as session:
            await settle(session, self.link_id, dues, now=self.clock())

    async def wait(self, *waiting: Waiting) -> None:
        async with self.database.transaction(CommitPoint.PLAIN, self.link_id) as session:
            await keep_waiting(session, self.link_id, waiting)

    async def counts(self) -> tuple[int, int]:
        async with self.database.reading(self.link_id) as session:
            found = await counts(session, self.link_id)
        return found.pending, found.parked


async def test_hints_for_one_record_are_one_change(
    database: Database, clock: SetClock, link_id: LinkId
) -> None:
    """Also within one call."""
    store = Store(database, clock, link_id)
    await store.note("1", "1", "2")
    await store.note("1")

    assert [(due.record_id, due.counter) for due in await store.take()] == [("1", 2), ("2", 1)]


async def test_customers_are_taken_before_projects_and_at_most_a_bite(
    database: Database, clock: SetClock, link_id: LinkId
) -> None:
    """A project may need its customer's pair; a link never takes more than its bite."""
    store = Store(database, clock, link_id)
    await store.note("p", kind=PROJECT)
    clock.advance(seconds=1)
    await store.note("a", "b")

    assert [due.record_id for due in await store.take()] == ["a", "b", "p"]
    assert [due.record_id for due in await store.take(bite=1)] == ["a"]


async def test_settling_deletes_what_was_taken_and_nothing_newer(
    database: Database, clock: SetClock, link_id: LinkId
) -> None:
    """A hint during the work keeps the change, due at once and as if it had never failed."""
    store = Store(database, clock, link_id)
    await store.note("1", "2")
    taken = await store.take()
    await store.note("2")

    await store.settle(*taken)

    assert [(due.record_id, due.counter, due.attempts) for due in await store.take()] == [
        ("2", 2, 0)
    ]


async def test_a_postponed_change_comes_back_and_a_parked_one_does_not(
    database: Database, clock: SetClock, link_id: LinkId
) -> None:
    """Time brings back what waits for us, never what waits for a person."""
    store = Store(database, clock, link_id)
    await store.note("1", "2")
    one, two = await store.take()
    until = clock() + timedelta(seconds=30)
    await store.wait(
        Waiting(one, "system-unreachable", until, 1), Waiting(two, "record-gone", None, 1)
    )
    early = await store.take()
    clock.advance(days=1)

    assert early == []
    assert [(due.record_id, due.attempts) for due in await store.take()] == [("1", 1)]
    assert await store.counts() == (1, 1)


async def test_a_new_hint_brings_back_what_was_parked(
    database: Database, clock: SetClock, link_id: LinkId
) -> None:
    """The record changed, so the question may be answered."""
    store = Store(database, clock, link_id)
    await store.note("1")
    (due,) = await store.take()
    await store.wait(Waiting(due, "record-gone", None, 5))

    await store.note("1")

    assert [(due.record_id, due.attempts) for due in await store.take()] == [("1", 0)]


async def test_waiting_yields_to_a_hint_that_came_meanwhile(
    database: Database, clock: SetClock, link_id: LinkId
) -> None:
    """What was learnt of an older content postpones nothing of a newer one."""
    store = Store(database, clock, link_id)
    await store.note("1")
    (due,) = await store.take()
    await store.note("1")

    await store.wait(Waiting(due, "system-unreachable", clock() + timedelta(hours=1), 1))

    assert [(due.counter, due.attempts) for due in await store.take()] == [(2, 0)]


async def test_what_hindered_is_gone_and_only_those_are_due(
    database: Database, clock: SetClock, link_id: LinkId
) -> None:
    """A new pair or a better plan wakes exactly what waited for it."""
    store = Store(database, clock, link_id)
    await store.note("1", "2")
    later = clock() + timedelta(hours=1)
    codes = ("projects-need-smart", "system-unreachable")
    await store.wait(
        *(Waiting(due, code, later, 0) for due, code in zip(await store.take(), codes, strict=True))
    )

    async with database.transaction(CommitPoint.PLAIN, link_id) as session:
        woken = await make_due(session, link_id, ["projects-need-smart"], now=clock())

    assert woken == 1
    assert [due.record_id for due in await store.take()] == ["1"]


async def test_another_links_changes_are_never_seen(
    database: Database, clock: SetClock, link_id: LinkId
) -> None:
    """A transaction sees its own link's rows only."""
    from uuid_utils.compat import uuid7

    await Store(database, clock, link_id).note("1")

    assert await Store(database, clock, LinkId(uuid7())).take() == []

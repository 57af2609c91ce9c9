"""Draining a link's due changes: both sides end equal, nothing is lost, nothing goes to and fro."""

from datetime import timedelta

import pytest
import structlog

from app.canonical import RecordKind, Side
from app.sync.drain import drain_link
from app.systems.pace import Paces
from tests.conftest import SetClock
from tests.features.sync.conftest import Hands

REASON_KEY = "key-refused"


async def test_an_edit_in_timerabbit_reaches_conta(hands: Hands) -> None:
    """One hint, one read of each side, one write."""
    time_id, books_id = await hands.paired()
    await hands.edit_time(time_id, phone="22000001")
    await hands.hint(Side.TIME, time_id)

    await hands.work()

    assert (await hands.in_books(books_id))["phoneNo"] == "22000001"
    assert await hands.writes() == [f"PUT /invoice/organizations/1001/customers/{books_id}"]
    assert await hands.changes() == []


async def test_an_edit_in_conta_reaches_timerabbit(hands: Hands) -> None:
    """The same the other way."""
    time_id, books_id = await hands.paired()
    await hands.edit_books(books_id, emailAddress="ny@bakken.no")
    await hands.hint(Side.BOOKS, books_id)

    await hands.work()

    assert (await hands.in_time(time_id))["email"] == "ny@bakken.no"


async def test_edits_to_different_fields_both_live(hands: Hands) -> None:
    """Two people editing two fields do not disturb each other."""
    time_id, books_id = await hands.paired()
    await hands.edit_time(time_id, phone="22000001")
    await hands.edit_books(books_id, emailAddress="ny@bakken.no")
    await hands.hint(Side.TIME, time_id)

    await hands.work()

    books, time = await hands.in_books(books_id), await hands.in_time(time_id)
    assert (books["phoneNo"], books["emailAddress"]) == ("22000001", "ny@bakken.no")
    assert (time["phone"], time["email"]) == ("22000001", "ny@bakken.no")


async def test_echo_of_our_own_push_changes_nothing(hands: Hands) -> None:
    """Our write comes back as a hint, is read, found equal, and ends there."""
    time_id, books_id = await hands.paired()
    await hands.edit_time(time_id, phone="22000001")
    await hands.hint(Side.TIME, time_id)
    await hands.work()
    await hands.forget_calls()
    await hands.hint(Side.BOOKS, books_id)

    await hands.work()

    assert await hands.writes() == []
    assert await hands.changes() == []


async def test_both_hints_of_one_pair_are_one_look(hands: Hands) -> None:
    """Hints from both sides for one pair cost one read of each."""
    time_id, books_id = await hands.paired()
    await hands.hint(Side.TIME, time_id)
    await hands.hint(Side.BOOKS, books_id)

    await hands.work()

    assert await hands.calls("conta", "GET") == [
        f"GET /invoice/organizations/1001/customers/{books_id}"
    ]
    assert await hands.changes() == []


async def test_a_second_hint_during_the_work_is_not_lost(hands: Hands) -> None:
    """A change whose counter moved while it was looked at stays, due at once."""
    time_id, _ = await hands.paired()
    await hands.hint(Side.TIME, time_id)
    reads = hands.runtime.systems.time
    opened = reads.open

    def open_and_hint(tokens: object, *, pace_key: str) -> object:
        tracker = opened(tokens, pace_key=pace_key)  # type: ignore[arg-type]
        inner = tracker.read

        async def read(kind: RecordKind, record_id: object) -> object:
            await hands.hint(Side.TIME, time_id)
            return await inner(kind, record_id)  # type: ignore[arg-type]

        tracker.read = read  # type: ignore[method-assign, assignment]
        return tracker

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reads, "open", open_and_hint)
        await drain_link(hands.runtime, hands.linked.link_id)

    (change,) = await hands.changes()
    assert (change.state, change.counter, change.attempts) == ("pending", 2, 0)
    await hands.work()
    assert await hands.changes() == []


async def test_a_field_we_do_not_know_survives_our_update(hands: Hands) -> None:
    """Conta's whole-record PUT keeps what is not planned."""
    time_id, books_id = await hands.paired()
    await hands.edit_books(books_id, daysUntilPaymentReminder=21)
    await hands.edit_time(time_id, name="Bakken Norge AS")
    await hands.hint(Side.TIME, time_id)

    await hands.work()

    books = await hands.in_books(books_id)
    assert (books["name"], books["daysUntilPaymentReminder"]) == ("Bakken Norge AS", 21)


async def test_archiving_is_a_state_on_both_sides(hands: Hands) -> None:
    """Archived here is archived there; nothing is deleted."""
    time_id, books_id = await hands.paired()
    await hands.edit_time(time_id, active=False)
    await hands.hint(Side.TIME, time_id)

    await hands.work()

    assert (await hands.in_books(books_id))["isActive"] is False


async def test_the_same_field_changed_on_both_sides_is_a_question(hands: Hands) -> None:
    """Neither side is written; the conflict holds base and both values."""
    time_id, books_id = await hands.paired()
    await hands.edit_time(time_id, phone="22000001")
    await hands.edit_books(books_id, phoneNo="22000002")
    await hands.hint(Side.TIME, time_id)

    await hands.work()

    assert await hands.writes() == []
    found = await hands.rows("SELECT field, base, time_value, books_value, state FROM conflicts")
    assert found == [("phone", "22000000", "22000001", "22000002", "open")]
    assert [pair.problem for pair in await hands.pairs()] == ["conflict"]


async def test_a_conflict_that_the_sides_settle_themselves_is_over(hands: Hands) -> None:
    """When a person makes both sides equal the question goes away."""
    time_id, books_id = await hands.paired()
    await hands.edit_time(time_id, phone="22000001")
    await hands.edit_books(books_id, phoneNo="22000002")
    await hands.hint(Side.TIME, time_id)
    await hands.work()
    await hands.edit_books(books_id, phoneNo="22000001")
    await hands.hint(Side.BOOKS, books_id)

    await hands.work()

    assert await hands.rows("SELECT state FROM conflicts") == [("closed",)]
    assert [pair.problem for pair in await hands.pairs()] == [None]


async def test_a_record_that_vanished_leaves_its_partner_alone(hands: Hands) -> None:
    """A tombstone is a question, never a deed."""
    time_id, books_id = await hands.paired()
    path = f"/companies/cmp_1/customers/{time_id}/delete"
    await hands.twins.control("timerabbit", "POST", path)
    await hands.hint(Side.TIME, time_id)

    await hands.work()

    (change,) = await hands.changes()
    assert (change.state, change.code) == ("parked", "record-gone")
    assert await hands.writes() == []
    assert (await hands.in_books(books_id))["isActive"] is True


async def test_following_a_merge_moves_the_pair(hands: Hands) -> None:
    """The pair goes with the record that lives on, and the partner becomes what that one says."""
    time_id, books_id = await hands.paired()
    other = await hands.time_customer("Bakken og Sønn AS")
    path = f"/companies/cmp_1/customers/{time_id}/merge"
    await hands.twins.control("timerabbit", "POST", path, {"into": other})
    await hands.hint(Side.TIME, time_id)

    await hands.work()

    assert [(p.time_id, p.books_id) for p in await hands.pairs()] == [(other, books_id)]
    assert (await hands.in_books(books_id))["name"] == "Bakken og Sønn AS"
    assert await hands.changes() == []


async def test_a_merge_into_a_linked_record_is_a_question(hands: Hands) -> None:
    """Two partners cannot become one by themselves."""
    time_id, _ = await hands.paired()
    other, _ = await hands.paired("Lia AS")
    path = f"/companies/cmp_1/customers/{time_id}/merge"
    await hands.twins.control("timerabbit", "POST", path, {"into": other})
    await hands.hint(Side.TIME, time_id)

    await hands.work()

    (change,) = await hands.changes()
    assert (change.state, change.code) == ("parked", "merged-into-linked-record")


async def test_a_refused_field_does_not_hold_the_others(hands: Hands) -> None:
    """A name too long for Conta is a question; the phone is written, nothing is cut."""
    time_id, books_id = await hands.paired()
    await hands.edit_time(time_id, name="B" * 290, phone="22000001")
    await hands.hint(Side.TIME, time_id)

    await hands.work()

    books = await hands.in_books(books_id)
    assert (books["name"], books["phoneNo"]) == ("Bakken AS", "22000001")
    (change,) = await hands.changes()
    assert (change.state, change.code) == ("parked", "other-system-refused")


async def test_a_rate_limit_holds_everything_back_for_its_time(
    hands: Hands, clock: SetClock
) -> None:
    """After a 429 with Retry-After no call is made before then, and none is lost."""
    time_id, books_id = await hands.paired()
    await hands.edit_time(time_id, phone="22000001")
    await hands.fault("conta", kind="status_before", status=429, retry_after=120, times=1)
    await hands.hint(Side.TIME, time_id)
    await hands.work()
    await hands.forget_calls()
    clock.advance(seconds=100)
    await hands.hint(Side.TIME, time_id)
    await hands.work()
    early = await hands.calls("conta", "GET", "PUT")
    clock.advance(seconds=60)
    # The pace in process goes by the real clock; another process would have none.
    transport = hands.runtime.systems.books._transport  # type: ignore[attr-defined]
    transport._paces = Paces(10_000, 10_000)

    await hands.work()

    assert early == []
    assert (await hands.in_books(books_id))["phoneNo"] == "22000001"


async def test_a_refused_key_pauses_the_link_once_and_keeps_the_work(hands: Hands) -> None:
    """Losing access is told once; the work waits in its rows."""
    time_id, _ = await hands.paired()
    await hands.twins.control("conta", "DELETE", "/keys/conta-demo-key")
    await hands.hint(Side.TIME, time_id)

    await hands.work()

    assert await hands.rows("SELECT state, pause_reason FROM links") == [("paused", REASON_KEY)]
    assert [change.state for change in await hands.changes()] == ["pending"]


@pytest.mark.parametrize(
    ("side", "reason"), [(Side.BOOKS, "key-unreadable"), (Side.TIME, "login-unreadable")]
)
async def test_a_credential_our_ring_cannot_open_pauses_the_link_once(
    hands: Hands, side: Side, reason: str
) -> None:
    """A key that left the ring is told as our own fault, not tried again for ever."""
    time_id, _ = await hands.paired()
    await hands.seal_with_a_lost_key(side)
    await hands.hint(Side.TIME, time_id)

    await hands.work()
    await hands.work()

    assert await hands.rows("SELECT state, pause_reason FROM links") == [("paused", reason)]
    assert [(change.state, change.attempts) for change in await hands.changes()] == [("pending", 0)]
    assert await hands.calls("conta", "GET") == []


async def test_a_paused_link_keeps_its_work(hands: Hands) -> None:
    """Nothing is done while the link is not active."""
    time_id, _ = await hands.paired()
    await hands.rows("SELECT 1")
    await hands.twins.control("conta", "DELETE", "/keys/conta-demo-key")
    await hands.hint(Side.TIME, time_id)
    await hands.work()
    await hands.forget_calls()
    await hands.hint(Side.TIME, time_id)

    await hands.work()

    assert await hands.calls("timerabbit", "GET") == []
    assert [change.counter for change in await hands.changes()] == [2]


async def test_a_dead_system_is_tried_again_and_parks_nothing(
    hands: Hands, clock: SetClock
) -> None:
    """While a system is away changes wait in growing steps; back again, everything is in step."""
    time_id, books_id = await hands.paired()
    await hands.edit_time(time_id, phone="22000001")
    await hands.fault("conta", kind="reset_before")
    await hands.hint(Side.TIME, time_id)
    await hands.work()  # once: more would open the breaker, which goes by the real clock
    waiting = await hands.changes()
    await hands.twins.control("conta", "DELETE", "/faults")
    clock.advance(seconds=301)

    await hands.work()

    assert [(change.state, change.code) for change in waiting] == [("pending", "other-system-away")]
    assert (await hands.in_books(books_id))["phoneNo"] == "22000001"


async def test_an_answer_lost_after_the_write_is_healed_by_reading(
    hands: Hands, clock: SetClock
) -> None:
    """The write happened; the next look reads equal and writes nothing more."""
    time_id, books_id = await hands.paired()
    await hands.edit_time(time_id, phone="22000001")
    await hands.fault("conta", kind="lost_answer", method="PUT", times=1)
    await hands.hint(Side.TIME, time_id)
    await hands.work()
    clock.advance(seconds=60)

    await hands.work()

    assert len([call for call in await hands.writes() if call.startswith("PUT")]) == 1
    assert await hands.changes() == []
    assert [pair.base["phone"] for pair in await hands.pairs()] == ["22000001"]
    assert (await hands.in_books(books_id))["phoneNo"] == "22000001"


async def test_a_projects_edit_reaches_the_other_side(hands: Hands) -> None:
    """A project's own fields are kept equal; its customer is named by the customer's pair."""
    time_id, books_id = await hands.paired()
    body = {"name": "Tak", "customerId": time_id}
    made = await hands.twins.control("timerabbit", "POST", "/companies/cmp_1/projects", body)
    other = await hands.twins.control(
        "conta", "POST", "/organizations/1001/projects",
        {"name": "Tak", "customerId": int(books_id)},
    )  # fmt: skip
    await hands.pair(made["id"], str(other["id"]), RecordKind.PROJECT)
    await hands.edit_time(made["id"], "projects", name="Nytt tak")
    await hands.hint(Side.TIME, made["id"], kind=RecordKind.PROJECT)

    await hands.work()

    assert (await hands.in_books(str(other["id"]), "projects"))["name"] == "Nytt tak"
    assert await hands.changes() == []


async def test_without_smart_projects_wait_and_customers_do_not(
    hands: Hands, clock: SetClock
) -> None:
    """What the plan allows is data: projects begin by themselves when it gains them."""
    time_id, books_id = await hands.paired()
    await hands.twins.control("conta", "POST", "/organizations/1001/plan", {"features": []})
    clock.advance(hours=5)
    await hands.work()
    body = {"name": "Tak", "customerId": time_id}
    made = await hands.twins.control("timerabbit", "POST", "/companies/cmp_1/projects", body)
    await hands.hint(Side.TIME, made["id"], kind=RecordKind.PROJECT)
    await hands.edit_time(time_id, phone="22000001")
    await hands.hint(Side.TIME, time_id)
    await hands.work()
    waiting = [(change.kind, change.code) for change in await hands.changes()]
    phone = (await hands.in_books(books_id))["phoneNo"]
    await hands.twins.control(
        "conta", "POST", "/organizations/1001/plan", {"features": ["ALLOW_PROJECT"]}
    )
    clock.advance(hours=5)

    await hands.work()

    assert (waiting, phone) == ([("project", "projects-need-smart")], "22000001")
    assert [change.code for change in await hands.changes()] != ["projects-need-smart"]


async def test_counters_and_due_time_stand_in_the_directory(hands: Hands, clock: SetClock) -> None:
    """The drain's end says what waits, for how long, and what is parked."""
    time_id, _ = await hands.paired()
    await hands.fault("conta", kind="status_before", status=503, times=4)
    await hands.hint(Side.TIME, time_id)

    await drain_link(hands.runtime, hands.linked.link_id)

    ((pending, parked, due),) = await hands.rows(
        "SELECT pending, parked, next_due FROM link_directory"
    )
    assert (pending, parked) == (1, 0)
    assert timedelta(seconds=10) <= due - clock() <= timedelta(seconds=15)


async def test_a_fault_of_ours_is_logged_without_what_it_says(hands: Hands) -> None:
    """An exception may quote a customer; the log tells where it happened and nothing else."""
    time_id, _ = await hands.paired()
    await hands.hint(Side.TIME, time_id)
    keepers = hands.runtime.systems.time
    opened = keepers.open
    text = "input_value='kari@bakken.no'"

    def open_badly(tokens: object, *, pace_key: str) -> object:
        tracker = opened(tokens, pace_key=pace_key)  # type: ignore[arg-type]

        async def read(_kind: RecordKind, _record_id: object) -> object:
            raise ValueError(text) from KeyError(text)

        tracker.read = read  # type: ignore[method-assign, assignment]
        return tracker

    with pytest.MonkeyPatch.context() as patch, structlog.testing.capture_logs() as lines:
        patch.setattr(keepers, "open", open_badly)
        await drain_link(hands.runtime, hands.linked.link_id)

    (line,) = [line for line in lines if line["event"] == "look failed"]
    assert (line["error"], line["record_id"]) == ("ValueError", time_id)
    assert "reconcile.py" in line["traceback"]
    assert "kari" not in str(lines)

"""What every connected system must offer, proved on each client against its twin."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.canonical import (
    Address,
    Customer,
    CustomerKind,
    Project,
    Record,
    RecordId,
    RecordKind,
)
from app.systems.ports import (
    NotFound,
    RateLimited,
    RecordKeeper,
    Rejected,
    Row,
    Sighting,
    SystemFault,
    Unauthorised,
    Unreachable,
)

CUSTOMER, PROJECT = RecordKind.CUSTOMER, RecordKind.PROJECT
ADDRESS = Address("Lillegata 2", "Oppgang B", "5003", "Bergen", "NO")
ACME = Customer(
    RecordId(""),
    "Acme AS",
    CustomerKind.COMPANY,
    organization_number="974760673",
    email="post@acme.example",
    phone="55123456",
    address=ADDRESS,
)


async def rows_of(keeper: RecordKeeper, kind: RecordKind, **since: Any) -> dict[str, Row]:
    return {row.id: row async for page in keeper.pages(kind, **since) for row in page.rows}


async def read(keeper: RecordKeeper, id_: RecordId, kind: RecordKind = CUSTOMER) -> Record:
    record = (await keeper.read(kind, id_)).record
    assert record is not None
    return record


def alike(left: Record, right: Record) -> bool:
    """Say whether two customers say the same, but for id and mark."""
    assert isinstance(left, Customer)
    assert isinstance(right, Customer)
    return (
        left.name,
        left.kind,
        left.organization_number,
        left.email,
        left.phone,
        left.address,
        left.active,
    ) == (
        right.name,
        right.kind,
        right.organization_number,
        right.email,
        right.phone,
        right.address,
        right.active,
    )


@pytest.mark.parametrize("kind", list(RecordKind))
async def test_every_record_is_listed(person: Any, kind: RecordKind) -> None:
    """None is left out, and each can be read by the id it is listed with."""
    rows = await rows_of(person.keeper, kind)

    assert set(rows) == await person.ids(kind)
    for row in rows.values():
        record = await read(person.keeper, row.id, kind)
        assert record.name == row.record.name
        assert not row.complete or record == row.record


async def test_inactive_records_are_listed_too(person: Any) -> None:
    """Archived on one side means archived on the other, so it must be seen."""
    id_ = await person.add_customer("Arkivert AS")
    await person.edit_customer(id_, active=False)

    row = (await rows_of(person.keeper, CUSTOMER))[id_]

    assert not row.record.active
    assert not (await read(person.keeper, id_)).active


async def test_what_changed_is_listed_when_asked_for(person: Any) -> None:
    """The list by change may hold more than what changed, never less."""
    id_ = await person.add_customer("Ny Kunde AS")

    rows = await rows_of(
        person.keeper, CUSTOMER, changed_since=datetime.now(UTC) - timedelta(minutes=5)
    )

    assert id_ in rows


async def test_a_change_shows_in_the_fingerprint(person: Any) -> None:
    """Reading a list twice gives the same fingerprints but for what changed between."""
    id_ = await person.add_customer("Før AS")
    before = await rows_of(person.keeper, CUSTOMER)
    await person.edit_customer(id_, name="Etter AS")
    after = await rows_of(person.keeper, CUSTOMER)

    changed = {i for i in after if after[i].fingerprint != before[i].fingerprint}

    assert changed == {id_}


async def test_a_missing_record_is_none(person: Any) -> None:
    """An id that was never given is simply not there."""
    assert await person.keeper.read(CUSTOMER, RecordId("999999999")) == Sighting(None)


async def test_a_deleted_record_is_none_or_a_tombstone(person: Any) -> None:
    """Either way nobody takes it for a living record."""
    id_ = await person.add_customer("Slettet AS")
    await person.delete_customer(id_)

    seen = await person.keeper.read(CUSTOMER, id_)
    row = (await rows_of(person.keeper, CUSTOMER)).get(id_)

    assert seen.record is None or seen.record.gone
    assert row is None or row.record.gone


async def test_a_created_record_is_read_back_as_it_was_sent(person: Any) -> None:
    """And it stands in the list."""
    made = await person.keeper.create(CUSTOMER, ACME, key="intent-0001")

    assert alike(made, ACME)
    assert alike(await read(person.keeper, made.id), ACME)
    assert made.id in await rows_of(person.keeper, CUSTOMER)


async def test_creating_twice_with_one_key_makes_what_the_capabilities_say(person: Any) -> None:
    """Where the key counts there is one record, elsewhere two; nobody may guess."""
    capabilities = await person.keeper.capabilities()

    first = await person.keeper.create(CUSTOMER, ACME, key="intent-0001")
    second = await person.keeper.create(CUSTOMER, ACME, key="intent-0001")

    assert (first.id == second.id) is capabilities.idempotent_create


async def test_a_record_with_only_what_is_required_can_be_created(person: Any) -> None:
    """What the capabilities call required is enough."""
    required = (await person.keeper.capabilities()).required
    bare = Customer(
        RecordId(""),
        "Enkel AS",
        CustomerKind.COMPANY,
        address=Address("Gata 1", None, "0155", "Oslo")
        if "address.line1" in required
        else Address(),
    )

    made = await person.keeper.create(CUSTOMER, bare, key="intent-0002")

    assert made.name == "Enkel AS"


async def test_a_project_is_created_renamed_and_put_away(person: Any) -> None:
    """Whole life of a project, with its customer kept."""
    customer = await person.keeper.create(CUSTOMER, ACME, key="intent-0001")
    made = await person.keeper.create(
        PROJECT, Project(RecordId(""), "Nytt tak", customer.id), key="intent-0003"
    )

    seen = await person.keeper.read(PROJECT, made.id)
    await person.keeper.update(PROJECT, seen, {"name": "Nytt skifertak"})
    seen = await person.keeper.read(PROJECT, made.id)
    await person.keeper.update(PROJECT, seen, {"active": False})

    stored = await read(person.keeper, made.id, PROJECT)
    assert isinstance(stored, Project)
    assert (stored.name, stored.customer_id, stored.active) == (
        "Nytt skifertak",
        customer.id,
        False,
    )


async def test_an_update_changes_what_it_names_and_keeps_the_rest(person: Any) -> None:
    """Members we never sync, and those we do not know, stay as the person left them."""
    id_ = await person.add_customer("Beholdt AS", **person.unsynced)
    before = await person.customer(id_)
    seen = await person.keeper.read(CUSTOMER, id_)

    changed = await person.keeper.update(CUSTOMER, seen, {"phone": "22334455"})

    after = await person.customer(id_)
    differing = {
        name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
    }
    assert changed.phone == "22334455"
    assert differing & set(person.unsynced) <= {"contacts"}
    assert [c["name"] for c in after["contacts"]] == [
        c["name"] for c in person.unsynced["contacts"]
    ]
    assert len(differing - {"contacts", "modifiedAt", "updatedAt", "version", "lastChangedBy"}) == 1


async def test_every_synced_field_can_be_changed(person: Any) -> None:
    """After writing all of another customer's fields the record says what that one says."""
    id_ = await person.add_customer("Alt Nytt AS")
    seen = await person.keeper.read(CUSTOMER, id_)

    await person.keeper.update(
        CUSTOMER,
        seen,
        {
            "name": ACME.name,
            "kind": ACME.kind,
            "organization_number": ACME.organization_number,
            "email": ACME.email,
            "phone": ACME.phone,
            "address": ACME.address,
            "active": ACME.active,
        },
    )

    assert alike(await read(person.keeper, id_), ACME)


async def test_a_field_can_be_cleared(person: Any) -> None:
    """``None`` clears, where the system does not require the field."""
    made = await person.keeper.create(CUSTOMER, ACME, key="intent-0001")
    seen = await person.keeper.read(CUSTOMER, made.id)

    await person.keeper.update(
        CUSTOMER, seen, {"phone": None, "email": None, "organization_number": None}
    )

    record = await read(person.keeper, made.id)
    assert isinstance(record, Customer)
    assert (record.phone, record.email, record.organization_number) == (None, None, None)


async def test_an_update_of_a_deleted_record_writes_nothing(person: Any) -> None:
    """It is refused in one of the ways the caller knows."""
    id_ = await person.add_customer("Borte AS")
    seen = await person.keeper.read(CUSTOMER, id_)
    await person.delete_customer(id_)

    with pytest.raises((NotFound, Rejected)):
        await person.keeper.update(CUSTOMER, seen, {"phone": "22334455"})


async def test_what_does_not_fit_is_refused_and_never_cut(person: Any) -> None:
    """The longest text the capabilities allow is taken, one more is not."""
    limit = (await person.keeper.capabilities()).text_limits[CUSTOMER]["name"]
    id_ = await person.add_customer("Kort AS")
    seen = await person.keeper.read(CUSTOMER, id_)

    longest = await person.keeper.update(CUSTOMER, seen, {"name": "x" * limit})
    with pytest.raises(Rejected) as caught:
        await person.keeper.update(
            CUSTOMER, await person.keeper.read(CUSTOMER, id_), {"name": "x" * (limit + 1)}
        )

    assert len(longest.name) == limit
    assert [reason.about for reason in caught.value.reasons] == ["name"]


async def test_a_stranger_sees_nothing(person: Any) -> None:
    """Another account's credential finds no record of ours."""
    id_ = await person.add_customer("Hemmelig AS")

    try:
        seen = await person.stranger.read(CUSTOMER, id_)
    except Unauthorised:
        return
    assert seen.record is None


async def test_a_read_survives_two_failures(person: Any) -> None:
    """The third try is the caller's answer."""
    id_ = await person.add_customer("Treg AS")
    await person.fault("status_before", status=503, times=2)

    assert (await read(person.keeper, id_)).name == "Treg AS"


@pytest.mark.parametrize(
    ("fault", "more", "fits"),
    [
        ("status_before", {"status": 503}, Unreachable),
        ("status_before", {"status": 429, "retry_after": 60}, RateLimited),
        ("html_page", {}, Unreachable),
        ("broken_body", {}, Unreachable),
        ("lost_answer", {}, Unreachable),
        ("reset_before", {}, Unreachable),
    ],
)
async def test_every_failure_of_a_read_is_one_of_the_five(
    person: Any, fault: str, more: dict[str, Any], fits: type[SystemFault]
) -> None:
    """And none of them can have had an effect."""
    id_ = await person.add_customer("Feil AS")
    await person.fault(fault, **more)

    with pytest.raises(fits) as caught:
        await person.keeper.read(CUSTOMER, id_)

    assert not getattr(caught.value, "effect_possible", False)


@pytest.mark.parametrize(
    ("fault", "made"),
    [
        ("status_before", False),
        ("status_after", True),
        ("lost_answer", True),
        ("reset_before", False),
        ("broken_body", True),
        ("html_page", False),
    ],
)
async def test_a_create_of_unknown_outcome_says_so(person: Any, fault: str, made: bool) -> None:
    """Whether it was made or not, the answer is the same, and looking settles it."""
    await person.fault(fault, method="POST", times=1)

    with pytest.raises(Unreachable) as caught:
        await person.keeper.create(CUSTOMER, ACME, key="intent-0001")

    assert caught.value.effect_possible
    rows = await rows_of(person.keeper, CUSTOMER)
    assert any(row.record.name == "Acme AS" for row in rows.values()) is made


@pytest.mark.parametrize("kind", list(RecordKind))
async def test_nothing_is_called_for_an_update_of_nothing(person: Any, kind: RecordKind) -> None:
    """An empty plan costs nothing."""
    record: Record = ACME if kind is CUSTOMER else Project(RecordId("1"), "Kai")

    assert await person.keeper.update(kind, Sighting(record), {}) == record

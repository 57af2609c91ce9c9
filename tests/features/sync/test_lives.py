"""What happens in a record's life: archived and back, renamed while its projects sync, restored."""

import pytest

from app.canonical import RecordKind, Side
from tests.features.sync.conftest import Hands


async def _project(hands: Hands, time_id: str, books_id: str, name: str = "Tak") -> tuple[str, str]:
    made = await hands.twins.control(
        "timerabbit", "POST", "/companies/cmp_1/projects", {"name": name, "customerId": time_id}
    )
    other = await hands.twins.control(
        "conta", "POST", "/organizations/1001/projects",
        {"name": name, "customerId": int(books_id)},
    )  # fmt: skip
    await hands.pair(made["id"], str(other["id"]), RecordKind.PROJECT)
    return made["id"], str(other["id"])


async def _edit(hands: Hands, side: Side, ids: tuple[str, str], active: bool, kind: str) -> None:
    if side is Side.TIME:
        await hands.edit_time(ids[0], kind, active=active)
    elif kind == "projects":
        await hands.edit_books(ids[1], kind, isHidden=not active)
    else:
        await hands.edit_books(ids[1], kind, isActive=active)


async def _active(hands: Hands, ids: tuple[str, str], kind: str) -> tuple[bool, bool]:
    time, books = await hands.in_time(ids[0], kind), await hands.in_books(ids[1], kind)
    told = not books.get("isHidden", False) if kind == "projects" else books["isActive"]
    return bool(time["active"]), bool(told)


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("kind", ["customers", "projects"])
async def test_archived_and_back_on_either_side(hands: Hands, side: Side, kind: str) -> None:
    """Both states follow, one write each, and nothing else of the record changes."""
    ids = await hands.paired()
    if kind == "projects":
        ids = await _project(hands, *ids)
    record_kind = RecordKind(kind.removesuffix("s"))
    names = [(await hands.in_time(ids[0], kind))["name"]]
    states = []
    await hands.forget_calls()
    for active in (False, True):
        await _edit(hands, side, ids, active, kind)
        await hands.hint(side, ids[0] if side is Side.TIME else ids[1], kind=record_kind)
        await hands.work()
        states.append(await _active(hands, ids, kind))
    names.append((await hands.in_books(ids[1], kind))["name"])

    assert states == [(False, False), (True, True)]
    assert len(await hands.writes()) == 2
    assert names[0] == names[1]
    assert await hands.changes() == []


async def test_a_customer_renamed_while_its_projects_sync(hands: Hands) -> None:
    """Name and projects arrive in one drain; the projects stay with their customer."""
    time_id, books_id = await hands.paired()
    first = await _project(hands, time_id, books_id)
    new = await hands.twins.control(
        "timerabbit", "POST", "/companies/cmp_1/projects", {"name": "Gulv", "customerId": time_id}
    )
    await hands.edit_time(time_id, name="Bakken Norge AS")
    await hands.edit_books(first[1], "projects", name="Nytt tak")
    await hands.hint(Side.TIME, new["id"], kind=RecordKind.PROJECT)
    await hands.hint(Side.BOOKS, first[1], kind=RecordKind.PROJECT)
    await hands.hint(Side.TIME, time_id)

    await hands.work()

    assert (await hands.in_books(books_id))["name"] == "Bakken Norge AS"
    assert (await hands.in_time(first[0], "projects"))["name"] == "Nytt tak"
    projects = (await hands.twins.books())["projects"]
    assert sorted((one["name"], str(one["customerId"])) for one in projects) == [
        ("Gulv", books_id), ("Nytt tak", books_id),
    ]  # fmt: skip
    assert [call for call in await hands.writes() if call.startswith("POST")] == [
        "POST /invoice/organizations/1001/projects"
    ]
    assert await hands.changes() == []


async def test_thirty_echoes_write_nothing(hands: Hands) -> None:
    """However often our own writes come back, from both sides, no system is written to again."""
    pairs = [await hands.paired(f"Kunde {number} AS") for number in range(5)]
    for number, (time_id, _) in enumerate(pairs):
        await hands.edit_time(time_id, phone=f"+47 22 00 00 0{number}")
        await hands.hint(Side.TIME, time_id)
    await hands.work()
    written = len(await hands.writes())
    await hands.forget_calls()
    for _ in range(3):
        for time_id, books_id in pairs:
            await hands.hint(Side.TIME, time_id)
            await hands.hint(Side.BOOKS, books_id)
        await hands.work()

    assert written == len(pairs)
    assert await hands.writes() == []


@pytest.mark.parametrize("side", list(Side))
async def test_a_record_deleted_on_one_side_is_asked_about_once(hands: Hands, side: Side) -> None:
    """Its half stays; asked again by an echo of the other half it is the same question."""
    time_id, books_id = await hands.paired()
    system, path = (
        ("timerabbit", f"/companies/cmp_1/customers/{time_id}/delete")
        if side is Side.TIME
        else ("conta", f"/organizations/1001/customers/{books_id}/delete")
    )
    await hands.twins.control(system, "POST", path)
    own, other = (time_id, books_id) if side is Side.TIME else (books_id, time_id)
    await hands.hint(side, own)
    await hands.work()
    await hands.hint(side.other, other)
    await hands.work()

    asked = [(one.side, one.state, one.code) for one in await hands.changes()]
    assert asked == [(side.value, "parked", "record-gone")]
    assert await hands.writes() == []

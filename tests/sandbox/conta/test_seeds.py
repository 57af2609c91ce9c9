from datetime import date

import pytest
from stdnum.no import orgnr

from app.sandbox.conta import create_twin
from app.sandbox.conta.money import as_json
from app.sandbox.openapi import Call, Contract
from app.sandbox.seeds import demo, size

TODAY = date(2026, 11, 24)


def test_the_same_seed_is_the_same_world() -> None:
    """Seeds are pure: the same arguments give the same world."""
    assert demo(TODAY) == demo(TODAY)
    assert size(50, 3, today=TODAY) == size(50, 3, today=TODAY)
    assert size(50, 3, today=TODAY) != size(50, 4, today=TODAY)


def test_the_told_world_has_its_cases() -> None:
    """Pairs, a duplicate, unready records, an ambiguous one, a conflict and strangers are there."""
    world = demo(TODAY)
    time, books = world.companies[0], world.organizations[0]
    names = [customer["name"] for customer in books.customers]
    numbers = [customer["organizationNumber"] for customer in time.customers]

    assert (len(time.customers), len(books.customers)) == (40, 40)
    assert time.organization_number == books.organization_number
    assert sum(customer["kind"] == "unset" for customer in time.customers) == 2
    assert sum(customer["address"]["line1"] is None for customer in time.customers) == 2
    assert [n for n in numbers if n and not orgnr.is_valid(n)] != []
    assert len(names) - len(set(names)) == 1
    assert len([n for n in numbers if n]) - len({n for n in numbers if n}) == 1
    assert len(world.organizations) == len(world.companies) == 2
    theirs = {c["orgNo"].replace(" ", ""): c for c in books.customers if c.get("orgNo")}
    mails = {number: customer["emailAddress"] for number, customer in theirs.items()}
    ours = {c["organizationNumber"]: c["email"] for c in time.customers if c["email"]}
    apart = [number for number, mail in ours.items() if mails.get(number, mail) != mail]
    assert len(apart) == 1


def test_hours_lie_in_the_last_six_weeks_on_weekdays() -> None:
    """Sixty entries with each case that invoicing must meet."""
    entries = demo(TODAY).companies[0].time_entries

    days = [date.fromisoformat(entry["date"]) for entry in entries]
    assert len(entries) == 60
    assert all(0 <= (TODAY - day).days <= 44 and day.weekday() < 5 for day in days)
    assert {entry["invoiceStatus"] for entry in entries} == {"to_invoice", "not_billable"}
    assert sum(entry["hourlyRate"] is None for entry in entries) == 3
    assert any(entry["costs"] for entry in entries)
    assert any(entry["overtimeType"] for entry in entries)
    assert any(entry["customerId"] is None for entry in entries)


def test_entries_and_projects_name_customers_that_exist() -> None:
    """A project's hours are its customer's hours."""
    company = demo(TODAY).companies[0]
    customers = {customer["id"] for customer in company.customers} | {None}
    owners = {project["id"]: project["customerId"] for project in company.projects}

    assert set(owners.values()) <= customers
    for entry in company.time_entries:
        assert entry["customerId"] in customers
        if entry["projectId"] and owners[entry["projectId"]]:
            assert entry["customerId"] == owners[entry["projectId"]]


@pytest.mark.parametrize("n", [21, 40, 100, 801])
def test_a_world_of_any_size_has_that_size(n: int) -> None:
    """``size`` keeps the shares of the told world; ids and numbers are unique."""
    world = size(n, 2, today=TODAY)
    time, books = world.companies[0], world.organizations[0]

    assert (len(time.customers), len(books.customers)) == (n, n)
    assert len({customer["id"] for customer in time.customers}) == n
    assert len({customer["id"] for customer in books.customers}) == n


def test_an_empty_world_can_be_linked() -> None:
    """Size 0 has organizations, companies and keys, and no records of our own side."""
    world = size(0, 1, today=TODAY)

    assert world.companies[0].customers == world.organizations[0].customers == ()
    assert world.companies[0].time_entries == ()
    assert create_twin(seed=world).state.twin.organizations[1001].customers == {}


@pytest.mark.parametrize(("side", "path"), [("conta", "/invoice/organizations/1/customers")])
def test_conta_customers_could_have_been_created_by_api(side: str, path: str) -> None:
    """What the seed puts into Conta passes Conta's own rules of form."""
    contract = Contract(side)
    found = contract.find("POST", path)
    assert found is not None

    for customer in demo(TODAY).organizations[0].customers:
        call = Call(headers={"content-type": "application/json"}, body=as_json(customer))
        assert contract.body_flaws(found[0], call) == []

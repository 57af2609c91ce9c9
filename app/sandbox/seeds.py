"""
Give both twins one consistent world, each side in its own system's words.

About forty customers a side: most exist on both with small differences, some are not ready for a
first sync, one is a duplicate, one differs for real, one has two candidates. Pure functions; the
same arguments give the same world.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from app.sandbox.seed_hours import employees, hours, projects
from app.sandbox.seed_words import Parties, Party

Record = dict[str, Any]

FIRST_CUSTOMER = 10_000
COMPANY = "Fjord & Fjell Rådgivning AS"
FOREIGN = "Nabolaget Oppdiktet AS"


@dataclass(frozen=True)
class ContaOrganization:
    """
    Hold one organization in Conta's words.

    Customers and projects are whole records with ``id``. The organization number is for people;
    Conta's API does not tell it.
    """

    id: int
    name: str
    organization_number: str
    customers: tuple[Record, ...] = ()
    projects: tuple[Record, ...] = ()


@dataclass(frozen=True)
class ContaKey:
    """Hold an API key with the access of its user."""

    key: str
    user: str
    organizations: tuple[int, ...]


@dataclass(frozen=True)
class TimerabbitCompany:
    """Hold one company in Timerabbit's words; records lack only ``version`` and ``updatedAt``."""

    id: str
    name: str
    organization_number: str
    customers: tuple[Record, ...] = ()
    projects: tuple[Record, ...] = ()
    employees: tuple[Record, ...] = ()
    time_entries: tuple[Record, ...] = ()
    overtime_types: tuple[Record, ...] = ()
    settings: Record = field(default_factory=dict)


@dataclass(frozen=True)
class SeedWorld:
    """Hold what both twins start with; index 0 is the one to link, index 1 is a stranger."""

    organizations: tuple[ContaOrganization, ...]
    companies: tuple[TimerabbitCompany, ...]
    keys: tuple[ContaKey, ...]


class Plan(NamedTuple):
    """Say how many customers of each sort a world has."""

    pairs: int
    duplicates: int
    unset: int
    homeless: int
    misnumbered: int
    differing: int
    ambiguous: int
    time_only: int
    books_only: int


DEMO = Plan(28, 1, 2, 2, 1, 1, 1, 4, 8)


def demo(today: date) -> SeedWorld:
    """Give the told world: forty customers a side; hours of the six weeks up to ``today``."""
    return world_of(DEMO, seed=1, today=today, entries=60)


def size(n: int, seed: int, *, today: date, entries: int | None = None) -> SeedWorld:
    """
    Give a world with ``n`` customers a side in the shares of the told one.

    Below 21 there are some more, one of each sort; 0 gives an empty world that can be linked.
    """
    if n == 0:
        return world_of(Plan(*[0] * len(DEMO)), seed=seed, today=today, entries=0)
    many = Plan(*(max(1, count * n // 40) for count in DEMO))
    time_rest = n - sum(many[:7])
    books_rest = n - many.pairs - many.misnumbered - many.differing - 2 * many.ambiguous
    plan = many._replace(time_only=max(0, time_rest), books_only=max(0, books_rest))
    return world_of(
        plan, seed=seed, today=today, entries=n * 3 // 2 if entries is None else entries
    )


def world_of(plan: Plan, *, seed: int, today: date, entries: int = 0) -> SeedWorld:
    """Give a world with as many customers of each sort as the plan says."""
    parties = Parties(seed)
    couples = tuple(_numbered(_couples(plan, parties)))
    time = tuple(t for t, _ in couples if t)
    books = tuple(b for _, b in couples if b)
    paired = [(t, b) for t, b in couples[: plan.pairs] if t and b]
    count = max(10, len(time) // 4) if paired else 0
    time_projects, books_projects = projects(paired, count=count, today=today)
    staff = employees(max(4, len(time) // 50))
    own, foreign = parties.number(), parties.number()
    strangers = tuple(_numbered(_strangers(parties, paired), start=len(time) + 500))
    return SeedWorld(
        organizations=(
            ContaOrganization(1001, COMPANY, own, books, books_projects),
            ContaOrganization(2002, FOREIGN, foreign, tuple(b for _, b in strangers if b)),
        ),
        companies=(
            TimerabbitCompany(
                "cmp_1",
                COMPANY,
                own,
                customers=time,
                projects=time_projects,
                employees=staff,
                time_entries=hours(paired, time_projects, staff, count=entries, today=today),
                overtime_types=OVERTIME,
                settings=SETTINGS,
            ),
            TimerabbitCompany(
                "cmp_2", FOREIGN, foreign, tuple(t for t, _ in strangers if t), settings=SETTINGS
            ),
        ),
        keys=(
            ContaKey("conta-demo-key", "kari@fjordogfjell.example", (1001,)),
            ContaKey("conta-foreign-key", "nils@nabolaget.example", (2002,)),
        ),
    )


Couple = tuple[Record | None, Record | None]


def _couples(plan: Plan, parties: Parties) -> Iterator[Couple]:
    for number in range(plan.pairs):
        yield _pair(parties.person() if number % 5 == 4 else parties.company(), number)
    for _ in range(plan.differing):
        party = parties.company()
        moved = _books(party) | {
            "customerAddressLine1": "Flytteveien 1",
            "emailAddress": "ny@adresse.example",
        }
        yield _time(party), moved
    for _ in range(plan.ambiguous):
        party, other = parties.company(), parties.company()
        yield _time(party) | {"organizationNumber": None}, _books(party)
        yield None, _books(other) | {"name": party.name}
    for _ in range(plan.duplicates):
        party = parties.company()
        first = _time(party)
        yield first, None
        yield first | {"name": f"{party.name.removesuffix(' AS')} ", "phone": None}, None
    yield from _unready(plan, parties)
    for _ in range(plan.time_only - plan.duplicates):
        yield _time(parties.company()), None
    for _ in range(plan.books_only):
        yield None, _books(parties.company())


def _pair(party: Party, number: int) -> Couple:
    time, books = _time(party), _books(party)
    match number % 7:
        case 1 if not party.private:
            time["name"] = party.name.removesuffix(" AS")
        case 2:
            books.pop("phoneNo")
        case 3:
            time["email"] = None
        case 4:
            books["customerAddressPostcode"] = f"{party.postcode[:2]} {party.postcode[2:]}"
        case 5 if party.number:
            books["orgNo"] = f"{party.number[:3]} {party.number[3:6]} {party.number[6:]}"
        case 6:
            books.pop("customerAddressCountry")
        case _:
            pass
    return time, books


def _unready(plan: Plan, parties: Parties) -> Iterator[Couple]:
    for _ in range(plan.unset):
        yield _time(parties.company()) | {"kind": "unset"}, None
    for _ in range(plan.homeless):
        yield _time(parties.company()) | {"address": NOWHERE}, None
    for _ in range(plan.misnumbered):
        party, other = parties.company(), parties.company()
        yield _time(party) | {"organizationNumber": _miscounted(party)}, None
        yield None, _books(other) | {"orgNo": _miscounted(other)}


def _strangers(parties: Parties, paired: list[tuple[Record, Record]]) -> Iterator[Couple]:
    # The neighbour knows one of our customers too: nothing of ours may show through there.
    for time, books in paired[:1]:
        yield dict(time), dict(books)
    for _ in range(2):
        yield _pair(parties.company(), 0)


def _numbered(couples: Iterator[Couple], start: int = 0) -> Iterator[Couple]:
    time_count = books_count = start
    for time, books in couples:
        time_count += time is not None
        books_count += books is not None
        yield (
            time and {**time, "id": f"cus_{time_count}", "number": str(1000 + time_count)},
            books and {**books, "id": FIRST_CUSTOMER + books_count},
        )


def _time(party: Party) -> Record:
    return {
        "name": party.name,
        "kind": "private" if party.private else "company",
        "organizationNumber": party.number,
        "email": party.email,
        "phone": party.phone,
        "address": {
            "line1": party.street,
            "line2": None,
            "postalCode": party.postcode,
            "city": party.city,
            "country": "NO",
        },
        "hourlyRate": None,
        "notes": None,
        "active": True,
    }


def _books(party: Party) -> Record:
    record = {
        "name": party.name,
        "customerType": "INDIVIDUAL" if party.private else "ORGANIZATION",
        "customerAddressLine1": party.street,
        "customerAddressPostcode": party.postcode,
        "customerAddressCity": party.city,
        "customerAddressCountry": "Norge",
        "emailAddress": party.email,
        "phoneNo": party.phone,
        "invoiceDeliveryMethod": "EMAIL",
        "daysUntilPaymentReminder": 14,
        "isActive": True,
    }
    return record | ({"orgNo": party.number} if party.number else {})


def _miscounted(party: Party) -> str:
    number = party.number or "860000000"
    return number[:8] + str((int(number[8]) + 1) % 10)


NOWHERE = {"line1": None, "line2": None, "postalCode": None, "city": None, "country": "NO"}
OVERTIME = (
    {"id": "ovt_1", "name": "Overtid 50 %", "active": True},
    {"id": "ovt_2", "name": "Overtid 100 %", "active": True},
)
SETTINGS = {
    "billableHours": {"enabled": True, "defaultHourlyRate": "950", "rateOverrideAllowed": True},
    "customerAndProjectFields": {"enabled": True, "required": False},
    "overtimeEnabled": True,
    "costsEnabled": True,
    "kilometersEnabled": True,
    "approvalRequired": False,
}

"""Hold the twin's own truth: companies with everything they own, clients, logins, calls seen."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from app.sandbox.clock import Clock
from app.sandbox.contract import Contract, ContractRecord
from app.sandbox.faults import FaultBoard
from app.sandbox.issuer import Issuer
from app.sandbox.seeds import SeedWorld

Record = dict[str, Any]
Shelf = dict[str, Record]

PREFIXES = {
    "customers": "cus",
    "projects": "prj",
    "employees": "emp",
    "entries": "ent",
    "transfers": "trf",
    "subscriptions": "sub",
    "handovers": "hnd",
}
USER: Record = {"kind": "user", "clientId": None, "employeeId": "emp_1"}


class Client(NamedTuple):
    """Name a registered OAuth client and the redirect addresses it may use."""

    id: str
    secret: str
    redirect_uris: tuple[str, ...] = ()


class Seen(NamedTuple):
    """Note one call; status 0 means that it got no answer."""

    method: str
    path: str
    status: int
    at: datetime


class Event(NamedTuple):
    """Tell that something happened in a company, as a webhook would say it."""

    type: str
    company: str
    data: Record


@dataclass
class Company:
    """Keep one company: its settings, subscription and everything it owns."""

    facts: Record
    settings: Record
    overtime_types: list[Record] = field(default_factory=list)
    customers: Shelf = field(default_factory=dict)
    projects: Shelf = field(default_factory=dict)
    employees: Shelf = field(default_factory=dict)
    entries: Shelf = field(default_factory=dict)
    transfers: Shelf = field(default_factory=dict)
    subscriptions: Shelf = field(default_factory=dict)
    link: Record | None = None

    @property
    def id(self) -> str:
        """Give the company's id."""
        return str(self.facts["id"])


class Store:
    """Hold the twin's whole state and hand out counted ids."""

    def __init__(self, *, base_url: str, clock: Clock, contract: Contract) -> None:
        self.base_url = base_url
        self.clock = clock
        self.contract = contract
        self.board = FaultBoard()
        self.violations = ContractRecord()
        self.issuer = Issuer("timerabbit", url=base_url, clock=clock)
        self.companies: dict[str, Company] = {}
        self.clients: dict[str, Client] = {}
        self.handovers: Shelf = {}
        self.codes: Shelf = {}
        self.access: Shelf = {}
        self.refresh: Shelf = {}
        self.replays: dict[str, Record] = {}
        self.requests: list[Seen] = []
        self.listeners: list[Callable[[Event], None]] = []
        self._last: Counter[str] = Counter()

    def served_at(self, url: str) -> None:
        """Learn the address at which the twin is served; tokens name it as their issuer."""
        self.base_url = url
        self.issuer.url = url

    def load(self, world: SeedWorld) -> None:
        """Forget all records and logins and begin with ``world``; clients, faults, clock stay."""
        self.companies = {}
        self._last.clear()
        for shelf in (self.handovers, self.codes, self.access, self.refresh, self.replays):
            shelf.clear()
        for seed in world.companies:
            company = self.add_company(seed.id, seed.name, seed.organization_number)
            company.settings |= seed.settings
            company.overtime_types = [dict(kind) for kind in seed.overtime_types]
            company.customers = self._shelf("customers", seed.customers)
            company.projects = self._shelf("projects", seed.projects)
            company.employees = self._shelf("employees", seed.employees)
            company.entries = self._shelf("entries", seed.time_entries)

    def add_company(self, company_id: str, name: str, number: str) -> Company:
        """Register a company with an active subscription."""
        now = self.now()
        facts = {
            "id": company_id, "version": 1, "createdAt": now, "updatedAt": now, "name": name,
            "organizationNumber": number, "timeZone": "Europe/Oslo", "currency": "NOK",
            "subscription": {"status": "active", "addOns": ["project", "conta"]},
        }  # fmt: skip
        settings = {
            "version": 1,
            "updatedAt": now,
            "billableHours": {
                "enabled": True,
                "defaultHourlyRate": "950",
                "rateOverrideAllowed": True,
            },
            "approvalRequired": False,
        }
        self.companies[company_id] = Company(facts, settings)
        return self.companies[company_id]

    def now(self) -> str:
        """Give the twin's instant as the contract writes it."""
        return text_of(self.clock.now())

    def new_id(self, kind: str) -> str:
        """Give the next id of a kind; ids are counted and never used again."""
        self._last[kind] += 1
        return f"{PREFIXES[kind]}_{self._last[kind]}"

    def keep(self, shelf: Shelf, kind: str, data: Record, origin: Record) -> Record:
        """Put a new record on its shelf, version 1."""
        now = self.now()
        record = {
            "id": self.new_id(kind), "version": 1, "createdAt": now, "updatedAt": now,
            "deletedAt": None, "lastChangedBy": origin, **data,
        }  # fmt: skip
        shelf[record["id"]] = record
        return record

    def touch(self, record: Record, changes: Record, origin: Record) -> None:
        """Change a record: one version up."""
        record.update(changes)
        record["version"] += 1
        record["updatedAt"] = self.now()
        record["lastChangedBy"] = origin

    def handover(self, key: str) -> Record | None:
        """Find a handover; one whose time is over has expired, whoever looks first."""
        held = self.handovers.get(key)
        if held is not None:
            shown = held["shown"]
            if shown["status"] == "pending" and shown["expiresAt"] <= self.now():
                shown["status"] = "expired"
        return held

    def tell(self, event_type: str, company: Company, data: Record) -> None:
        """Tell the listeners what happened."""
        for listener in self.listeners:
            listener(Event(event_type, company.id, data))

    def tell_record(self, event_type: str, company: Company, record: Record, **more: Any) -> None:  # noqa: ANN401
        """Tell that a record changed, thinly."""
        data = {
            "id": record["id"],
            "version": record["version"],
            "updatedAt": record["updatedAt"],
            "origin": record["lastChangedBy"],
            **more,
        }
        self.tell(event_type, company, data)

    def _shelf(self, kind: str, records: Iterable[Record]) -> Shelf:
        now = self.now()
        shelf = {
            record["id"]: {
                "version": 1, "createdAt": now, "updatedAt": now, "deletedAt": None,
                "lastChangedBy": USER, **record,
            }
            for record in records
        }  # fmt: skip
        numbers = [int(key.rpartition("_")[2]) for key in shelf]
        self._last[kind] = max(self._last[kind], *numbers, 0)
        return shelf


def text_of(instant: datetime) -> str:
    """Write an instant with microseconds and ``Z``."""
    return instant.isoformat(timespec="microseconds").replace("+00:00", "Z")

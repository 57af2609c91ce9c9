"""Keep the truth of the twin: organizations, what they own, keys, and who called."""

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

FEATURES = frozenset({
    "ALLOW_BOOKKEEPING", "ALLOW_EHF", "ALLOW_EMAIL", "ALLOW_KID", "ALLOW_LOGO", "ALLOW_PROJECT",
    "ALLOW_COPY_INVOICE", "ALLOW_MOBILEAPP",
})  # fmt: skip
VAT_CODES = frozenset({"high", "medium", "low", "zero.rate", "exempted", "export"})
FIRST_IDS = {"customer": 10_001, "project": 700_001, "draft": 300_001, "invoice": 900_001}
"""Each kind has its own range, so that an id taken for another kind's is noticed."""


@dataclass
class Kept:
    """Keep a record with what Conta knows of it but does not tell by API."""

    data: Record
    created_at: datetime
    modified_at: datetime
    hidden: Record = field(default_factory=dict)

    @property
    def id(self) -> int:
        """Give the record's id."""
        return int(self.data["id"])

    def whole(self) -> Record:
        """Show everything, for control calls."""
        times = {"createdAt": _text(self.created_at), "modifiedAt": _text(self.modified_at)}
        return {**self.data, **self.hidden, **times}


Shelf = dict[int, Kept]


@dataclass
class Organization:
    """Keep one organization: its settings and everything it owns."""

    id: int
    name: str
    organization_number: str
    blocked_status: str = "NOT_BLOCKED"
    read_only: bool = False
    features: set[str] = field(default_factory=lambda: set(FEATURES))
    vat_codes: set[str] = field(default_factory=lambda: set(VAT_CODES))
    customers: Shelf = field(default_factory=dict)
    projects: Shelf = field(default_factory=dict)
    products: Shelf = field(default_factory=dict)
    drafts: Shelf = field(default_factory=dict)
    invoices: Shelf = field(default_factory=dict)


@dataclass
class Key:
    """Keep an API key; it has the access of its user."""

    key: str
    user: str
    organizations: set[int]
    active: bool = True


class Seen(NamedTuple):
    """Note one call; status 0 means that it got no answer."""

    method: str
    path: str
    status: int
    at: datetime


class Change(NamedTuple):
    """Tell that a customer or project changed, as a webhook would say it."""

    type: str
    kind: str
    organization: int
    id: int


class Store:
    """Hold the twin's whole state and hand out rising ids."""

    def __init__(self, *, base_url: str, clock: Clock, contract: Contract) -> None:
        self.base_url = base_url
        self.clock = clock
        self.contract = contract
        self.board = FaultBoard()
        self.violations = ContractRecord()
        self.issuer = Issuer("conta", url=base_url, clock=clock)
        self.modified_filter = True
        """False mimics the document of December 2025: the filter is an unknown, ignored name."""
        self.organizations: dict[int, Organization] = {}
        self.keys: dict[str, Key] = {}
        self.requests: list[Seen] = []
        self.listeners: list[Callable[[Change], None]] = []
        self._last: Counter[str] = Counter()

    def served_at(self, url: str) -> None:
        """Learn the address at which the twin is served; tokens name it as their issuer."""
        self.base_url = url
        self.issuer.url = url

    def load(self, world: SeedWorld) -> None:
        """Forget all records and keys and begin with ``world``; faults and the clock stay."""
        self.organizations = {}
        self.keys = {k.key: Key(k.key, k.user, set(k.organizations)) for k in world.keys}
        self._last.clear()
        for seed in world.organizations:
            own = Organization(seed.id, seed.name, seed.organization_number)
            own.customers = self._shelf("customer", seed.customers)
            own.projects = self._shelf("project", seed.projects)
            self.organizations[own.id] = own

    def new_id(self, kind: str) -> int:
        """Give the next id of a kind; ids rise and are never used again."""
        self._last[kind] = max(self._last[kind] + 1, FIRST_IDS.get(kind, 1))
        return self._last[kind]

    def keep(self, shelf: Shelf, kind: str, data: Record, **hidden: object) -> Kept:
        """Put a new record on its shelf, with the next id."""
        now = self.clock.now()
        kept = Kept({**data, "id": self.new_id(kind)}, now, now, hidden)
        shelf[kept.id] = kept
        return kept

    def tell(self, kind: str, deed: str, organization: Organization, record_id: int) -> None:
        """Tell the listeners of a change: ``deed`` is created, updated or deleted."""
        for listener in self.listeners:
            listener(Change(f"{kind}.{deed}", kind, organization.id, record_id))

    def organization_of(self, shelf: str, record_id: int) -> Organization | None:
        """Find who owns a record; ids are unique across organizations."""
        owners = (o for o in self.organizations.values() if record_id in getattr(o, shelf))
        return next(owners, None)

    def _shelf(self, kind: str, records: Iterable[Record]) -> Shelf:
        now = self.clock.now()
        shelf = {int(record["id"]): Kept(dict(record), now, now) for record in records}
        self._last[kind] = max(self._last[kind], *shelf, 0)
        return shelf


def _text(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")

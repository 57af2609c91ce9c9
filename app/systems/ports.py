"""
Say what the two sides must offer, all of it in one place to import from.

``accounts`` holds what is bound to one account, ``products`` what is not, ``shapes`` and
``documents`` the values they speak in, ``faults`` what can go wrong.
"""

from app.systems.accounts import AccountingSystem, RecordKeeper, TimeTracker
from app.systems.documents import RemoteDraft, RemoteInvoice, RemoteLine
from app.systems.faults import (
    AccessReason,
    EntriesTaken,
    EntryConflict,
    NotFound,
    OwnAccessRefused,
    RateLimited,
    Reason,
    Rejected,
    SystemFault,
    Unauthorised,
    Unreachable,
)
from app.systems.products import BooksSystem, TimeSystem, TokenKeeper
from app.systems.shapes import (
    AccessReport,
    AccountFacts,
    Capabilities,
    ChangeNotice,
    Demands,
    EntryQuery,
    Finding,
    HandoverPage,
    HandoverRequest,
    HeldEntry,
    LinkFacts,
    Notice,
    Page,
    ReleaseReason,
    Reservation,
    Row,
    Sighting,
    Subscription,
    TimeSettings,
    Tokens,
)

__all__ = [
    "AccessReason",
    "AccessReport",
    "AccountFacts",
    "AccountingSystem",
    "BooksSystem",
    "Capabilities",
    "ChangeNotice",
    "Demands",
    "EntriesTaken",
    "EntryConflict",
    "EntryQuery",
    "Finding",
    "HandoverPage",
    "HandoverRequest",
    "HeldEntry",
    "LinkFacts",
    "NotFound",
    "Notice",
    "OwnAccessRefused",
    "Page",
    "RateLimited",
    "Reason",
    "RecordKeeper",
    "Rejected",
    "ReleaseReason",
    "RemoteDraft",
    "RemoteInvoice",
    "RemoteLine",
    "Reservation",
    "Row",
    "Sighting",
    "Subscription",
    "SystemFault",
    "TimeSettings",
    "TimeSystem",
    "TimeTracker",
    "TokenKeeper",
    "Tokens",
    "Unauthorised",
    "Unreachable",
]

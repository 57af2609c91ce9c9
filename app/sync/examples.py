"""Show what the answers about pairs and conflicts look like, for the API's documents."""

from typing import Any, Final

EXAMPLE_PAIR: Final[dict[str, Any]] = {
    "id": "0199f3a0-0000-7000-8000-000000000021",
    "kind": "customer",
    "timeId": "cus_17",
    "booksId": "2017",
    "name": "Fjord & Fjell AS",
    "state": "conflict",
    "problem": "conflict",
    "origin": "matched",
    "syncedAt": "2026-11-24T09:00:00Z",
    "updatedAt": "2026-11-24T09:05:00Z",
    "version": 3,
}
EXAMPLE_CONFLICT: Final[dict[str, Any]] = {
    "id": "0199f3a0-0000-7000-8000-000000000031",
    "pairId": EXAMPLE_PAIR["id"],
    "kind": "customer",
    "field": "phone",
    "base": "22 00 00 00",
    "time": "22 00 00 01",
    "books": "22 00 00 02",
    "state": "open",
    "decidedValue": None,
    "decidedBy": None,
    "decidedAt": None,
    "createdAt": "2026-11-24T09:05:00Z",
    "updatedAt": "2026-11-24T09:05:00Z",
    "version": 1,
}
EXAMPLE_EVENT: Final[dict[str, Any]] = {
    "at": "2026-11-24T09:00:00Z",
    "event": "written",
    "side": "books",
    "field": None,
    "value": ["email"],
    "winner": None,
    "by": "sync",
}

"""Show one hour, one preview and one draft, for the API's documentation."""

from typing import Any, Final

EXAMPLE_LINE: Final[dict[str, Any]] = {
    "text": "Nettbutikk: 12.10.2026–20.11.2026 (spes. TR-7K3QF9M2)",
    "minutes": 465,
    "hours": "7.75",
    "unitPriceOre": 95000,
    "discountPercent": "0",
    "vatCode": "high",
    "vatPercent": 25,
    "netOre": 736250,
    "vatOre": 184063,
    "entryIds": ["ent_3", "ent_9"],
}
_SUMS: Final = {"netOre": 736250, "vatOre": 184063, "totalOre": 920313}

EXAMPLE_ENTRY: Final[dict[str, Any]] = {
    "id": "ent_3",
    "date": "2026-11-20",
    "billBefore": "2026-12-20",
    "employeeId": "emp_1",
    "employeeName": "Kari Fjellvåg",
    "customerId": "cus_4",
    "projectId": "prj_1",
    "minutes": 450,
    "hours": "7.50",
    "rateOre": 95000,
    "rateSource": "company",
    "amountOre": 712500,
    "comment": "Rapport",
    "overtimeType": None,
    "expenses": [{"text": "Parkering", "amountOre": 12000}],
    "kilometres": "18.50",
    "billable": False,
    "hindrances": [{"code": "in-draft", "text": "Timen står alt i et utkast."}],
    "draftId": "0199f3a0-0000-7000-8000-0000000000d1",
}
EXAMPLE_PREVIEW: Final[dict[str, Any]] = {
    "previewId": "0199f3a0-0000-7000-8000-0000000000c1",
    "mark": "TR-7K3QF9M2",
    "lines": [EXAMPLE_LINE],
    **_SUMS,
    "problems": [
        {"code": "close-to-billing-limit", "blocking": False, "text": "Fristen nærmer seg."}
    ],
    "leftOut": [],
    "expiresAt": "2026-11-24T10:00:00Z",
}
EXAMPLE_DRAFT: Final[dict[str, Any]] = {
    "id": "0199f3a0-0000-7000-8000-0000000000d1",
    "state": "completed",
    "mark": "TR-7K3QF9M2",
    "customerId": "cus_4",
    "lines": [EXAMPLE_LINE],
    **_SUMS,
    "contaDraftIds": ["880001"],
    "contaUrl": "https://app.conta.no/faktura/1001/fakturaer",
    "contaSums": {"netOre": 736250, "vatOre": 184063, "totalOre": 920313},
    "problem": None,
    "problemText": None,
    "entries": [{"entryId": "ent_3", "line": 1, "minutes": 450, "rateOre": 95000, "held": True}],
    "events": [{"what": "created", "at": "2026-11-24T09:01:00Z"}],
    "requestedBy": "kari@1001",
    "requestedByEmployeeId": "emp_2",
    "createdAt": "2026-11-24T09:01:00Z",
    "updatedAt": "2026-11-24T09:01:00Z",
}

"""Name what goes wrong between the service and the two systems, one call or one list at a time."""

BOOKS_FAULTS = (
    {"kind": "lost_answer", "method": "POST"},
    {"kind": "broken_body", "method": "POST"},
    {"kind": "status_after", "status": 500, "method": "POST"},
    {"kind": "status_before", "status": 500, "method": "POST"},
    {"kind": "reset_before", "method": "POST"},
    {"kind": "status_before", "status": 503, "method": "GET"},
    {"kind": "status_before", "status": 429, "method": "POST"},
    {"kind": "status_after", "status": 429, "method": "POST"},
    {"kind": "stale_list", "seconds": 90},
    {"kind": "stale_list", "seconds": 90, "path": "/invoices"},
)
TIME_FAULTS = (
    {"kind": "status_before", "status": 503, "path": "/complete"},
    {"kind": "lost_answer", "path": "/complete"},
    {"kind": "lost_answer", "path": "/release"},
    {"kind": "lost_answer", "path": "/invoice-transfers"},
    {"kind": "status_before", "status": 503, "path": "/invoice-transfers"},
)

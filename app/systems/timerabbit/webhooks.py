"""Read the body of a verified webhook from Timerabbit; touches nothing."""

from collections.abc import Mapping

from app.canonical import EntryId, RecordId, RecordKind
from app.systems.ports import ChangeNotice, Notice
from app.systems.reading import read_id, read_strict_json

EVENT_TYPES = (
    "customer.created",
    "customer.updated",
    "customer.archived",
    "customer.deleted",
    "project.created",
    "project.updated",
    "project.archived",
    "project.deleted",
    "time_entry.updated",
    "time_entry.deleted",
    "settings.updated",
    "company.updated",
    "company.subscription_changed",
    "link.revoked",
)
"""What we subscribe to; employees are read with the entries, and ``ping`` needs no subscription."""

_KINDS = {"customer": RecordKind.CUSTOMER, "project": RecordKind.PROJECT}
_ACCESS = frozenset({"settings", "company", "link"})
_LONGEST_TYPE = 100


def read_notice(body: bytes) -> Notice:
    """
    Read an event (``EventBase`` in ``openapi/timerabbit.yaml``); unknown types are kept by name.

    Raises:
        ValueError: Not an event: malformed JSON, no type, no company, or a change without an id.

    """
    event = read_strict_json(body)
    name = event.get("type")
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_TYPE or not name.isprintable():
        raise ValueError("an event without a type")
    account_id = read_id(event.get("companyId"))
    subject = name.partition(".")[0]
    kind = _KINDS.get(subject)
    if kind is not None:
        change = ChangeNotice(kind, RecordId(_changed_id(event)))
        return Notice(name, account_id, changes=(change,))
    if subject == "time_entry":
        return Notice(name, account_id, entries=(EntryId(_changed_id(event)),))
    return Notice(name, account_id, access_changed=subject in _ACCESS)


def _changed_id(event: Mapping[str, object]) -> str:
    data = event.get("data")
    if not isinstance(data, dict):
        raise ValueError("a change without data")  # noqa: TRY004 - one kind of refusal
    return read_id(data.get("id"))

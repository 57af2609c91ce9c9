"""
Read the body of a verified webhook from Conta; touches nothing.

Conta documents no webhooks (facts of 2026-11); the form is our proposal, with the headers of
Standard Webhooks: ``{"type":"customer.updated","organizationId":"1001","data":{"id":"17"}}``.
"""

import re

from app.canonical import RecordId, RecordKind
from app.systems.ports import ChangeNotice, Notice
from app.systems.reading import read_id, read_strict_json

_KINDS = {"customer": RecordKind.CUSTOMER, "project": RecordKind.PROJECT}
_ACCESS = frozenset({"organization", "subscription", "user"})
_LONGEST_TYPE = 100
_ID = re.compile(r"[1-9][0-9]{0,18}")
_BEYOND_IDS = 2**63
"""Ids are ``int64`` of at least 1 (``openapi/conta.yaml``, snapshot of 2026-11)."""


def read_notice(body: bytes) -> Notice:
    """
    Read an event; unknown types are kept by name and change nothing.

    Raises:
        ValueError: Malformed JSON, no type, no organization, or a change without an id of Conta.

    """
    event = read_strict_json(body)
    name = event.get("type")
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_TYPE or not name.isprintable():
        raise ValueError("an event without a type")
    account_id = read_id(event.get("organizationId"))
    subject = name.partition(".")[0]
    kind = _KINDS.get(subject)
    if kind is None:
        return Notice(name, account_id, access_changed=subject in _ACCESS)
    data = event.get("data")
    if not isinstance(data, dict):
        raise ValueError("a change without data")  # noqa: TRY004 - one kind of refusal
    change = ChangeNotice(kind, RecordId(_record_id(data.get("id"))))
    return Notice(name, account_id, changes=(change,))


def _record_id(value: object) -> str:
    """Take an id that Conta can have given out; any other would be asked for, for ever in vain."""
    text = read_id(value)
    if not _ID.fullmatch(text) or int(text) >= _BEYOND_IDS:
        raise ValueError("not an id of Conta")
    return text

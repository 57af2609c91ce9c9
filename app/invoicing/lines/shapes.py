"""Write lines as JSON for our tables and read them back; pure.

Money stays whole øre, hours exact text.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from app.canonical import DraftLine, DraftOrder, EntryId, Ore, RecordId, TimeEntry
from app.invoicing.lines.lines import Line, Style
from app.invoicing.lines.rounding import Rounding

TERMS: Final = "terms"
"""Names, in a draft's frozen body, how time of hours without any would be billed, by entry id."""


def terms_of(entry: TimeEntry, style: Style) -> dict[str, Any]:
    """Give the members of a line that its time would have, for one that gets minutes later."""
    rounding = style.rounding_of(entry)
    return {
        "vatCode": style.vat_code, "discount": percent_text(style.discount),
        "rounding": rounding.as_json() if rounding else None,
    }  # fmt: skip


def is_of_hours(line: Mapping[str, Any]) -> bool:
    """Say whether a line of a first draft bills time; one of expenses may name hours without."""
    return bool(line["entryIds"]) and line["minutes"] > 0


def line_to_json(line: Line) -> dict[str, Any]:
    """Write a line."""
    return {
        "text": line.text,
        "minutes": line.minutes,
        "quantity": str(line.quantity),
        "unitPrice": line.unit_price,
        "vatCode": line.vat_code,
        "net": line.net,
        "vat": line.vat,
        "entryIds": list(line.entry_ids),
        "key": line.key,
        "billed": line.billed,
        "discount": percent_text(line.discount),
        "rounding": line.rounding.as_json() if line.rounding else None,
    }


def percent_text(percent: Decimal | str) -> str:
    """Write percent plainly: ``10`` of ``1E+1``, ``0`` of ``-0.0``."""
    exact = Decimal(percent)
    return f"{exact:f}" if exact else "0"


def line_from_json(data: Mapping[str, Any]) -> Line:
    """Read back what ``line_to_json`` wrote."""
    return Line(
        text=data["text"],
        minutes=data["minutes"],
        quantity=Decimal(data["quantity"]),
        unit_price=Ore(data["unitPrice"]),
        vat_code=data["vatCode"],
        net=Ore(data["net"]),
        vat=Ore(data["vat"]),
        entry_ids=tuple(EntryId(entry_id) for entry_id in data["entryIds"]),
        key=data.get("key", ""),
        billed=data.get("billed", data["minutes"]),
        discount=Decimal(data.get("discount", "0")),
        rounding=Rounding.from_json(data.get("rounding")),
    )


def freeze(
    lines: Sequence[Mapping[str, Any]],
    *,
    customer_id: str,
    project_id: str | None,
    minutes: Mapping[str, int],
    entries: Mapping[str, Any],
    about: Mapping[str, Any],
) -> tuple[dict[str, Any], bytes]:
    """
    Give a draft's frozen body and its SHA-256.

    Args:
        minutes: By entry id.
        entries: Each hour as it is billed, by entry id.
        about: The customer's name and the language, for the specification.

    """
    body = {
        "customerId": customer_id,
        "projectId": project_id,
        "lines": list(lines),
        "minutes": dict(minutes),
        "entries": dict(entries),
        "about": dict(about),
    }
    return body, _digest(body)


def is_as_frozen(body: Mapping[str, Any], body_hash: bytes) -> bool:
    """Say whether a body is still the one that was frozen; one that was erased since is not."""
    return _digest(body) == body_hash


def _digest(body: Mapping[str, Any]) -> bytes:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).digest()


def order_of(body: Mapping[str, Any]) -> DraftOrder:
    """Turn a frozen body into what the books side is asked for."""
    lines = [line_from_json(line) for line in body["lines"]]
    project = body["projectId"]
    return DraftOrder(
        customer_id=RecordId(body["customerId"]),
        project_id=RecordId(project) if project else None,
        lines=tuple(
            DraftLine(
                text=line.text,
                quantity=line.quantity,
                unit_price=line.unit_price,
                discount_percent=line.discount,
                vat_code=line.vat_code,
            )
            for line in lines
        ),
    )

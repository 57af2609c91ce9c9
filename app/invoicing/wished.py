"""Turn what callers ask for into a wish; what they left out is not what they sent as null."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from app.canonical import Ore, RecordId
from app.documents import RequestDocument
from app.invoicing.asked import BatchPreviewRequest, EditRequest, PreviewRequest, StyleRequest
from app.invoicing.lines.lines import Edit
from app.invoicing.lines.wish import Wish
from app.problems import FieldError, Problem
from app.systems.ports import EntryQuery

_STYLE: Final = {
    "grouping": "grouping", "template": "template", "language": "language",
    "split_long_texts": "split", "vat_code": "vatCode", "discount_percent": "discount",
    "rounding": "rounding",
}  # fmt: skip
_EDIT: Final = {"text": "text", "vat_code": "vatCode", "discount_percent": "discount"}
_PREVIEW: Final = _STYLE | {
    "project_id": "projectId", "employee_id": "employeeId", "overtime_type": "overtime",
    "entry_ids": "entryIds", "first_day": "firstDay", "last_day": "lastDay", "order": "order",
    "expense_vat_code": "expenseVat",
}  # fmt: skip
"""What a request's members are called in the JSON of wishes and choices."""


def wish_of(body: PreviewRequest, earlier: dict[str, Any] | None) -> Wish:
    """
    Turn a request into a wish, over an earlier preview's where one is named.

    A member that was sent as null takes the earlier wish back; one that was left out keeps it.

    Raises:
        Problem: ``currency-not-supported``, or ``invalid-request`` without any customer or with a
            period that ends before it begins.

    """
    if body.currency != "NOK":
        raise Problem("currency-not-supported", currency=body.currency)
    # A follow-up's preview holds no wish: it comes to naming no customer.
    base = {**Wish(EntryQuery()).as_json(), **(earlier or {})}
    kept = set(base.get("builtIn", ())) - {_STYLE.get(field) for field in body.model_fields_set}
    base |= _sent(body)
    base["builtIn"] = sorted(kept | _built_in(body))
    if not base["customerId"]:
        raise Problem(
            "invalid-request",
            errors=[FieldError("/customerId", "missing", "Name a customer or an earlier preview.")],
        )
    base["edits"] = _edited(base["edits"], body.edits)
    wish = Wish.from_json(base)
    require_period(wish.query)
    return wish


def require_period(query: EntryQuery, pointer: str = "/lastDay") -> None:
    """
    Refuse a period that ends before it begins; the time system refuses it in its own words.

    Raises:
        Problem: ``invalid-request``, pointing at the last day.

    """
    if query.first_day and query.last_day and query.last_day < query.first_day:
        wrong = FieldError(pointer, "before-first-day", "The last day is before the first day.")
        raise Problem("invalid-request", errors=[wrong])


def style_wish(body: StyleRequest, query: EntryQuery) -> Wish:
    """Turn a style and a choice of hours into a wish."""
    return Wish(
        query=query, grouping=body.grouping, template=body.template, language=body.language,
        split=body.split_long_texts, vat_code=body.vat_code, discount=body.discount_percent,
        rounding=body.rounding.rounding() if body.rounding else None, built_in=_built_in(body),
    )  # fmt: skip


def batch_wish(body: BatchPreviewRequest, customer_id: str) -> Wish:
    """Turn what is asked of several customers alike into the wish of one."""
    driven = body.kilometres
    query = EntryQuery(
        customer_id=RecordId(customer_id), first_day=body.first_day, last_day=body.last_day
    )
    return replace(
        style_wish(body, query), expense_vat=body.expense_vat_code,
        kilometre_rate=Ore(driven.rate_ore) if driven else None,
        kilometre_vat=driven.vat_code if driven else None,
    )  # fmt: skip


def style_sent(body: StyleRequest) -> dict[str, Any]:
    """Give the style's members that were sent, as JSON to be remembered; null says none."""
    return _only_sent(style_wish(body, EntryQuery()).as_json(), body, _STYLE)


def _built_in(body: StyleRequest) -> frozenset[str]:
    return frozenset(
        name
        for field, name in _STYLE.items()
        if field in body.model_fields_set and getattr(body, field) is None
    )


def _sent(body: PreviewRequest) -> dict[str, Any]:
    own = style_wish(
        body,
        EntryQuery(
            project_id=RecordId(body.project_id) if body.project_id else None,
            employee_id=body.employee_id, first_day=body.first_day, last_day=body.last_day,
        ),
    ).as_json()  # fmt: skip
    own |= {
        "entryIds": body.entry_ids, "order": list(body.order),
        "expenseVat": body.expense_vat_code, "overtime": body.overtime_type,
    }  # fmt: skip
    sent = _only_sent(own, body, _PREVIEW)
    if body.customer_id is not None:  # null takes no customer away: hours are one customer's
        sent["customerId"] = body.customer_id
    if body.texts:
        sent["texts"] = {str(number): text for number, text in body.texts.items()}
    if "kilometres" in body.model_fields_set:
        driven = body.kilometres
        sent["kilometreRate"] = Ore(driven.rate_ore) if driven else None
        sent["kilometreVat"] = driven.vat_code if driven else None
    return sent


def _edited(earlier: Mapping[str, Any], edits: Sequence[EditRequest]) -> dict[str, Any]:
    """Lay edits over earlier ones of the same lines; an edit that changes nothing is none."""
    found = dict(earlier)
    for edit in edits:
        own = Edit(edit.text, edit.vat_code, edit.discount_percent)
        written = Wish(EntryQuery(), edits={edit.line: own}).as_json()["edits"][edit.line]
        found[edit.line] = found.get(edit.line, written) | _only_sent(written, edit, _EDIT)
    return {key: one for key, one in found.items() if any(v is not None for v in one.values())}


def _only_sent(
    values: Mapping[str, Any], body: RequestDocument, names: Mapping[str, str]
) -> dict[str, Any]:
    return {name: values[name] for field, name in names.items() if field in body.model_fields_set}

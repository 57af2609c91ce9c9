"""Hold what a person wants billed and how; written as JSON, so that it can be asked for again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from app.canonical import EntryId, Ore, RecordId
from app.invoicing.lines.lines import Edit, Grouping
from app.invoicing.lines.rounding import Rounding
from app.invoicing.lines.shapes import percent_text
from app.systems.ports import EntryQuery


@dataclass(frozen=True, slots=True)
class Wish:
    """
    Hold what a person wants billed.

    Args:
        query: Which hours; ``entry_ids`` narrows it to chosen ones, ``None`` takes all billable.
        vat_code: For all lines but edited ones; ``None`` takes what is remembered.
        texts: A person's own texts by line number; ``edits`` by line key.
        expense_vat: Bills expenses as lines of their own with this code; ``None`` leaves them out.
        kilometre_rate: Øre a kilometre; bills them with ``kilometre_vat``; ``None`` leaves them.
        built_in: Members of the style, by their JSON names, for which nothing that is remembered
            holds: the person said none.

    """

    query: EntryQuery
    entry_ids: tuple[EntryId, ...] | None = None
    grouping: Grouping | None = None
    vat_code: str | None = None
    texts: Mapping[int, str] = field(default_factory=dict)
    template: str | None = None
    language: str | None = None
    split: bool | None = None
    discount: Decimal | None = None
    rounding: Rounding | None = None
    edits: Mapping[str, Edit] = field(default_factory=dict)
    order: Sequence[str] = ()
    expense_vat: str | None = None
    kilometre_rate: Ore | None = None
    kilometre_vat: str | None = None
    overtime: str | None = None
    built_in: frozenset[str] = frozenset()

    def as_json(self) -> dict[str, Any]:
        """Write it for the preview's row."""
        query = self.query
        return {
            "customerId": query.customer_id,
            "projectId": query.project_id,
            "employeeId": query.employee_id,
            "firstDay": query.first_day.isoformat() if query.first_day else None,
            "lastDay": query.last_day.isoformat() if query.last_day else None,
            "entryIds": list(self.entry_ids) if self.entry_ids is not None else None,
            "grouping": self.grouping.value if self.grouping else None,
            "vatCode": self.vat_code,
            "texts": {str(number): text for number, text in self.texts.items()},
            "template": self.template,
            "language": self.language,
            "split": self.split,
            "discount": percent_text(self.discount) if self.discount is not None else None,
            "rounding": self.rounding.as_json() if self.rounding else None,
            "edits": {key: _edit_json(edit) for key, edit in self.edits.items()},
            "order": list(self.order),
            "expenseVat": self.expense_vat,
            "kilometreRate": self.kilometre_rate,
            "kilometreVat": self.kilometre_vat,
            "overtime": self.overtime,
            "builtIn": sorted(self.built_in),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Wish":
        """Read what ``as_json`` wrote."""
        ids, kilometres = data["entryIds"], data["kilometreRate"]
        return cls(
            query=EntryQuery(
                customer_id=_id(data["customerId"]), project_id=_id(data["projectId"]),
                employee_id=data["employeeId"], first_day=_day(data["firstDay"]),
                last_day=_day(data["lastDay"]),
            ),
            entry_ids=None if ids is None else tuple(EntryId(one) for one in ids),
            grouping=Grouping(data["grouping"]) if data["grouping"] else None,
            vat_code=data["vatCode"],
            texts={int(number): text for number, text in data["texts"].items()},
            template=data["template"], language=data["language"], split=data["split"],
            discount=None if data["discount"] is None else Decimal(data["discount"]),
            rounding=Rounding.from_json(data["rounding"]),
            edits={key: _edit(edit) for key, edit in data["edits"].items()},
            order=tuple(data["order"]), expense_vat=data["expenseVat"],
            kilometre_rate=None if kilometres is None else Ore(kilometres),
            kilometre_vat=data["kilometreVat"], overtime=data["overtime"],
            # A preview of the version before this one has no such member.
            built_in=frozenset(data.get("builtIn", ())),
        )  # fmt: skip


def with_texts_kept(wish: Wish, keys: Sequence[str]) -> Wish:
    """
    Keep texts that were given by line number under the keys of those lines.

    Hours come and go before the next preview, and the numbers with them; a text stays with its
    line. One for a number beyond the lines is dropped (the preview says so).
    """
    edits = dict(wish.edits)
    for number, text in wish.texts.items():
        if 1 <= number <= len(keys):
            key = keys[number - 1]
            edits[key] = replace(edits.get(key, Edit()), text=text)
    return replace(wish, texts={}, edits=edits)


def _edit_json(edit: Edit) -> dict[str, Any]:
    discount = percent_text(edit.discount) if edit.discount is not None else None
    return {"text": edit.text, "vatCode": edit.vat_code, "discount": discount}


def _edit(data: Mapping[str, Any]) -> Edit:
    discount = data["discount"]
    return Edit(data["text"], data["vatCode"], None if discount is None else Decimal(str(discount)))


def _id(value: str | None) -> RecordId | None:
    return RecordId(value) if value else None


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None

"""Take in questions to the hour ledger: where is this hour, and where has it been."""

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from sqlalchemy import select

from app.access.caller import Scope
from app.documents import AnswerDocument
from app.invoicing.ledger.beside import line_beside
from app.invoicing.ledger.corrections import CorrectionRow, beside_by_hour, corrections_by_hour
from app.invoicing.ledger.places import Place, place_of
from app.invoicing.store import Draft, LedgerRow
from app.links.reach import Reached, reach
from app.problems import responses
from app.runtime import Running

router = APIRouter()
MayRead = Annotated[Reached, Depends(reach(Scope.INVOICES_READ))]
_COMMON: Final = ("not-signed-in", "scope-missing", "not-found", "invalid-request")
_EXAMPLE: Final[dict[str, Any]] = {
    "entryId": "ent_3",
    "place": "in-draft",
    "history": [
        {
            "draftId": "0199f3a0-0000-7000-8000-0000000000d1", "mark": "TR-7K3QF9M2", "line": 1,
            "text": "Nettbutikk: 12.10.2026–20.11.2026 (spes. TR-7K3QF9M2)", "minutes": 450,
            "rateOre": 95000, "place": "in-draft", "invoiceNumber": None,
            "from": "2026-11-24T09:01:00Z", "until": None,
        }
    ],
    "corrections": [
        {
            "draftId": "0199f3a0-0000-7000-8000-0000000000d2", "mark": "TR-2M8QW4XZ", "line": 1,
            "minutes": 30, "netOre": 47500,
            "correctsDraftId": "0199f3a0-0000-7000-8000-0000000000d1", "place": "invoiced",
            "invoiceNumber": "10042", "from": "2026-11-25T09:01:00Z", "until": None,
        }
    ],
    "expenses": [
        {
            "draftId": "0199f3a0-0000-7000-8000-0000000000d1", "mark": "TR-7K3QF9M2", "line": 2,
            "text": "Parkering (20.11.2026)", "what": "expenses", "netOre": 12000,
            "kilometres": None, "place": "in-draft", "invoiceNumber": None,
            "from": "2026-11-24T09:01:00Z", "until": None,
        }
    ],
}  # fmt: skip


class HourPlace(AnswerDocument):
    """
    Hold where one hour is and every draft line it has been in, the newest first.

    `corrections` are the follow-ups that billed a difference of it, with their lines. `expenses`
    are the lines that billed its expenses and kilometres, also in a draft of their own.
    """

    entry_id: str
    place: str
    history: list[dict[str, Any]]
    corrections: list[dict[str, Any]] = []
    expenses: list[dict[str, Any]] = []


class HourPlaces(AnswerDocument):
    """Hold one answer for each hour asked for; one never billed is free."""

    model_config = {"json_schema_extra": {"examples": [{"items": [_EXAMPLE]}]}}

    items: list[HourPlace]


@router.get(
    "/v1/links/{link_id}/ledger",
    tags=["hours"],
    operation_id="readLedger",
    summary="Say where hours are: which draft, which line, which invoice.",
    responses=responses(*_COMMON),
)
async def get_ledger(
    reached: MayRead,
    runtime: Running,
    entry_ids: Annotated[
        list[Annotated[str, Query(max_length=64)]], Query(alias="entryId", max_length=100)
    ],
) -> HourPlaces:
    """
    Use this to go from an hour to its lines; the draft itself shows each line's hours.

    Its `expensesOf` are the hours whose expense or kilometres a line bills. An hour is in one
    place at most, and the history only grows. Scope `invoices:read`.
    """
    async with runtime.database.reading(reached.link_id) as session:
        rows = (
            await session.execute(
                select(LedgerRow, Draft)
                .join(
                    Draft,
                    (Draft.link_id == LedgerRow.link_id) & (Draft.draft_id == LedgerRow.draft_id),
                )
                .where(LedgerRow.link_id == reached.link_id, LedgerRow.entry_id.in_(entry_ids))
                .order_by(LedgerRow.created_at.desc())
            )
        ).all()
        followed = await corrections_by_hour(session, reached.link_id, entry_ids)
        billed = await beside_by_hour(session, reached.link_id, entry_ids)
    found: dict[str, list[tuple[LedgerRow, Draft]]] = {one: [] for one in entry_ids}
    for row, draft in rows:
        found[row.entry_id].append((row, draft))
    upon: dict[str, list[dict[str, Any]]] = {one: [] for one in entry_ids}
    for correction, draft in followed:
        upon[correction.entry_id].append(_correction(correction, draft))
    beside: dict[str, list[dict[str, Any]]] = {one: [] for one in entry_ids}
    for expense, draft in billed:
        beside[expense.entry_id].append(_expense(expense, draft))
    return HourPlaces(
        items=[
            HourPlace(
                entry_id=entry_id,
                place=next(
                    (place_of(d, held=True) for r, d in history if r.active), Place.FREE
                ).value,
                history=[_line(row, draft) for row, draft in history],
                corrections=upon[entry_id],
                expenses=beside[entry_id],
            )
            for entry_id, history in found.items()
        ]
    )  # fmt: skip


def _correction(row: CorrectionRow, draft: Draft) -> dict[str, Any]:
    return {
        "draftId": str(draft.draft_id), "mark": draft.mark, "line": row.line_no or None,
        "minutes": row.minutes, "netOre": row.net, "correctsDraftId": str(row.corrected_id),
        "place": place_of(draft, held=row.active).value,
        "invoiceNumber": (draft.invoice or {}).get("number"), "from": row.created_at,
        "until": row.freed_at,
    }  # fmt: skip


def _expense(row: CorrectionRow, draft: Draft) -> dict[str, Any]:
    found = line_beside(row, draft)
    return {
        "draftId": str(draft.draft_id), "mark": draft.mark, "line": found.line_no,
        "text": found.text, "what": found.what, "netOre": found.net, "kilometres": found.driven,
        "place": place_of(draft, held=row.active).value,
        "invoiceNumber": (draft.invoice or {}).get("number"), "from": row.created_at,
        "until": row.freed_at,
    }  # fmt: skip


def _text(row: LedgerRow, draft: Draft) -> str:
    """Give the line's text; it went with the draft's other texts when its years were over."""
    lines = draft.body["lines"]
    return str(lines[row.line_no - 1]["text"]) if row.line_no <= len(lines) else ""


def _line(row: LedgerRow, draft: Draft) -> dict[str, Any]:
    until: datetime | None = row.freed_at
    return {
        "draftId": str(draft.draft_id), "mark": draft.mark, "line": row.line_no,
        "text": _text(row, draft), "minutes": row.minutes,
        "rateOre": row.rate, "place": place_of(draft, held=row.active).value,
        "invoiceNumber": (draft.invoice or {}).get("number"), "from": row.created_at,
        "until": until,
    }  # fmt: skip

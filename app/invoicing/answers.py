"""Shape what the API says of previews and drafts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from app.documents import AnswerDocument
from app.invoicing.drafts.seen import INWARD
from app.invoicing.examples import EXAMPLE_DRAFT, EXAMPLE_PREVIEW
from app.invoicing.ledger.corrections import corrections_of
from app.invoicing.ledger.places import offers_release, place_of
from app.invoicing.line_answers import LineAnswer, lines_answer
from app.invoicing.lines.difference import last_line
from app.invoicing.previews.objections import VatSaid
from app.invoicing.store import Draft, DraftEvent, LedgerRow, Preview
from app.invoicing.words import say_left_out, say_problem


class VatCodeAnswer(AnswerDocument):
    """Say what Conta last answered to a VAT code: `accepted`, `refused` or `untried`."""

    code: str
    percent: int
    answer: str
    answered_at: datetime | None


class PreviewAnswer(AnswerDocument):
    """Hold the draft exactly as it will be sent, with every problem at once."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE_PREVIEW]}}

    preview_id: str
    mark: str
    lines: list[LineAnswer]
    net_ore: int
    vat_ore: int
    total_ore: int
    problems: list[dict[str, Any]]
    left_out: list[dict[str, Any]]
    vat_codes: list[VatCodeAnswer] = []
    style: dict[str, Any] = Field(
        default={}, description="What was asked for, remembered for `basedOn`."
    )
    expires_at: datetime


class DraftAnswer(AnswerDocument):
    """Hold a draft as it stands now; `state` says how far it has come."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE_DRAFT]}}

    id: str
    state: str
    mark: str
    customer_id: str
    lines: list[LineAnswer]
    net_ore: int
    vat_ore: int
    total_ore: int
    conta_draft_ids: list[str]
    conta_url: str
    conta_sums: dict[str, int | None] | None
    problem: str | None
    problem_text: str | None
    reasons: list[str] = Field(default=[], description="Why it was refused, by code.")
    conflicts: list[dict[str, Any]] = Field(
        default=[],
        description="Hours that Timerabbit would not hold or mark, each with its reason.",
    )
    changed: list[dict[str, Any]] = Field(
        default=[], description="Hours that were no longer as previewed, each with what changed."
    )
    differs: list[dict[str, Any]] = Field(
        default=[], description="Lines that are otherwise in Conta: ours, theirs and what differs."
    )
    became: dict[str, Any] | None = Field(
        default=None,
        description="What became of it in Conta: open, edited, missing, deleted, unclear, sent,"
        " part-paid, paid, credited, closed; with the invoice's number, day and sums, in"
        " `goneLines` the lines it lacks, in `unclearLines` those of which nobody can say, in"
        " `contaDraftId` the draft its lines were moved into, in `alsoMarks` the marks of others.",
    )
    offers_release: bool = Field(
        default=False, description="Its hours may be billed again once a person releases them."
    )
    entries: list[dict[str, Any]]
    corrections: list[dict[str, Any]] = Field(
        default=[],
        description="What a follow-up bills of each changed hour, and the draft it was first in.",
    )
    expenses_left_out: dict[str, list[str]] = Field(
        default={},
        description="What it left out of its hours, and what came to them since, by entry id.",
    )
    events: list[dict[str, Any]]
    requested_by: str
    requested_by_employee_id: str | None = None
    created_at: datetime
    updated_at: datetime


def preview_answer(
    preview: Preview, percent: Mapping[str, int], said: Mapping[str, VatSaid], language: str
) -> PreviewAnswer:
    """Show a preview, with what Conta last said to each VAT code."""
    return PreviewAnswer(
        preview_id=str(preview.preview_id), mark=preview.mark,
        lines=lines_answer(preview.lines, preview.wish.get("about", {}), percent),
        net_ore=preview.net,
        vat_ore=preview.vat, total_ore=preview.net + preview.vat,
        problems=[{**p, "text": say_problem(p["code"], language, p)} for p in preview.problems],
        left_out=say_left_out(preview.left_out, language),
        style={n: v for n, v in preview.wish.items() if n != "about"},
        vat_codes=[_vat_code(code, percent[code], said.get(code)) for code in percent],
        expires_at=preview.expires_at,
    )  # fmt: skip


def _vat_code(code: str, percent: int, said: VatSaid | None) -> VatCodeAnswer:
    answer, at = (said.answer, said.at) if said else ("untried", None)
    return VatCodeAnswer(code=code, percent=percent, answer=answer, answered_at=at)


def draft_answer(
    draft: Draft,
    rows: Sequence[LedgerRow],
    events: Sequence[DraftEvent],
    *,
    percent: Mapping[str, int],
    conta_url: str,
    language: str,
) -> DraftAnswer:
    """Show a draft with its hours and what happened to it."""
    remote = draft.remote
    return DraftAnswer(
        id=str(draft.draft_id), state=draft.state, mark=draft.mark,
        customer_id=draft.customer_time_id,
        lines=lines_answer(draft.body["lines"], draft.body.get("about", {}), percent),
        net_ore=draft.net, vat_ore=draft.vat, total_ore=draft.net + draft.vat,
        conta_draft_ids=list(draft.books_ids), conta_url=conta_url,
        conta_sums=None if remote is None else {f"{n}Ore": remote[n] for n in remote},
        problem=draft.problem,
        problem_text=say_problem(draft.problem, language, draft.facts) if draft.problem else None,
        reasons=list(draft.facts.get("reasons", [])),
        conflicts=list(draft.facts.get("conflicts", [])),
        changed=list(draft.facts.get("changed", [])),
        differs=list((draft.invoice or draft.facts).get("differs", [])),
        became=_became(draft.invoice), offers_release=offers_release(draft),
        entries=[
            {
                "entryId": row.entry_id, "line": row.line_no, "minutes": row.minutes,
                "rateOre": row.rate, "held": row.active,
                "place": place_of(draft, held=row.active).value,
            }
            for row in rows
        ],
        corrections=[
            {
                "entryId": one["entryId"], "line": last_line(one) or None, "netOre": one["net"],
                "minutes": one["minutes"], "draftId": one["draftId"], "changeId": one["changeId"],
            }
            for one in corrections_of(draft)
        ],
        expenses_left_out=draft.body.get("about", {}).get("leftOut", {}),
        events=[{"what": e.what, "at": e.at, "facts": dict(e.facts)} for e in events],
        requested_by=draft.requested_by,
        requested_by_employee_id=draft.body.get("about", {}).get("requestedByEmployeeId"),
        created_at=draft.created_at, updated_at=draft.updated_at,
    )  # fmt: skip


def _became(seen: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return {name: seen[name] for name in seen if name not in INWARD} if seen else None

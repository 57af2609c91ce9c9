"""Take in what is remembered: how the link, a customer or a project is billed."""

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Response

from app.access.caller import Scope
from app.database import CommitPoint
from app.documents import AnswerDocument, IfMatch, etag, expect_version
from app.invoicing.asked import StyleRequest
from app.invoicing.previews.choices import keep_choice, read_choices
from app.invoicing.previews.preview import require_template
from app.invoicing.store import BillingChoice
from app.invoicing.wished import style_sent
from app.links.reach import Reached, reach
from app.problems import Problem, responses
from app.runtime import Running

router = APIRouter()
MayRead = Annotated[Reached, Depends(reach(Scope.INVOICES_READ))]
MayWrite = Annotated[Reached, Depends(reach(Scope.INVOICES_WRITE))]
ScopeName = Annotated[
    str,
    Path(
        pattern=r"^(link|customer:[^/]{1,64}|project:[^/]{1,64})$",
        description="`link`, `customer:<id>` or `project:<id>`; ids are Timerabbit's.",
        examples=["customer:cus_4"],
    ),
]
_COMMON: Final = ("not-signed-in", "scope-missing", "not-found", "invalid-request")
_EXAMPLE: Final[dict[str, Any]] = {
    "scope": "customer:cus_4", "version": 1, "updatedAt": "2026-11-24T09:00:00Z",
    "choice": {"grouping": "week", "template": "{project}: {week}", "language": "nb"},
}  # fmt: skip


class ChoiceAnswer(AnswerDocument):
    """Hold what is remembered for one scope."""

    model_config = {"json_schema_extra": {"examples": [_EXAMPLE]}}

    scope: str
    choice: dict[str, Any]
    version: int
    updated_at: datetime


class ChoiceList(AnswerDocument):
    """Hold all that is remembered for a link."""

    model_config = {"json_schema_extra": {"examples": [{"items": [_EXAMPLE]}]}}

    items: list[ChoiceAnswer]


class ChoiceRequest(StyleRequest):
    """Remember this in place of what was remembered for the scope."""

    model_config = {
        "json_schema_extra": {
            "examples": [{"grouping": "week", "template": "{project}: {week}", "language": "nb"}]
        }
    }


@router.get(
    "/v1/links/{link_id}/billing-choices",
    tags=["drafts"],
    operation_id="listBillingChoices",
    summary="Show how link, customers and projects are billed.",
    responses=responses(*_COMMON),
)
async def get_choices(reached: MayRead, runtime: Running) -> ChoiceList:
    """Use this to show what a preview takes where nothing is asked. Scope `invoices:read`."""
    async with runtime.database.reading(reached.link_id) as session:
        rows = await read_choices(session, reached.link_id)
    return ChoiceList(items=[_shown(row) for _, row in sorted(rows.items())])


@router.put(
    "/v1/links/{link_id}/billing-choices/{scope}",
    tags=["drafts"],
    operation_id="putBillingChoice",
    summary="Remember how the link, a customer or a project is billed.",
    responses=responses(
        *_COMMON, "template-invalid", "precondition-required", "precondition-failed"
    ),
)
async def put_choice(
    scope: ScopeName,
    body: ChoiceRequest,
    reached: MayWrite,
    runtime: Running,
    response: Response,
    if_match: IfMatch = None,
) -> ChoiceAnswer:
    """
    Use this for text, grouping, VAT code, discount and billing increments that stay.

    For a project only its rounding is taken. What you leave out holds as it is remembered more
    widely; null says none: `rounding: null` bills a customer or project to the minute though the
    link has increments. `If-Match` is the choice's version in quotes; it is not needed where
    nothing is remembered yet. 412 shows under `present` what someone else chose meanwhile. Scope
    `invoices:write`.
    """
    require_template(body.template)
    now = runtime.clock()
    values = style_sent(body)
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        there = await session.get(BillingChoice, (reached.link_id, scope))
        if there is not None or if_match is not None:
            expect_version(if_match, there.version if there else 0, present=_present(there))
        version = await keep_choice(
            session, reached.link_id, scope, values, instead_of=there.version if there else 0,
            now=now,
        )  # fmt: skip
        if version is None:  # another choice was committed since we read
            now_there = await session.get(
                BillingChoice, (reached.link_id, scope), populate_existing=True
            )
            raise Problem("precondition-failed", more={"present": _present(now_there)})
    response.headers["ETag"] = etag(version)
    return ChoiceAnswer(scope=scope, choice=values, version=version, updated_at=now)


def _shown(row: BillingChoice) -> ChoiceAnswer:
    return ChoiceAnswer(
        scope=row.scope, choice=dict(row.values), version=row.version, updated_at=row.updated_at
    )


def _present(row: BillingChoice | None) -> dict[str, Any] | None:
    return None if row is None else _shown(row).model_dump(mode="json", by_alias=True)

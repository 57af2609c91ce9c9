"""Take in fixes of what records lack, and the wish to ask the business register."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from app.access.caller import Scope
from app.canonical import RecordId, RecordKind, Side
from app.database import CommitPoint
from app.documents import AnswerDocument, FieldOut, RequestDocument
from app.links.reach import Reached, reach
from app.problems import Problem, preferred_language, responses
from app.queue import Job, defer
from app.records.fix import Result, fix_records
from app.records.fix_choice import MOST_AT_ONCE, Filter
from app.records.fix_value import Fix
from app.records.readiness import FixKind
from app.runtime import Running

router = APIRouter()
MayDecide = Annotated[Reached, Depends(reach(Scope.SYNC_DECIDE))]
_COMMON: Final = ("not-signed-in", "scope-missing", "not-found", "invalid-request")


class Address(RequestDocument):
    """Hold an address to be filled in; the country is Norway unless said."""

    line1: str = Field(min_length=1, max_length=100)
    line2: str | None = Field(default=None, max_length=100)
    postal_code: str = Field(min_length=1, max_length=20)
    city: str = Field(min_length=1, max_length=100)
    country: str = Field(default="NO", pattern="^[A-Z]{2}$")


class FixFilter(RequestDocument):
    """Narrow which of the records with a finding that the fix closes are taken."""

    finding: str | None = Field(
        default=None, max_length=64, description="Only records with this finding, by its code."
    )
    has_organization_number: bool | None = Field(
        default=None, description="Only records with (true) or without (false) such a number."
    )
    in_register: bool = Field(
        default=False, description="Only records whose number the business register knows."
    )


class FixRequest(RequestDocument):
    """Name the records and the fix, with its value or `fromRegister`."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "fix": "set-kind",
                    "side": "time",
                    "filter": {"finding": "kind-not-set", "hasOrganizationNumber": True},
                    "kind": "company",
                    "dryRun": True,
                },
                {
                    "fix": "set-address",
                    "side": "time",
                    "recordIds": ["cus_31", "cus_32"],
                    "fromRegister": True,
                },
            ]
        }
    }

    fix: FixKind
    side: Literal["time", "books"]
    record_kind: Literal["customer", "project"] = "customer"
    record_ids: list[str] | None = Field(
        default=None, min_length=1, max_length=MOST_AT_ONCE,
        description="Which records; without it all of the side with a finding that it closes.",
    )  # fmt: skip
    filter: FixFilter = Field(
        default_factory=FixFilter, description="Narrows `recordIds` left out."
    )
    after: str | None = Field(
        default=None, max_length=64,
        description="The `next` of the answer before, to go on with what was left.",
    )  # fmt: skip
    kind: Literal["company", "private"] | None = None
    address: Address | None = None
    organization_number: str | None = Field(default=None, pattern=r"^[0-9]{9}$")
    name: str | None = Field(default=None, min_length=1, max_length=255)
    from_register: bool = Field(
        default=False,
        description="Take the value from the business register: address, name, or the main "
        "unit's number in the place of a sub-unit's.",
    )
    dry_run: bool = False


class FixReason(AnswerDocument):
    """Say why the owning system refused a value, as far as it told."""

    code: str = Field(description="The rule's name, by the system or by us.")
    field: FieldOut | None = Field(description="The field it is about, where known.")
    text: str | None = Field(description="In the caller's language where there is one.")


class FixItem(AnswerDocument):
    """Say what became of one record."""

    record_id: str
    result: str
    reasons: list[FixReason] = Field(description="Why it was refused; else empty.")


class FixAnswer(AnswerDocument):
    """
    Say how many records the fix hits, and for each of this call what became of it.

    `next` is there while some are left: the same call with it as `after` goes on.
    """

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "matched": 212,
                    "dryRun": False,
                    "items": [
                        {
                            "recordId": "cus_30",
                            "result": "refused",
                            "reasons": [{"code": "too-long", "field": "name", "text": None}],
                        },
                        {"recordId": "cus_31", "result": "fixed", "reasons": []},
                    ],
                    "next": "cus_31",
                }
            ]
        }
    }

    matched: int
    dry_run: bool
    items: list[FixItem]
    next: str | None


class AskingAnswer(AnswerDocument):
    """Say that the register will be asked."""

    model_config = {"json_schema_extra": {"examples": [{"asking": True}]}}

    asking: bool


@router.post(
    "/v1/links/{link_id}/readiness/fixes",
    operation_id="fixRecords",
    tags=["readiness"],
    summary="Carry a fix out for one record or many, in the system that owns them.",
    responses=responses(
        *_COMMON, "fix-refused", "link-not-active", "register-not-configured",
        "system-unreachable", "system-access-refused",
    ),
)  # fmt: skip
async def post_fixes(
    body: FixRequest, reached: MayDecide, runtime: Running, request: Request
) -> FixAnswer:
    """
    Use this for «sett Bedrift på alle med organisasjonsnummer», or one address at a time.

    Each record is read, only the fixed field is laid over it and written back, and its findings
    are judged anew. `dryRun` says how many it would hit and writes nothing. A call takes at most
    100 records and some seconds; while `next` is there, the same call with it as `after` goes on,
    and a call that was cut off is simply made again. A record whose value the system refuses comes
    back with its reasons and stops no other; so does one in a pair that is to be left out. On a
    paused link nothing is written: 409. Scope `sync:decide`.
    """
    if not body.dry_run:
        reached.require_at_work()
    ids = dict.fromkeys(RecordId(one) for one in body.record_ids or ())  # each record once
    fix = Fix(
        kind=body.fix, side=Side(body.side), record_kind=RecordKind(body.record_kind),
        record_ids=tuple(ids) or None,
        chosen_by=Filter(**body.filter.model_dump()),
        customer_kind=body.kind, organization_number=body.organization_number,
        address=body.address.model_dump() if body.address else None,
        name=body.name, from_register=body.from_register,
    )  # fmt: skip
    done = await fix_records(runtime, reached.link_id, fix, dry_run=body.dry_run, after=body.after)
    language = preferred_language(request.headers.get("accept-language"))
    items = [_shown(one, language) for one in done.results]
    return FixAnswer(matched=done.matched, dry_run=body.dry_run, items=items, next=done.after)


def _shown(result: Result, language: str) -> FixItem:
    reasons = [
        FixReason(code=one.code, field=one.about, text=_in_language(one.text, language))
        for one in result.reasons
    ]
    return FixItem(record_id=result.record_id, result=result.said, reasons=reasons)


def _in_language(texts: Mapping[str, str], language: str) -> str | None:
    """Give a text in the nearest language that there is; the systems may know one only."""
    return next((texts[one] for one in (language, "nb", "en") if texts.get(one)), None)


@router.post(
    "/v1/links/{link_id}/readiness/register",
    operation_id="askRegister",
    tags=["readiness"],
    summary="Ask the business register about all customers with an organization number.",
    status_code=202,
    responses=responses(*_COMMON, "register-not-configured"),
)
async def post_register(reached: MayDecide, runtime: Running) -> AskingAnswer:
    """
    Use this before bulk fixes of addresses, or to see who is bankrupt or struck off.

    The work goes on in the background, gently; findings come as answers do. It also happens by
    itself after a plan is read and with each sweep. An answer less than a day old is not asked for
    again. Scope `sync:decide`.
    """
    if runtime.systems.register is None:
        raise Problem("register-not-configured")
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        await defer(session, Job.ASK_REGISTER, reached.link_id)
    return AskingAnswer(asking=True)

"""Sort Timerabbit's refusals into the five answers that need a deed of ours, purely."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from app.canonical import EntryId, RecordId
from app.systems.calls import Answer, Call
from app.systems.ports import (
    AccessReason,
    EntriesTaken,
    EntryConflict,
    NotFound,
    Reason,
    Rejected,
    SystemFault,
    Unauthorised,
    Unreachable,
)
from app.systems.reading import read_json, retry_after_given
from app.systems.timerabbit.wire import Problem

CURSOR_EXPIRED = "cursor_expired"

_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "name": "name",
        "number": "number",
        "kind": "kind",
        "organizationNumber": "organization_number",
        "email": "email",
        "phone": "phone",
        "address": "address",
        "address/line1": "address.line1",
        "address/line2": "address.line2",
        "address/postalCode": "address.postal_code",
        "address/city": "address.city",
        "address/country": "address.country",
        "active": "active",
        "customerId": "customer_id",
        "startDate": "start",
        "endDate": "end",
        "externalRefs": "mark",
        "externalRefs/conta": "mark",
    }
)


class TokenRefused(Unauthorised):
    """Say 401: the access token is missing, old or revoked; renewing it may help."""


def classify(answer: Answer, call: Call) -> SystemFault:
    """Give the fault that an answer of 400 or above means (``openapi/timerabbit.yaml``)."""
    problem = _problem(answer.body)
    code = _code_of(problem)
    text = f"Timerabbit answered {answer.status}" + (f" ({code})" if code else "")
    if answer.status == 401:
        return TokenRefused(text, reason=AccessReason.CREDENTIAL_REFUSED)
    if answer.status == 402:
        return Unauthorised(text, reason=AccessReason.SUBSCRIPTION_ENDED)
    if answer.status == 403:
        return _forbidden(text, code)
    if answer.status == 404:
        # A 404 that is no problem document comes from a proxy or a wrong address; taking it for
        # "the record is gone" would be believed.
        return NotFound(text) if code is not None else Unreachable(text)
    if answer.status == 408 or answer.status >= 500:
        return Unreachable(
            text,
            effect_possible=call.write,
            retry_after=retry_after_given(answer.headers.get("retry-after")),
        )
    return _rejected(text, answer.status, code, problem or Problem())


def _forbidden(text: str, code: str | None) -> SystemFault:
    if code is None:
        return Unreachable(text)
    return Unauthorised(text, reason=AccessReason.CREDENTIAL_REFUSED)


def _rejected(text: str, status: int, code: str | None, problem: Problem) -> Rejected:
    if status == 409 and problem.conflicts:
        return EntriesTaken(
            text,
            conflicts=tuple(
                EntryConflict(
                    id=EntryId(conflict.id),
                    reason=conflict.reason or "unknown",
                    held_by=conflict.transfer_id,
                )
                for conflict in problem.conflicts
            ),
        )
    named = code or f"http-{status}"
    reasons = tuple(
        Reason(
            named,
            about=_about(error.pointer),
            text={"en": error.message} if error.message else {},
        )
        for error in problem.errors
    )
    return Rejected(
        text,
        reasons=reasons or (Reason(named),),
        stale=status == 412,
        existing_id=RecordId(problem.existing_id) if problem.existing_id else None,
    )


def _problem(body: bytes) -> Problem | None:
    try:
        return Problem.model_validate(read_json(body))
    except ValueError:
        return None


def _code_of(problem: Problem | None) -> str | None:
    code = (problem.code or problem.error) if problem is not None else None
    return code if code is not None and _CODE.fullmatch(code) else None


def _about(pointer: str | None) -> str | None:
    if not pointer:
        return None
    path = pointer.removeprefix("#").strip("/")
    return _FIELDS.get(path) or _FIELDS.get(path.partition("/")[0])

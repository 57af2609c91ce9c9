"""Sort Conta's refusals into the five answers that need a deed of ours, purely."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from app.systems.calls import Answer, Call
from app.systems.conta import wire
from app.systems.ports import (
    AccessReason,
    NotFound,
    Reason,
    Rejected,
    SystemFault,
    Unauthorised,
    Unreachable,
)
from app.systems.reading import read_json, retry_after_given

# Names and statuses: openapi/conta.yaml, facts of 2026-11 (section 9).
_FORBIDDEN: Mapping[str, AccessReason] = MappingProxyType(
    {
        "OrgBlockedException": AccessReason.ORGANIZATION_BLOCKED,
        "UserBlockedException": AccessReason.CREDENTIAL_REFUSED,
        "LoginRequiredException": AccessReason.CREDENTIAL_REFUSED,
    }
)
_PLAN = "SubscriptionPlanException"
_READ_ONLY = "OrgReadOnlyModeException"
_UNKNOWN_PATH = "UrlNotFoundException"

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,99}")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_LANGUAGES: Mapping[str, str] = MappingProxyType({"NO": "nb", "EN": "en"})
_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "name": "name",
        "customerType": "kind",
        "orgNo": "organization_number",
        "emailAddress": "email",
        "phoneNo": "phone",
        "customerAddressLine1": "address.line1",
        "customerAddressLine2": "address.line2",
        "customerAddressPostcode": "address.postal_code",
        "customerAddressCity": "address.city",
        "customerAddressCountry": "address.country",
        "isActive": "active",
        "isHidden": "active",
        "customerId": "customer_id",
        "projectId": "project_id",
        "startDate": "start",
        "endDate": "end",
        "description": "text",
        "price": "unit_price",
        "quantity": "quantity",
        "discount": "discount_percent",
        "vatCode": "vat_code",
        "personalMessage": "message",
        "customerReference": "their_reference",
    }
)
_ABOUT: Mapping[str, str] = MappingProxyType(
    {
        "WrongVatCodeException": "vat_code",
        "CustomerIdDoesNotMatchCustomerIdOnProjectException": "customer_id",
        "CustomerNotFoundException": "customer_id",
        "ProjectNotFoundException": "project_id",
        "ProjectCanNotBeUpdatedException": "customer_id",
        "PropertyComparisonGreaterThanException": "start",
    }
)


def classify(answer: Answer, call: Call) -> SystemFault:
    """
    Give the fault that an answer of 400 or above means.

    A field check (category INPUT) may stand at 400, 409 or 422; a 409 is also an object in use or
    a reference to nothing. All of them refused and did nothing.
    """
    failure = _failure(answer.body)
    name = _named(failure)
    text = f"Conta answered {answer.status}" + (f" ({name})" if name else "")
    access = _access_reason(answer.status, name, call)
    if access is not None:
        return Unauthorised(text, reason=access)
    if answer.status == 403:  # not in Conta's words: what stands in front answered
        return Unreachable(text, effect_possible=call.write)
    if answer.status == 404:
        # An unknown path or a page of a proxy says nothing about the record; taken for "gone" it
        # would be believed, and of a write it proves nothing.
        if name in {None, _UNKNOWN_PATH}:
            return Unreachable(text, effect_possible=call.write)
        return NotFound(text)
    if answer.status == 408 or answer.status >= 500:
        return Unreachable(
            text,
            effect_possible=call.write,
            retry_after=retry_after_given(answer.headers.get("retry-after")),
        )
    fallback = Reason(name or f"http-{answer.status}", about=_ABOUT.get(name or ""))
    return Rejected(text, reasons=tuple(_reasons(failure)) or (fallback,))


def _access_reason(status: int, name: str | None, call: Call) -> AccessReason | None:
    if status == 401:
        return AccessReason.CREDENTIAL_REFUSED
    if name == _READ_ONLY:
        return AccessReason.ORGANIZATION_READ_ONLY
    if name == _PLAN:
        return AccessReason.PLAN
    if status != 403 or name is None:
        return None
    if name in _FORBIDDEN:
        return _FORBIDDEN[name]
    # What projects answer without Smart is not documented; a refusal of projects alone must not
    # pause customers. If the organization is really out of reach, customers say so.
    return AccessReason.PLAN if "/projects" in call.route else AccessReason.NOT_VISIBLE


def _reasons(failure: wire.Failure | None) -> Iterator[Reason]:
    if failure is None:
        return
    for error in failure.errors or ():
        yield _reason(error)
    name = _named(failure)
    if not failure.errors and name is not None:
        yield Reason(name, about=_ABOUT.get(name), text=_texts(failure.messages))


def _reason(error: object) -> Reason:
    if isinstance(error, str):
        if _NAME.fullmatch(error):
            return Reason(error)
        return Reason("InputOpException", text={"en": error})
    try:
        check = wire.FailedCheck.model_validate(error)
    except ValueError:
        return Reason("InputOpException")
    code = next((c for c in (check.id, check.type) if c and _NAME.fullmatch(c)), None)
    return Reason(
        code or "InputOpException",
        about=_about(check.property.path if check.property else None),
        text=_texts(check.messages),
    )


def _about(path: str | None) -> str | None:
    words = _WORD.findall(path or "")
    return _FIELDS.get(words[-1]) if words else None


def _texts(messages: object) -> Mapping[str, str]:
    several = messages if isinstance(messages, list) else [messages]
    return {
        _LANGUAGES[language]: text
        for each in several
        if isinstance(each, dict)
        for language, text in each.items()
        if language in _LANGUAGES and isinstance(text, str)
    }


def _failure(body: bytes) -> wire.Failure | None:
    try:
        return wire.Failure.model_validate(read_json(body))
    except ValueError:
        return None


def _named(failure: wire.Failure | None) -> str | None:
    name = failure.name if failure is not None else None
    return name if name is not None and _NAME.fullmatch(name) else None

"""Say what a test of a Conta key found, all of it at once; touches nothing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from pydantic import TypeAdapter

from app.systems.calls import Answer
from app.systems.conta import wire
from app.systems.ports import (
    AccessReason,
    AccessReport,
    AccountFacts,
    Finding,
    SystemFault,
    Unauthorised,
)
from app.systems.reading import read_json

Outcome = Answer | BaseException

PROJECT_FEATURE = "ALLOW_PROJECT"
"""The right to projects, which the plan called Smart has (likely; facts of 2026-11)."""

# Only these two allow writes (likely; facts of 2026-11, section 1.1). Unknown ones block.
_OPEN = frozenset({None, "NOT_BLOCKED", "NOT_BLOCKED_PURCHASE_BY_INVOICE_RESTRICTED"})
_CODES: Mapping[AccessReason, str] = MappingProxyType(
    {
        AccessReason.CREDENTIAL_REFUSED: "conta-key-refused",
        AccessReason.NOT_VISIBLE: "conta-organization-not-visible",
        AccessReason.ORGANIZATION_BLOCKED: "conta-organization-blocked",
        AccessReason.ORGANIZATION_READ_ONLY: "conta-organization-read-only",
    }
)
_organizations = TypeAdapter(tuple[wire.Organization, ...])
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Hold the answers to, or the failures of, the four calls of a test."""

    ping: Outcome
    organizations: Outcome
    person: Outcome
    plan: Outcome


def report(account_id: str, outcomes: Outcomes) -> AccessReport:
    """
    Put the outcomes together; each finding is named once, blocking ones first.

    Raises:
        BaseException: An outcome that is neither an answer nor a system's fault (cancelled).

    """
    ping = _read(outcomes.ping, lambda body: body)
    organizations = _read(outcomes.organizations, _organizations.validate_python)
    person = _read(outcomes.person, wire.AccountSettings.model_validate)
    plan = _read(outcomes.plan, wire.SubscriptionPlan.model_validate)
    organization = None
    if isinstance(organizations, tuple):
        organization = next((o for o in organizations if o.id == account_id), None)
    owner = person if isinstance(person, wire.AccountSettings) else None
    features = plan.allowed_features or () if isinstance(plan, wire.SubscriptionPlan) else None
    findings: dict[str, Finding] = {}
    for finding in (
        *_faults((ping, organizations, person)),
        *_visibility(organizations, organization, owner),
        *(_faults((plan,)) if organization is not None else ()),
        *_plan_findings(features),
    ):
        findings.setdefault(finding.code, finding)
    return AccessReport(
        account=_account(organization, owner),
        findings=tuple(sorted(findings.values(), key=lambda finding: not finding.blocking)),
        features=features or (),
    )


def _read(outcome: Outcome, parse: Callable[[object], T]) -> T | SystemFault | ValueError:
    if isinstance(outcome, SystemFault):
        return outcome
    if isinstance(outcome, BaseException):
        raise outcome
    try:
        return parse(read_json(outcome.body))
    except ValueError as err:
        return err


def _faults(read: tuple[object, ...]) -> Iterator[Finding]:
    for outcome in read:
        if isinstance(outcome, Unauthorised) and outcome.reason in _CODES:
            yield Finding(_CODES[outcome.reason], blocking=True)
        elif isinstance(outcome, (SystemFault, ValueError)):
            yield Finding("conta-unreachable", blocking=True)


def _visibility(
    organizations: object,
    organization: wire.Organization | None,
    owner: wire.AccountSettings | None,
) -> Iterator[Finding]:
    if owner is not None and owner.blocked_status not in {None, "NOT_BLOCKED"}:
        yield Finding("conta-key-refused", blocking=True)
    if not isinstance(organizations, tuple):
        return
    if organization is None or organization.active is False:
        yield Finding("conta-organization-not-visible", blocking=True)
    elif organization.blocked_status not in _OPEN:
        yield Finding(
            "conta-organization-blocked",
            blocking=True,
            facts={"status": organization.blocked_status or ""},
        )


def _plan_findings(features: tuple[str, ...] | None) -> Iterator[Finding]:
    if features is not None and PROJECT_FEATURE not in features:
        yield Finding("conta-projects-need-smart", blocking=False)


def _account(
    organization: wire.Organization | None, owner: wire.AccountSettings | None
) -> AccountFacts | None:
    if organization is None:
        return None
    names = (owner.first_name, owner.last_name) if owner is not None else ()
    named = " ".join(name for name in names if name) or (owner.email_address if owner else None)
    return AccountFacts(organization.id, organization.name or "", key_owner=named)

"""Say what a test of the connection to Timerabbit found, all of it at once; touches nothing."""

from collections.abc import Iterator
from typing import TypeVar

from app.systems.calls import Answer
from app.systems.ports import (
    AccessReason,
    AccessReport,
    AccountFacts,
    Finding,
    SystemFault,
    TimeSettings,
    Unauthorised,
)
from app.systems.reading import read_json
from app.systems.timerabbit import wire
from app.systems.timerabbit.hours import settings_from

Outcome = Answer | BaseException
W = TypeVar("W", bound=wire.Wire)

_ENDED = frozenset({"ended", "deactivated"})


def report(ping: Outcome, company: Outcome, settings: Outcome) -> AccessReport:
    """
    Put the outcomes of the three calls together; each finding is named once.

    Raises:
        BaseException: An outcome that is neither an answer nor a system's fault (cancelled).

    """
    tested = _read(ping, wire.ConnectionTest)
    known = _read(company, wire.Company)
    hours = _read(settings, wire.Settings)
    findings = {f.code: f for f in _faults((tested, known, hours))}
    if isinstance(known, wire.Company):
        findings |= {f.code: f for f in _company_findings(known)}
    if isinstance(hours, wire.Settings):
        findings |= {f.code: f for f in _hour_findings(settings_from(hours))}
    return AccessReport(
        account=_account(tested, known),
        findings=tuple(findings.values()),
        features=known.subscription.add_ons
        if isinstance(known, wire.Company) and known.subscription
        else (),
    )


def _read(outcome: Outcome, shape: type[W]) -> W | SystemFault | ValueError:
    if isinstance(outcome, SystemFault):
        return outcome
    if isinstance(outcome, BaseException):
        raise outcome
    try:
        return shape.model_validate(read_json(outcome.body))
    except ValueError as err:
        return err


def _faults(read: tuple[object, ...]) -> Iterator[Finding]:
    for outcome in read:
        if isinstance(outcome, Unauthorised):
            ended = outcome.reason is AccessReason.SUBSCRIPTION_ENDED
            yield Finding(
                "timerabbit-subscription-ended" if ended else "timerabbit-access-refused",
                blocking=True,
            )
        elif isinstance(outcome, (SystemFault, ValueError)):
            yield Finding("timerabbit-unreachable", blocking=True)


def _company_findings(company: wire.Company) -> Iterator[Finding]:
    if company.subscription is not None and company.subscription.status in _ENDED:
        yield Finding("timerabbit-subscription-ended", blocking=True)


def _hour_findings(settings: TimeSettings) -> Iterator[Finding]:
    if not settings.billable_hours:
        yield Finding("timerabbit-billable-hours-off", blocking=False)
    elif settings.default_hourly_rate is None:
        yield Finding("timerabbit-default-rate-missing", blocking=False)


def _account(tested: object, known: object) -> AccountFacts | None:
    if isinstance(known, wire.Company):
        return AccountFacts(known.id, known.name or "", known.organization_number)
    if isinstance(tested, wire.ConnectionTest):
        return AccountFacts(tested.company_id, tested.company_name or "")
    return None

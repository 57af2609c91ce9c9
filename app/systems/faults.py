"""Sort what can go wrong with another system by what we must do about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from app.canonical import (
    EntryId,
    RecordId,
)


class SystemFault(Exception):  # noqa: N818 - the parent of the five, named by what it is
    """Be the parent of the five answers of another system that need a deed of ours."""


class Unreachable(SystemFault):
    """
    Say that no usable answer came: time-out, reset, 5xx, or an answer that cannot be read.

    Args:
        effect_possible: False only when the transport proves that nothing was sent, or the call
            was a read.
        retry_after: Seconds the system (or our breaker) asks to wait, where it says so.

    """

    def __init__(
        self,
        message: str,
        *,
        effect_possible: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.effect_possible = effect_possible
        self.retry_after = retry_after


class OwnAccessRefused(Unreachable):
    """
    Say that the system refuses our own client, before any link's access counts.

    An operator must mend a setting. To a link it is as if the system were away: its work waits, and
    no access of its own is put in doubt.
    """


class RateLimited(SystemFault):
    """
    Say that the system asks for patience.

    Args:
        retry_after: Seconds.
        sent: False where it is our own pace that holds the call back: nothing left the house.

    """

    def __init__(self, message: str, *, retry_after: float, sent: bool = True) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.sent = sent


class AccessReason(StrEnum):
    """Name why access is refused; each becomes the reason of a pause that a person can act on."""

    CREDENTIAL_MISSING = "credential-missing"
    CREDENTIAL_REFUSED = "credential-refused"
    CREDENTIAL_UNREADABLE = "credential-unreadable"
    SUBSCRIPTION_ENDED = "subscription-ended"
    ORGANIZATION_BLOCKED = "organization-blocked"
    ORGANIZATION_READ_ONLY = "organization-read-only"
    NOT_VISIBLE = "organization-not-visible"
    PLAN = "plan-lacks-feature"


class Unauthorised(SystemFault):
    """Say that we may not: pause the link (for ``PLAN``: let the work wait), tell a person once."""

    def __init__(self, message: str, *, reason: AccessReason) -> None:
        super().__init__(message)
        self.reason = reason


class NotFound(SystemFault):
    """Say that the record is not there (unknown, deleted, or a draft that was sent)."""


@dataclass(frozen=True, slots=True)
class Reason:
    """
    Name one reason of a refusal.

    Args:
        code: The system's own name of the rule, for instance ``WrongVatCodeException``; stable, no
            personal data.
        about: The canonical field it concerns, where known.
        text: Texts by language (``nb``, ``en``) as the system gave them; may be empty.

    """

    code: str
    about: str | None = None
    text: Mapping[str, str] = field(default_factory=dict)


class Rejected(SystemFault):
    """
    Say that the system refused what was asked and did nothing; trying the same again will not help.

    Args:
        stale: True when the record changed since it was read (412): read again and decide anew.
        existing_id: The record that stands in the way, where the system names it (a duplicate).

    """

    def __init__(
        self,
        message: str,
        *,
        reasons: tuple[Reason, ...] = (),
        stale: bool = False,
        existing_id: RecordId | None = None,
    ) -> None:
        super().__init__(message)
        self.reasons = reasons
        self.stale = stale
        self.existing_id = existing_id


@dataclass(frozen=True, slots=True)
class EntryConflict:
    """Say why one entry could not be reserved or completed, in the time system's own word."""

    id: EntryId
    reason: str
    held_by: str | None = None


class EntriesTaken(Rejected):
    """Say that entries could not be reserved or completed; nothing was changed."""

    def __init__(self, message: str, *, conflicts: tuple[EntryConflict, ...]) -> None:
        super().__init__(message, reasons=tuple(Reason(c.reason) for c in conflicts))
        self.conflicts = conflicts

"""Shape what the API says of links."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from app.canonical import SYNCED_FIELDS, is_organization_number
from app.documents import AnswerDocument, FieldIn, FieldOut, RequestDocument
from app.links.store import Link

Policy = Literal["ask", "books", "time"]
"""Who wins where both sides changed a field; `ask` leaves it to a person."""

TRIAL_NOTICE: Final = {
    "nb": "Uten konto i Timerabbit registreres virksomheten med 30 dagers prøvetid. Etter den"
    " blir det et betalt abonnement på 12 måneder, hvis virksomheten ikke melder seg av før.",
    "nn": "Utan konto i Timerabbit vert verksemda registrert med 30 dagars prøvetid. Etter den"
    " vert det eit betalt abonnement på 12 månader, dersom verksemda ikkje melder seg av før.",
    "en": "Without a Timerabbit account the company is registered for a 30-day trial. After that"
    " it becomes a paid 12-month subscription, unless the company opts out before.",
}

EXAMPLE_LINK: Final[dict[str, Any]] = {
    "id": "0199f3a0-0000-7000-8000-000000000001",
    "state": "active",
    "pauseReason": None,
    "pauseDetail": {},
    "timerabbit": {
        "accountId": "cmp_1",
        "name": "Fjord & Fjell Rådgivning AS",
        "organizationNumber": "923609016",
    },
    "conta": {
        "accountId": "1001",
        "name": "Fjord & Fjell Rådgivning AS",
        "organizationNumber": "923609016",
        "keyOwner": "Kari Nordmann",
        "hasKey": True,
    },
    "settings": {"defaultVatCode": "high", "conflictPolicy": "ask", "fieldPolicies": {}},
    "features": ["projects"],
    "createdAt": "2026-11-24T09:00:00Z",
    "lastSweepAt": "2026-11-24T09:10:00Z",
    "version": 4,
}


class Account(AnswerDocument):
    """Hold one side's account of a link."""

    account_id: str | None
    name: str | None
    organization_number: str | None


class BooksAccount(Account):
    """Hold the books account and whose key is used; the key itself is never shown."""

    key_owner: str | None
    has_key: bool


class LinkSettings(AnswerDocument):
    """Hold a link's settings with their defaults filled in."""

    default_vat_code: str = "high"
    conflict_policy: str = "ask"
    field_policies: Mapping[FieldOut, str] = Field(
        default_factory=dict, description="Fields that differ from `conflictPolicy`."
    )
    brake_share_percent: int = 20
    brake_least: int = 10


class LinkAnswer(AnswerDocument):
    """Hold a link as its callers see it."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE_LINK]}}

    id: str
    state: str
    pause_reason: str | None
    pause_detail: Mapping[str, Any]
    timerabbit: Account
    conta: BooksAccount
    settings: LinkSettings
    features: list[str]
    created_at: datetime
    last_sweep_at: datetime | None
    version: int


class StartedLink(AnswerDocument):
    """Hold a started link: where to send the person's browser, and what to tell them before."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "link": {**EXAMPLE_LINK, "state": "connecting"},
                    "handoverUrl": "https://app.timerabbit.net/handover/h_1",
                    "expiresAt": "2026-11-24T09:10:00Z",
                    "notice": TRIAL_NOTICE["en"],
                }
            ]
        }
    }

    link: LinkAnswer
    handover_url: str
    expires_at: datetime = Field(
        description="Until when the person must be back from the log-in; then start again."
    )
    notice: str = Field(description="Show this before the person goes on: a trial becomes paid.")


class StartLink(RequestDocument):
    """Ask to link a Conta organization."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "contaOrganizationId": "1001",
                    "organizationNumber": "923609016",
                    "name": "Fjord & Fjell Rådgivning AS",
                    "returnUrl": "https://app.conta.no/innstillinger/virksomheter",
                }
            ]
        }
    }

    conta_organization_id: str = Field(min_length=1, max_length=64)
    organization_number: str = Field(
        pattern=r"^[0-9]{9}$", description="Nine digits that pass modulus 11."
    )
    name: str = Field(default="", max_length=200)
    return_url: str = Field(min_length=8, max_length=2000)
    another_company: bool = Field(
        default=False,
        description="Start a link of its own although a closed one exists, for another Timerabbit"
        " company. Who logs in at one that was linked before gets that link back.",
    )

    @field_validator("organization_number")
    @classmethod
    def _modulus_11(cls, digits: str) -> str:
        if not is_organization_number(digits):
            raise PydanticCustomError("not_an_organization_number", "Not valid by modulus 11")
        return digits


class HandoverReturn(RequestDocument):
    """Bring back what the log-in gave the browser."""

    model_config = {
        "json_schema_extra": {
            "examples": [{"code": "c_8f2…", "state": "p7Rk…", "iss": "https://api.timerabbit.net"}]
        }
    }

    code: str = Field(min_length=1, max_length=2000)
    state: str = Field(min_length=1, max_length=500)
    iss: str = Field(min_length=1, max_length=500)
    confirm_different_numbers: bool = False


class SettingsChange(RequestDocument):
    """Change some settings; what is left out stays."""

    model_config = {
        "json_schema_extra": {
            "examples": [{"defaultVatCode": "exempted", "fieldPolicies": {"phone": "time"}}]
        }
    }

    default_vat_code: str | None = Field(
        default=None, pattern=r"^(no\.vat|high|medium|low|zero\.rate|exempted|export)$"
    )
    conflict_policy: Policy | None = None
    field_policies: dict[FieldIn, Policy | None] | None = Field(
        default=None,
        description="By field, as conflicts name it; `null` lets `conflictPolicy` decide again.",
    )
    brake_share_percent: int | None = Field(default=None, ge=1, le=100)
    brake_least: int | None = Field(default=None, ge=1, le=10_000)

    @field_validator("field_policies")
    @classmethod
    def _of_synced_fields(
        cls, policies: dict[str, Policy | None] | None
    ) -> dict[str, Policy | None] | None:
        unknown = set(policies or ()) - {name for names in SYNCED_FIELDS.values() for name in names}
        if unknown:
            raise PydanticCustomError("not_a_field", "No field of this name is kept equal")
        return policies

    def laid_over(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Give a link's settings as they are after this change."""
        after = {**settings, **self.model_dump(exclude_none=True)}
        if self.field_policies is not None:
            policies = {**settings.get("field_policies", {}), **self.field_policies}
            kept = {name: policy for name, policy in policies.items() if policy is not None}
            after["field_policies"] = kept
        return after


def link_answer(link: Link, *, has_key: bool) -> LinkAnswer:
    """Show a link."""
    return LinkAnswer(
        id=str(link.link_id),
        state=link.state,
        pause_reason=link.pause_reason,
        pause_detail=link.pause_detail,
        timerabbit=Account(
            account_id=link.time_account,
            name=link.time_name,
            organization_number=link.time_organization_number,
        ),
        conta=BooksAccount(
            account_id=link.books_account,
            name=link.books_name,
            organization_number=link.books_organization_number,
            key_owner=link.books_key_owner,
            has_key=has_key,
        ),
        settings=LinkSettings(**link.settings),
        features=list(link.features),
        created_at=link.created_at,
        last_sweep_at=link.last_sweep_at,
        version=link.version,
    )

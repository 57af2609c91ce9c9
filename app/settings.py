"""Read the settings from the environment (prefix ``TC_``).

Each knob says its unit and its reason.
"""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.addresses import is_database_address, is_folder, is_web_address
from app.environment import PREFIX, unknown_variables
from app.issuers import Issuer, named_twice, parse_issuers
from app.key_ring import parse_keyring


class SettingsInvalid(Exception):  # noqa: N818 - named by what it says of the settings
    """Say that a setting is missing or wrong; the text names each variable.

    The process stops with exit 2.
    """


class Settings(BaseSettings):
    """Hold every knob of the service; documented one by one in ``docs/settings.md``."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", populate_by_name=True, allow_inf_nan=False
    )

    database_url: str | None = Field(
        default=None,
        description="Database as the service role (owns nothing). Without it: an embedded server.",
    )
    migration_url: str | None = Field(
        default=None, description="The same database as the owner, for `migrate` only."
    )
    data_dir: Path = Field(
        default=Path(".data"), description="Folder of the embedded database server."
    )
    conta_url: str = Field(
        default="https://api.gateway.conta.no", description="Base address of Conta's API."
    )
    conta_app_url: str = Field(
        default="https://app.conta.no",
        description="Address of Conta's web app, for links shown to people.",
    )
    conta_modified_filter: bool = Field(
        default=True,
        description="Use Conta's `modifiedFromDate` on customers; off where the gateway lacks it.",
    )
    conta_registration_source: Literal["TIMERABBIT", "CONTA"] = Field(
        default="TIMERABBIT", description="`registrationSource` on drafts: TIMERABBIT or CONTA."
    )
    timerabbit_url: str = Field(
        default="https://api.timerabbit.net", description="Base address of Timerabbit's API."
    )
    timerabbit_client_id: str = Field(
        default="timerabbit-conta", description="Our OAuth client id at Timerabbit."
    )
    timerabbit_client_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Our OAuth client secret at Timerabbit; "
        "without it no account can be connected (`own-access-refused`).",
    )
    enhetsregisteret_url: str = Field(
        default="",
        description="Base address of Enhetsregisteret's open API "
        "(`https://data.brreg.no/enhetsregisteret/api`). Empty: never asked, since customers' "
        "numbers leave the house only when an operator says so; everything works without it.",
    )
    enhetsregisteret_calls_per_second: float = Field(
        default=4.0,
        gt=0,
        description="Calls per second of all links together towards Enhetsregisteret, which "
        "documents no limit and asks nobody to log in: be gentle.",
    )
    enhetsregisteret_cache_hours: float = Field(
        default=24.0,
        gt=0,
        description="Hours for which an answer of Enhetsregisteret is taken as fresh.",
    )
    public_url: str = Field(
        default="http://127.0.0.1:8000",
        description="Our own address as callers and webhook senders see it.",
    )
    keyring: SecretStr = Field(
        default=SecretStr(""),
        description="Keys that seal credentials: `id:base64` of 32 bytes, comma between; "
        "the first seals, all open.",
    )
    issuers: Annotated[tuple[Issuer, ...], NoDecode] = Field(
        default=(), description="JSON list of the issuers of callers' JWTs, one for each side."
    )
    return_urls: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("https://app.conta.no/",),
        description="Comma list of addresses that end in `/`; a link's `returnUrl` lies below one "
        "of them (pages of Conta).",
    )
    serve_processes: int = Field(
        default=1,
        ge=1,
        description="Number of service processes; together they take a quarter of each pace, "
        "which is kept for what people wait for.",
    )
    worker_processes: int = Field(
        default=1,
        ge=1,
        description="Number of worker processes; together they take the rest of each pace.",
    )
    conta_calls_per_second: float = Field(
        default=10.0,
        gt=0,
        description="Calls per second and link towards Conta, of all processes together. "
        "Conta documents no limit.",
    )
    timerabbit_calls_per_second: float = Field(
        default=20.0,
        gt=0,
        description="Calls per second and link towards Timerabbit, of all processes together.",
    )
    worker_concurrency: int = Field(
        default=40,
        ge=1,
        description="Jobs one worker runs at once; each waits for other systems most of the time.",
    )
    drain_bite: int = Field(
        default=50,
        ge=1,
        description="Most changes one drain takes before it stands behind the others again.",
    )
    drain_parallel: int = Field(
        default=8, ge=1, description="Records of one link that a drain carries out side by side."
    )
    wake_seconds: float = Field(
        default=5.0, gt=0, description="Seconds between looks for links whose waiting work is due."
    )
    heartbeat_seconds: float = Field(
        default=5.0, gt=0, description="Seconds between a worker's signs of life."
    )
    stalled_seconds: float = Field(
        default=15.0,
        gt=0,
        description="Seconds without a sign of life after which a worker's jobs are taken over.",
    )
    sweep_active_seconds: float = Field(
        default=900.0, gt=0, description="Seconds between sweeps of a link in daily use."
    )
    sweep_idle_seconds: float = Field(
        default=14_400.0, gt=0, description="Seconds between sweeps of a link where nothing moves."
    )
    settle_seconds: float = Field(
        default=120.0,
        gt=0,
        description="Wait before and between looks for a draft whose outcome is unknown.",
    )
    intent_settle_seconds: Annotated[tuple[float, ...], NoDecode] = Field(
        default=(0.0, 30.0, 120.0),
        description="Comma list of seconds at which a create of unknown outcome is looked for.",
    )
    transfer_ttl_seconds: int = Field(
        default=3600, ge=60, le=3600, description="How long Timerabbit holds reserved hours."
    )
    papers_kept_years: int = Field(
        default=5, ge=5, le=30, description="Years that papers are kept after their year's end."
    )
    outgoing_timeout_seconds: float = Field(
        default=30.0, gt=0, description="Deadline of one call to another system."
    )
    draft_timeout_seconds: float = Field(
        default=60.0, gt=0, description="Deadline of the one POST that makes a draft."
    )
    max_body_bytes: int = Field(
        default=262_144, gt=0, description="Largest request body accepted; above it 413."
    )
    max_sheet_bytes: int = Field(
        default=4_194_304, gt=0, description="Largest sheet of answers accepted; above it 413."
    )
    body_timeout_seconds: float = Field(
        default=10.0,
        gt=0,
        description="Longest time a request body may take to arrive; above it 408.",
    )
    database_pool: int = Field(
        default=20, ge=1, description="Database connections one process may hold."
    )
    shutdown_seconds: float = Field(
        default=6.0,
        gt=0,
        le=8,
        description="Seconds running work has to end after SIGTERM; the process is gone within 10.",
    )
    worker_metrics_port: int | None = Field(
        default=None,
        ge=1,
        le=65_535,
        description="Port where a worker shows its Prometheus metrics; none without it.",
    )
    worker_metrics_host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address where it shows them, to anyone who asks; they name nobody.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="DEBUG, INFO, WARNING or ERROR."
    )

    @field_validator("database_url", "migration_url")
    @classmethod
    def _postgresql(cls, value: str | None) -> str | None:
        if value is not None and not is_database_address(value):
            raise ValueError("must be a URL like postgresql://role:password@host:5432/database")
        return value

    @field_validator(
        "conta_url", "conta_app_url", "timerabbit_url", "public_url", "enhetsregisteret_url"
    )
    @classmethod
    def _web_address(cls, value: str, info: ValidationInfo) -> str:
        left_out = not value and info.field_name == "enhetsregisteret_url"
        if not left_out and not is_web_address(value):
            raise ValueError("must be an address like https://api.example")
        return value

    @field_validator("issuers", mode="before")
    @classmethod
    def _issuers(cls, value: object) -> object:
        return parse_issuers(value) if isinstance(value, str) else value

    @field_validator("issuers")
    @classmethod
    def _each_issuer_once(cls, value: tuple[Issuer, ...]) -> tuple[Issuer, ...]:
        if (name := named_twice(value)) is not None:
            raise ValueError(f"the issuer {name} stands twice")
        return value

    @field_validator("return_urls", "intent_settle_seconds", mode="before")
    @classmethod
    def _comma_list(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("return_urls")
    @classmethod
    def _folders(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or not all(is_folder(one) for one in value):
            raise ValueError("must be addresses that end in a slash, like https://app.example/")
        return value

    @field_validator("intent_settle_seconds")
    @classmethod
    def _rising(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not value or value[0] < 0 or list(value) != sorted(value):
            raise ValueError("must be rising seconds like 0,30,120")
        return value

    @field_validator("keyring")
    @classmethod
    def _keyring_form(cls, value: SecretStr) -> SecretStr:
        parse_keyring(value.get_secret_value())
        return value


def load_settings(*, required: tuple[str, ...] = ()) -> Settings:
    """
    Read the environment.

    Args:
        required: Field names that this process cannot do without.

    Raises:
        SettingsInvalid: Naming every variable that is wrong, missing or unknown.

    """
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    faults = unknown_variables(os.environ, known)
    try:
        settings = Settings()
    except ValidationError as err:
        faults += [_fault(e["loc"], e["msg"]) for e in err.errors()]
        raise SettingsInvalid("; ".join(faults)) from None
    faults += [f"TC_{name.upper()}: missing" for name in required if _is_empty(settings, name)]
    if faults:
        raise SettingsInvalid("; ".join(faults))
    return settings


def _fault(location: tuple[int | str, ...], message: str) -> str:
    """Name the variable, and the place inside it where it holds JSON."""
    name, *inside = (str(part) for part in location or ("?",))
    where = f" {'.'.join(inside)}:" if inside else ""
    return f"TC_{name.upper()}:{where} {message.removeprefix('Value error, ')}"


def _is_empty(settings: Settings, name: str) -> bool:
    value = getattr(settings, name)
    return not (value.get_secret_value() if isinstance(value, SecretStr) else value)

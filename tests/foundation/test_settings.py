"""The settings: a wrong or missing variable is named, and nothing secret is repeated."""

import base64
import json

import pytest

from app.canonical import Side
from app.key_ring import parse_keyring
from app.settings import SettingsInvalid, load_settings

KEY = base64.b64encode(b"k" * 32).decode()
OTHER_KEY = base64.b64encode(b"o" * 32).decode()


def issuers(**wrong: str) -> str:
    """Two issuers, the second with something wrong."""
    one = {"issuer": "https://t.example", "side": "time", "jwks_url": "https://t.example/jwks"}
    two = {"issuer": "https://b.example", "side": "books", "jwks_url": "https://b.example/jwks"}
    return json.dumps([one, {**two, **wrong}])


def test_reads_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists, issuers and numbers come from plain text variables."""
    monkeypatch.setenv("TC_KEYRING", f"a:{KEY}")
    monkeypatch.setenv("TC_RETURN_URLS", "https://a.example/, https://b.example/")
    monkeypatch.setenv("TC_INTENT_SETTLE_SECONDS", "0,1.5")
    monkeypatch.setenv(
        "TC_ISSUERS",
        '[{"issuer": "https://i.example", "side": "books", "jwks_url": "https://i.example/jwks"}]',
    )

    settings = load_settings(required=("keyring", "issuers"))

    assert settings.return_urls == ("https://a.example/", "https://b.example/")
    assert settings.intent_settle_seconds == (0.0, 1.5)
    assert settings.issuers[0].side is Side.BOOKS
    assert settings.issuers[0].algorithm == "ES256"


def test_names_each_missing_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator reads which variables to set, all at once."""
    monkeypatch.delenv("TC_KEYRING", raising=False)
    monkeypatch.delenv("TC_ISSUERS", raising=False)

    with pytest.raises(SettingsInvalid, match=r"TC_KEYRING: missing; TC_ISSUERS: missing"):
        load_settings(required=("keyring", "issuers"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TC_KEYRING", "a:short"),
        ("TC_KEYRING", "no-colon"),
        ("TC_KEYRING", "a:%%%"),
        ("TC_ISSUERS", "not json"),
        ("TC_DRAIN_BITE", "many"),
        ("TC_SETTLE_SECONDS", "-1"),
        ("TC_LOG_LEVEL", "LOUD"),
        ("TC_DATABASE_URL", "nonsense"),
        ("TC_DATABASE_URL", "mysql://a@b/c"),
        ("TC_DATABASE_URL", "postgresql://a@b/c?sslmood=require"),
        ("TC_DATABASE_URL", "postgresql://a:50%off@b/c"),
        ("TC_MIGRATION_URL", "postgresql://a@b:port/c"),
        ("TC_CONTA_URL", "conta.no"),
        ("TC_CONTA_APP_URL", "https://:443"),
        ("TC_TIMERABBIT_URL", "ftp://timerabbit.example"),
        ("TC_PUBLIC_URL", "localhost:8000"),
        ("TC_PUBLIC_URL", "https://a b"),
        ("TC_CONTA_URL", "https://conta.example/\nx"),
        ("TC_RETURN_URLS", ""),
        ("TC_RETURN_URLS", "not a url"),
        ("TC_RETURN_URLS", "https://app.conta.no"),
        ("TC_RETURN_URLS", "https://app.conta.no/innstillinger"),
        ("TC_RETURN_URLS", "https://app.conta.no/, ftp://app.conta.no/"),
        ("TC_RETURN_URLS", "https://kari@app.conta.no/"),
        ("TC_RETURN_URLS", "https://app.conta.no/?to=/"),
        ("TC_RETURN_URLS", "https:///tilbake/"),
        ("TC_ENHETSREGISTERET_URL", "ftp://register.example"),
        ("TC_CONTA_REGISTRATION_SOURCE", "SOMEBODY"),
        ("TC_INTENT_SETTLE_SECONDS", "nan"),
        ("TC_INTENT_SETTLE_SECONDS", "30,0"),
        ("TC_INTENT_SETTLE_SECONDS", " , "),
        ("TC_SETTLE_SECONDS", "inf"),
        ("TC_SHUTDOWN_SECONDS", "60"),
        ("TC_WORKER_METRICS_PORT", "99999"),
        ("TC_KEYRING", f"a:{KEY},a:{OTHER_KEY}"),
        ("TC_ISSUERS", issuers(algorithm="none")),
        ("TC_ISSUERS", issuers(algorithm="HS256")),
        ("TC_ISSUERS", issuers(jwks_url="nowhere")),
        ("TC_ISSUERS", issuers(issuer="")),
        ("TC_ISSUERS", issuers(jwks="https://i.example/jwks")),
        ("TC_ISSUERS", issuers(issuer="https://t.example")),
    ],
)
def test_names_a_wrong_variable(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """A wrong value names its variable and is not repeated."""
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsInvalid, match=name) as refusal:
        load_settings()

    assert name == "TC_DRAIN_BITE" or not value or value not in str(refusal.value)


def test_a_misspelt_variable_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its default would be taken in silence; the nearest name is told, with all other faults."""
    monkeypatch.setenv("TC_DATABSE_URL", "postgresql://secret@db/link")
    monkeypatch.setenv("TC_ZZZ", "1")
    monkeypatch.setenv("TC_DRAIN_BITE", "many")

    with pytest.raises(SettingsInvalid) as refusal:
        load_settings(required=("keyring",))

    said = str(refusal.value)
    assert "TC_DATABSE_URL: unknown, did you mean TC_DATABASE_URL?" in said
    assert "TC_ZZZ: unknown;" in said
    assert "TC_DRAIN_BITE:" in said
    assert "secret" not in said


def test_every_setting_is_known_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are read in either case, as they always were; other prefixes are not ours."""
    monkeypatch.setenv("tc_drain_bite", "7")
    monkeypatch.setenv("TCP_PORT", "1")

    assert load_settings().drain_bite == 7


def test_the_first_key_of_the_ring_is_the_first_entry() -> None:
    """Order decides which key seals."""
    keys = parse_keyring(f"new:{KEY}, old:{KEY}")

    assert list(keys) == ["new", "old"]

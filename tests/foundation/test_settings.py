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
        ("TC_MIGRATION_URL", "postgresql://a@b:port/c"),
        ("TC_CONTA_URL", "conta.no"),
        ("TC_CONTA_APP_URL", "https://:443"),
        ("TC_TIMERABBIT_URL", "ftp://timerabbit.example"),
        ("TC_PUBLIC_URL", "localhost:8000"),
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

    assert name == "TC_DRAIN_BITE" or value not in str(refusal.value)


def test_the_first_key_of_the_ring_is_the_first_entry() -> None:
    """Order decides which key seals."""
    keys = parse_keyring(f"new:{KEY}, old:{KEY}")

    assert list(keys) == ["new", "old"]

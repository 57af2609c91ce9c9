"""The settings: a wrong or missing variable is named, and nothing secret is repeated."""

import base64

import pytest

from app.canonical import Side
from app.key_ring import parse_keyring
from app.settings import SettingsInvalid, load_settings

KEY = base64.b64encode(b"k" * 32).decode()


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

"""The vault: what it must open and, above all, what it must not."""

import os

import pytest

from app.vault import Vault, VaultError


@pytest.fixture
def vault() -> Vault:
    return Vault({"new": os.urandom(32), "old": os.urandom(32)})


def test_opens_what_it_sealed_for_the_same_row(vault: Vault) -> None:
    """What was sealed for a row opens for that row."""
    sealed = vault.seal(b"secret", identity="link-1/books")

    assert vault.open(sealed, identity="link-1/books") == b"secret"


def test_two_seals_of_one_secret_differ(vault: Vault) -> None:
    """Equal secrets cannot be told from their sealed forms."""
    assert vault.seal(b"secret", identity="a") != vault.seal(b"secret", identity="a")


def test_refuses_a_value_moved_to_another_row(vault: Vault) -> None:
    """A sealed value copied to another link does not open there."""
    sealed = vault.seal(b"secret", identity="link-1/books")

    with pytest.raises(VaultError, match="another row"):
        vault.open(sealed, identity="link-2/books")


def test_refuses_an_altered_value(vault: Vault) -> None:
    """One changed bit is enough."""
    sealed = bytearray(vault.seal(b"secret", identity="a"))
    sealed[-1] ^= 1

    with pytest.raises(VaultError, match="altered"):
        vault.open(bytes(sealed), identity="a")


def test_an_older_key_still_opens_after_a_new_one_was_put_in_front() -> None:
    """Renewing the key ring costs no stored credential."""
    old = os.urandom(32)
    sealed = Vault({"old": old}).seal(b"secret", identity="a")

    assert Vault({"new": os.urandom(32), "old": old}).open(sealed, identity="a") == b"secret"


def test_says_when_the_key_is_gone(vault: Vault) -> None:
    """A value sealed with a key that was removed is told apart from an altered one."""
    sealed = Vault({"gone": os.urandom(32)}).seal(b"secret", identity="a")

    with pytest.raises(VaultError, match="TC_KEYRING"):
        vault.open(sealed, identity="a")


def test_an_empty_ring_seals_nothing() -> None:
    """Without a key nothing is stored in clear by accident."""
    empty = Vault({})

    assert not empty.ready
    with pytest.raises(VaultError, match="empty"):
        empty.seal(b"secret", identity="a")

"""Seal and open stored credentials.

AES-256-GCM, key id in front, the row's identity as associated data.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class VaultError(Exception):
    """Say that a sealed value cannot be opened.

    Moved to another row, altered, or its key is gone.
    """


class Vault:
    """Hold the key ring; the first key seals, all open. Has no state but its keys."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._keys = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._first = next(iter(keys), None)

    @property
    def ready(self) -> bool:
        """Say whether there is a key to seal with."""
        return self._first is not None

    def seal(self, secret: bytes, *, identity: str) -> bytes:
        """
        Seal a secret for the row that ``identity`` names; two seals of one secret differ.

        Raises:
            VaultError: The key ring is empty.

        """
        if self._first is None:
            raise VaultError("the key ring is empty; set TC_KEYRING")
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._keys[self._first].encrypt(nonce, secret, identity.encode())
        return self._first.encode() + b":" + nonce + sealed

    def open(self, sealed: bytes, *, identity: str) -> bytes:
        """
        Open what was sealed for the same identity.

        Raises:
            VaultError: The key id is unknown, or the value was altered or belongs to another row.

        """
        key_id, _, rest = sealed.partition(b":")
        key = self._keys.get(key_id.decode(errors="replace"))
        if key is None:
            raise VaultError("sealed with a key that is not in TC_KEYRING")
        try:
            return key.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], identity.encode())
        except InvalidTag as err:
            raise VaultError("the sealed value was altered or belongs to another row") from err

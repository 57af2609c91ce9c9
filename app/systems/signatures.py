"""
Sign and verify webhooks by the Standard Webhooks rules, strictly and purely.

Stricter than the reference verifier where that is lenient: integer time stamps only, canonical
base64 only, one shape of id. What a caller does with a refusal (401, alarm) is not decided here.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence

SECRET_PREFIX = "whsec_"  # noqa: S105 - the public prefix of every secret, not a secret
SHORTEST_SECRET_BYTES = 24
MOST_SIGNATURES = 32

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TIMESTAMP = re.compile(r"0|[1-9][0-9]{0,11}")
_MAC_BYTES = 32
_MAC_TEXT = 44  # base64 of 32 bytes, padding included


class BadSignature(Exception):  # noqa: N818 - named by what it says of the message
    """
    Say that a message is not to be believed; ``code`` says why, and holds nothing of the message.

    The only exception this module raises; answer it with 401 and keep nothing.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def sign(secret: bytes, *, message_id: str, timestamp: int, body: bytes) -> str:
    """
    Give one entry for the ``webhook-signature`` header, ``v1,`` and the MAC in base64.

    The secret is decoded, at least 24 bytes; the timestamp is Unix seconds, as the header says it.

    Raises:
        BadSignature: Secret or id are not what ``verify`` would accept.

    """
    _refuse_weak((secret,))
    if not _ID.fullmatch(message_id):
        raise BadSignature("id-malformed")
    mac = _mac(secret, message_id, str(timestamp), body)
    return "v1," + base64.b64encode(mac).decode("ascii")


def verify(
    headers: Mapping[str, str],
    body: bytes,
    *,
    secrets: Sequence[bytes],
    now: int,
    tolerance_seconds: int = 300,
) -> int:
    """
    Check a message and give the index of the secret that signed it.

    Every pair of secret and signature is compared in constant time, without an early exit. Header
    names count without case. The body is the raw bytes as they came, ``now`` is Unix seconds at the
    receiver, and the tolerance holds both ways.

    Raises:
        BadSignature: Nothing about the message may be believed.

    """
    _refuse_weak(secrets)
    named = {name.lower(): value for name, value in headers.items()}
    message_id = _header(named, "webhook-id")
    timestamp = _header(named, "webhook-timestamp")
    signatures = _header(named, "webhook-signature")
    if not _ID.fullmatch(message_id):
        raise BadSignature("id-malformed")
    if not _TIMESTAMP.fullmatch(timestamp):
        raise BadSignature("timestamp-malformed")
    if abs(now - int(timestamp)) > tolerance_seconds:
        raise BadSignature("timestamp-outside-window")
    macs = tuple(_v1_macs(signatures))
    matching = -1
    for index, secret in enumerate(secrets):
        expected = _mac(secret, message_id, timestamp, body)
        for mac in macs:
            if hmac.compare_digest(expected, mac):
                matching = index
    if matching < 0:
        raise BadSignature("no-matching-signature")
    return matching


def decode_secret(text: str) -> bytes:
    """
    Decode ``whsec_`` and base64 into the bytes that sign.

    Raises:
        BadSignature: No prefix, not canonical base64, or shorter than 24 bytes.

    """
    if not text.startswith(SECRET_PREFIX):
        raise BadSignature("secret-malformed")
    secret = _canonical_base64(text.removeprefix(SECRET_PREFIX))
    if secret is None:
        raise BadSignature("secret-malformed")
    _refuse_weak((secret,))
    return secret


def encode_secret(secret: bytes) -> str:
    """Write a secret as ``whsec_`` and base64, the form that is shown once."""
    return SECRET_PREFIX + base64.b64encode(secret).decode("ascii")


def _refuse_weak(secrets: Sequence[bytes]) -> None:
    # An empty key would make every forged message valid; failing closed beats skipping it.
    if not secrets:
        raise BadSignature("no-secret")
    if any(len(secret) < SHORTEST_SECRET_BYTES for secret in secrets):
        raise BadSignature("secret-too-short")


def _header(named: Mapping[str, str], name: str) -> str:
    # The HTTP parser keeps a trailing tab, so the value is stripped here too; a control character
    # inside is never stripped.
    value = named.get(name, "").strip(" \t")
    if not value:
        raise BadSignature("header-missing")
    if not (value.isascii() and value.isprintable()):
        raise BadSignature("header-malformed")
    return value


def _v1_macs(signatures: str) -> Iterator[bytes]:
    entries = [entry for entry in signatures.split(" ") if entry]
    if len(entries) > MOST_SIGNATURES:
        raise BadSignature("too-many-signatures")
    for entry in entries:
        version, _, text = entry.partition(",")
        if version != "v1" or len(text) != _MAC_TEXT:
            continue
        mac = _canonical_base64(text)
        if mac is not None and len(mac) == _MAC_BYTES:
            yield mac


def _canonical_base64(text: str) -> bytes | None:
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if base64.b64encode(decoded).decode("ascii") == text else None


def _mac(secret: bytes, message_id: str, timestamp: str, body: bytes) -> bytes:
    return hmac.digest(secret, f"{message_id}.{timestamp}.".encode("ascii") + body, "sha256")

"""Read the key ring: the keys that seal and open credentials."""

import base64


def parse_keyring(text: str) -> dict[str, bytes]:
    """
    Parse ``id:base64`` entries, comma between, into keys by id, in order; the first one seals.

    Raises:
        ValueError: An entry is malformed, not 32 bytes long, or has the id of another. The text of
            the key is never in the message.

    """
    keys: dict[str, bytes] = {}
    for position, entry in enumerate(filter(None, (part.strip() for part in text.split(","))), 1):
        key_id, separator, encoded = entry.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError as err:
            raise ValueError(f"entry {position} is not base64") from err
        if not separator or not key_id or len(key) != 32:
            raise ValueError(f"entry {position} must be id:base64 of 32 bytes")
        if key_id in keys:
            raise ValueError(f"entry {position} has the id of an earlier one")
        keys[key_id] = key
    return keys

"""Keep a link's credentials sealed: OAuth tokens of the time side, the key of the books side."""

import hashlib
import json
from datetime import UTC, datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, Side
from app.links.identity import credential_identity
from app.links.store import Credential
from app.systems.ports import AccessReason, Tokens, Unauthorised
from app.vault import Vault, VaultError


def tokens_as_bytes(tokens: Tokens) -> bytes:
    """Write tokens as they are sealed."""
    return json.dumps(
        {
            "access": tokens.access,
            "refresh": tokens.refresh,
            "expires": tokens.expires_at.timestamp(),
        }
    ).encode()


def tokens_from_bytes(value: bytes) -> Tokens:
    """Read tokens back."""
    held = json.loads(value)
    return Tokens(held["access"], held["refresh"], datetime.fromtimestamp(held["expires"], tz=UTC))


def key_fingerprint(key: str) -> str:
    """Give what tells that two links share a key, without the key."""
    return hashlib.sha256(b"books-key:" + key.encode()).hexdigest()


async def keep_credential(
    session: AsyncSession,
    vault: Vault,
    link_id: LinkId,
    side: Side,
    secret: bytes,
    *,
    now: datetime,
    fingerprint: str | None = None,
) -> None:
    """Seal and store a side's credential in place of the one before."""
    sealed = vault.seal(secret, identity=credential_identity(link_id, side))
    values = {"sealed": sealed, "fingerprint": fingerprint, "updated_at": now, "lease_until": None}
    statement = insert(Credential).values(link_id=link_id, side=side.value, version=1, **values)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["link_id", "side"],
            set_={**values, "version": Credential.version + 1},
        )
    )


async def open_credential(
    session: AsyncSession, vault: Vault, link_id: LinkId, side: Side
) -> bytes | None:
    """
    Open a side's credential; ``None`` when there is none.

    Raises:
        Unauthorised: As ``open_sealed``.

    """
    row = await session.get(Credential, (link_id, side.value))
    return None if row is None else open_sealed(vault, link_id, side, row.sealed)


def open_sealed(vault: Vault, link_id: LinkId, side: Side, sealed: bytes) -> bytes:
    """
    Open what was stored as a side's credential.

    Raises:
        Unauthorised: The key ring cannot open it. Like a refused credential it will not mend by
            itself, so the link pauses for it, with a reason that says the fault is ours.

    """
    try:
        return vault.open(sealed, identity=credential_identity(link_id, side))
    except VaultError as err:
        raise Unauthorised(
            f"the {side} side's credential: {err}", reason=AccessReason.CREDENTIAL_UNREADABLE
        ) from err

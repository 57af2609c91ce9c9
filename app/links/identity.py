"""Name the rows that sealed values belong to; a value copied to another row does not open there."""

from uuid import UUID

from app.canonical import Side


def credential_identity(link_id: UUID, side: Side) -> str:
    """Name a link's credential of a side."""
    return f"{link_id}/credential/{side.value}"


def webhook_secret_identity(link_id: UUID, secret_id: UUID) -> str:
    """Name one webhook secret of a link."""
    return f"{link_id}/webhook-secret/{secret_id}"


def verifier_identity(link_id: UUID) -> str:
    """Name the PKCE verifier of a link's started log-in."""
    return f"{link_id}/pkce-verifier"

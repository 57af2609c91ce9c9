"""Issue the JWTs with which a twin's people call the link service."""

from datetime import timedelta
from typing import Any, Literal

from joserfc import jwt
from joserfc.jwk import ECKey, KeyParameters, KeySet

from app.sandbox.clock import Clock


class Issuer:
    """
    Sign tokens with an ES256 key made for this process.

    Args:
        name: Short name of the twin; part of the key id.
        url: The twin's own base address, the tokens' ``iss``. It may be set later, when the twin
            learns on which port it is served.
        clock: The twin's clock; without it the real time.

    """

    def __init__(self, name: str, *, url: str | None = None, clock: Clock | None = None) -> None:
        self.url = url or f"http://{name}.test"
        self.key_id = f"{name}-1"
        self._clock = clock or Clock()
        facts: KeyParameters = {"kid": self.key_id, "use": "sig", "alg": "ES256"}
        self._key = ECKey.generate_key("P-256", parameters=facts, private=True)

    def jwks(self) -> dict[str, Any]:
        """Show the public key, as served at ``/.well-known/jwks.json``."""
        return dict(KeySet([self._key]).as_dict(private=False))

    def token(
        self,
        *,
        subject: str,
        accounts: list[str],
        role: Literal["administrator", "user"],
        audience: str = "timerabbit-conta",
        lifetime_seconds: int = 900,
        **extra: Any,  # noqa: ANN401 - any claim may be added or overridden
    ) -> str:
        """
        Sign a token for one person; ``extra`` adds claims or overrides those made here.

        ``accounts`` are the ids of the companies or organizations that the person reaches.
        """
        now = self._clock.now()
        claims = {
            "iss": self.url,
            "sub": subject,
            "aud": audience,
            "iat": int(now.timestamp()),
            "nbf": int(now.timestamp()),
            "exp": int((now + timedelta(seconds=lifetime_seconds)).timestamp()),
            "accounts": accounts,
            "role": role,
            **extra,
        }
        header = {"alg": "ES256", "kid": self.key_id, "typ": "JWT"}
        return jwt.encode(header, claims, self._key, algorithms=["ES256"])

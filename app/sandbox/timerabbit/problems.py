"""Refuse as the contract says: RFC 9457 problems with a stable code."""

from typing import Any, Final

STATUS: Final = {
    "unauthorized": 401,
    "link_revoked": 401,
    "forbidden": 403,
    "subscription_ended": 402,
    "not_found": 404,
    "method_not_allowed": 405,
    "duplicate_customer": 409,
    "duplicate_project_number": 409,
    "project_customer_locked": 409,
    "already_linked": 409,
    "transfer_state": 409,
    "entry_conflict": 409,
    "cursor_expired": 410,
    "version_mismatch": 412,
    "validation_failed": 422,
    "idempotency_key_reused": 422,
    "if_match_required": 428,
}


class Refusal(Exception):  # noqa: N818 - it is the answer itself
    """Stop a call with a problem; nothing was changed."""

    def __init__(self, code: str, **more: Any) -> None:  # noqa: ANN401 - any JSON member
        super().__init__(code)
        self.status = STATUS[code]
        self.body: dict[str, Any] = {
            "type": f"https://api.timerabbit.net/problems/{code}",
            "title": code.replace("_", " ").capitalize(),
            "status": self.status,
            "code": code,
            **more,
        }


def invalid(pointer: str, message: str) -> Refusal:
    """Refuse one wrong field."""
    return Refusal("validation_failed", errors=[{"pointer": pointer, "message": message}])

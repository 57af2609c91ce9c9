"""Name where a link can stand; pure."""

from enum import StrEnum


class LinkState(StrEnum):
    """Name where a link stands; ``closed`` is left only by connecting the same couple again."""

    CONNECTING = "connecting"
    REVIEWING = "reviewing"
    ACTIVE = "active"
    PAUSED = "paused"
    CLOSED = "closed"

"""Page lists: how many items a caller wants, and where the last page ended, by a signed cursor."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

from fastapi import Depends, Query

from app.problems import Problem

PAGE_LIMIT: Final = 200
"""Most items of one page; the default is 50."""

Row = TypeVar("Row")


class Page:
    """
    Hold one page of a list as it was asked for; ``row_limit`` rows tell whether another follows.

    Made for a list by `Asked.of`; ``after`` is where the page before ended, None for the first.
    """

    def __init__(self, limit: int, key: bytes, scope: str, after: list[Any] | None) -> None:
        self.limit = limit
        self.after = after
        self._key = key
        self._scope = scope

    @property
    def row_limit(self) -> int:
        """Say how many rows to read: one more than is shown."""
        return self.limit + 1

    @property
    def after_id(self) -> UUID | None:
        """Give the id after which this page begins, where a list is ordered by one."""
        return None if self.after is None else UUID(str(self.after[0]))

    def cut(
        self, rows: Sequence[Row], position: Callable[[Row], Sequence[str | int]]
    ) -> tuple[Sequence[Row], str | None]:
        """Give the rows to show, and the cursor of the next page where there is one."""
        shown = rows[: self.limit]
        if len(rows) <= self.limit:
            return shown, None
        return shown, write_cursor(position(shown[-1]), key=self._key, scope=self._scope)


class Asked:
    """Be what a caller asks of a list: its query parameters ``limit`` and ``cursor``."""

    def __init__(
        self,
        limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT, description="Most items.")] = 50,
        cursor: Annotated[
            str | None, Query(max_length=1000, description="`nextCursor` of the page before.")
        ] = None,
    ) -> None:
        self.limit = limit
        self.cursor = cursor

    def of(self, scope: str, *, key: bytes) -> Page:
        """
        Open the page of one list; ``scope`` names the list with its link and its filter.

        Raises:
            Problem: ``invalid-cursor`` when it was altered or belongs to another list.

        """
        after = None if self.cursor is None else read_cursor(self.cursor, key=key, scope=scope)
        return Page(self.limit, key, scope, after)


Paging = Annotated[Asked, Depends()]


def write_cursor(position: Sequence[str | int], *, key: bytes, scope: str) -> str:
    """Give an opaque cursor for a position, signed and bound to a scope (link, list and filter)."""
    body = json.dumps(list(position), separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_sign(body, key, scope) + body).decode().rstrip("=")


def read_cursor(cursor: str, *, key: bytes, scope: str) -> list[str | int]:
    """
    Read a cursor back.

    Raises:
        Problem: ``invalid-cursor`` when it was altered or belongs to another list.

    """
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        raise Problem("invalid-cursor") from None
    mac, body = raw[:16], raw[16:]
    if not hmac.compare_digest(mac, _sign(body, key, scope)):
        raise Problem("invalid-cursor")
    position: list[str | int] = json.loads(body)
    return position


def _sign(body: bytes, key: bytes, scope: str) -> bytes:
    return hmac.new(key, scope.encode() + b"\0" + body, hashlib.sha256).digest()[:16]

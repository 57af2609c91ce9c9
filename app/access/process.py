"""Say what access needs of the running process; the runtime itself stands above this room."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, cast

from fastapi import Request

from app.database import Database


class Process(Protocol):
    """Be a running process, as far as access looks."""

    @property
    def database(self) -> Database:
        """Give the database."""
        ...

    @property
    def clock(self) -> Callable[[], datetime]:
        """Give the clock."""
        ...

    @property
    def cursor_key(self) -> bytes:
        """Give the key that signs the cursors of lists."""
        ...


def process_of(request: Request) -> Process:
    """Give the process that serves a request."""
    return cast("Process", request.app.state.runtime)

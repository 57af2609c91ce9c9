"""Judge addresses: whether a text is one, and whether one lies below another; pure."""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

_PORTS: Final = {"http": 80, "https": 443}
_VISIBLE: Final = re.compile(r"[!-\[\]-~]+")
"""Visible ASCII without the backslash, which browsers read as a slash. ``urlsplit`` drops line
breaks and tabs in silence, so that what is judged would not be what is sent."""
_HIDDEN: Final = re.compile(r"%(2f|5c|25)", re.IGNORECASE)
"""An encoded slash, backslash or per cent sign: readers differ on what they part and decode."""


class Place(NamedTuple):
    """Hold where a web address leads: the host it is asked of, and its decoded path."""

    scheme: str
    host: str
    port: int
    path: str


def is_web_address(value: str) -> bool:
    """Say whether a text is the address of a host that is called over HTTP."""
    blank = not value.isprintable() or " " in value
    return not blank and is_address(value, *_PORTS) and bool(urlsplit(value).hostname)


def is_address(value: str, *schemes: str) -> bool:
    """Say whether a text reads as a URL of a scheme, with a port that is a number."""
    try:
        parts = urlsplit(value)
        return (
            parts.scheme in schemes
            and value.startswith(f"{parts.scheme}://")
            and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        return False


def is_database_address(value: str) -> bool:
    """Say whether a text is a URL that the database's own library can read, each option known."""
    try:
        return is_address(value, "postgresql", "postgres") and bool(conninfo_to_dict(value))
    except ProgrammingError:
        return False


def is_folder(value: str) -> bool:
    """Say whether a text is a web address that others can lie below: its path ends in a slash."""
    place = _read_place(value)
    return place is not None and value.endswith("/") and not {"?", "#"} & set(value)


def lies_below(value: str, folders: Iterable[str]) -> bool:
    """
    Say whether a web address leads to a page below one of these, whoever reads it.

    An address that two readers may understand differently (a user in it, dots in its path, written
    in capitals or encoded twice) leads nowhere.
    """
    place = _read_place(value)
    return place is not None and any(
        place[:3] == folder[:3] and place.path.startswith(folder.path)
        for folder in map(_read_place, filter(is_folder, folders))
        if folder is not None
    )


def _read_place(value: str) -> Place | None:
    if not _VISIBLE.fullmatch(value) or not is_web_address(value):
        return None
    parts = urlsplit(value)
    if "@" in parts.netloc or parts.netloc != parts.netloc.lower() or _HIDDEN.search(parts.path):
        return None
    path = unquote(parts.path)
    # Some servers part a segment at its semicolon first: `..;x` is `..` to them.
    segments = {segment.partition(";")[0] for segment in path.split("/")}
    if segments & {".", ".."} or not path.isprintable() or "\\" in path:
        return None
    return Place(parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme], path)

"""
Say whether the process of a container lives: ``python -m app.healthcheck 1``, as its image does.

What is asked depends on the command that the process runs: a service at the port it serves, a
worker at its metrics where it shows any. Of every other command the process itself is the answer:
a container ends with it.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final, NamedTuple

PATIENCE_SECONDS: Final = 2
_PORT: Final = "8000"
"""Where ``serve`` listens when it is told no port."""


class Address(NamedTuple):
    """Hold where a process answers while it lives."""

    host: str
    port: int
    path: str


def address_of(words: Sequence[str], environment: Mapping[str, str]) -> Address | None:
    """Give the address that a command answers at while it lives; ``None`` where it has none."""
    if "serve" in words:
        port = _option(words, "--port") or _PORT
        return Address(_near(_option(words, "--host")), int(port), "/health/live")
    shown = environment.get("TC_WORKER_METRICS_PORT")
    if "worker" in words and shown:
        return Address(_near(environment.get("TC_WORKER_METRICS_HOST", "")), int(shown), "/metrics")
    return None


def _option(words: Sequence[str], name: str) -> str:
    """Read an option in either spelling; the last one holds, as for the command itself."""
    found = ""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == name:
            found = following
        elif word.startswith(f"{name}="):
            found = word.removeprefix(f"{name}=")
    return found


def _near(listening: str) -> str:
    """Give where to call what listens there: everywhere is also here."""
    return {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(listening, listening)


def main(process: str) -> int:
    """Ask the process with this id; gives the exit code, 0 where it lives."""
    words = Path(f"/proc/{process}/cmdline").read_text(encoding="utf-8").split("\0")
    address = address_of(words, os.environ)
    return 0 if address is None or _answers(address) else 1


def _answers(address: Address) -> bool:
    # No proxy of the environment comes between, as it would with urllib.
    line = HTTPConnection(address.host, address.port, timeout=PATIENCE_SECONDS)
    try:
        line.request("GET", address.path)
        return line.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        line.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

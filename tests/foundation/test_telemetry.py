"""What a log line may hold, through the whole chain as a process sets it up."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SET_UP = """
import logging
import structlog
from app.telemetry import configure_logging

configure_logging("INFO")
log = structlog.get_logger()
"""


def _logged(*lines: str) -> list[dict[str, Any]]:
    """Run lines in a process of their own: the set-up is for a whole process."""
    ended = subprocess.run(
        [sys.executable, "-c", SET_UP + "\n".join(lines)],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert ended.stdout == ""
    return [json.loads(line) for line in ended.stderr.splitlines()]


def test_a_line_is_json_with_allowed_fields_only() -> None:
    """A field nobody allowed is dropped before it is written, whatever it is called."""
    (line,) = _logged(
        "log.info('pushed', link_id='7', record_id='12', status=200,"
        " name='Kari Nordmann', email='kari@bakken.no', body={'phone': '22'}, exc_text='kari')"
    )

    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "pushed", "level": "info", "link_id": "7", "record_id": "12", "status": 200,
    }  # fmt: skip


def test_what_an_exception_says_is_never_written() -> None:
    """Also where somebody asks for it with `log.exception`."""
    (line,) = _logged(
        "try:", "    int('kari')", "except ValueError:", "    log.exception('failed')"
    )

    assert line["event"] == "failed"
    assert "kari" not in json.dumps(line)


def test_lines_below_the_level_are_not_written() -> None:
    assert [line["event"] for line in _logged("log.debug('fine')", "log.info('told')")] == ["told"]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("warning('%s has no key %s', 'kari', 'secret')", None),
        ("error('kari', extra={'email': 'kari@bakken.no'})", None),
        ("exception('kari')", "ValueError"),
    ],
)
def test_a_librarys_warning_is_told_without_its_text(call: str, error: str | None) -> None:
    """Its logger and the exception's class, in our own form; below a warning nothing."""
    (line,) = _logged(
        "library = logging.getLogger('some.library')",
        "library.info('kari connects')",
        "try:",
        "    int('kari')",
        "except ValueError:",
        f"    library.{call}",
    )

    assert (line["event"], line["logger"], line["error"]) == (
        "library warning", "some.library", error,
    )  # fmt: skip
    assert "kari" not in json.dumps(line)

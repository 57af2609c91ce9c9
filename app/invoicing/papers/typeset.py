"""
Typeset a specification in a process of its own: ``python -m app.invoicing.papers.typeset``.

JSON comes in on standard input, the PDF goes out on standard output. A process of its own keeps
the memory of a long paper (200 MB at 5,000 hours) and its time out of the service.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import typst

TEMPLATE: Final = Path(__file__).with_name("specification.typ")
_SECONDS: Final = 60


class NotTypeset(Exception):  # noqa: N818 - named by what happened
    """Say that the paper could not be made; trying again later may help."""


def typeset(data: str) -> bytes:
    """Give the PDF of the template filled with JSON; no system fonts, no files, no network."""
    made = typst.compile(
        TEMPLATE.read_bytes(), format="pdf", ignore_system_fonts=True, sys_inputs={"data": data},
        pdf_tags=False,
    )  # fmt: skip
    assert isinstance(made, bytes)  # noqa: S101 - one document in one format is bytes
    return made


async def print_pdf(data: Mapping[str, Any]) -> bytes:
    """
    Typeset elsewhere and give the PDF.

    Raises:
        NotTypeset: The process failed or took longer than a minute.

    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.invoicing.papers.typeset", stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        out, _ = await asyncio.wait_for(process.communicate(json.dumps(data).encode()), _SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise NotTypeset from None
    if process.returncode != 0 or not out.startswith(b"%PDF-"):
        raise NotTypeset
    return out


if __name__ == "__main__":
    sys.stdout.buffer.write(typeset(sys.stdin.read()))

"""The page «the first hour» is true: its curl calls run, one after another."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("stories")]
PAGE = Path(__file__).parents[2] / "docs" / "first-hour.md"


def test_every_block_of_the_page_runs(theatre: Any) -> None:
    """From sandbox to invoice draft with nothing but curl; the draft is in Conta's store."""
    theatre.start_service()
    theatre.start_worker()
    blocks = re.findall(r"```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    addresses = theatre.addresses
    variables = {
        "SERVICE": addresses.service,
        "CONTA": addresses.conta,
        "TIMERABBIT": addresses.timerabbit,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
    }

    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)],
        env=variables, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.rstrip().endswith("completed")
    assert len(theatre.people.books()["drafts"]) == 1

"""The pages with curl calls are true: their calls run, one after another."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from app.demo.linking import tell_connecting
from app.demo.screen import Screen
from app.demo.story import shell_line

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("stories")]
DOCS = Path(__file__).parents[2] / "docs"


def run_page(page: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the blocks of a page in one shell."""
    text = (DOCS / page).read_text(encoding="utf-8")
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", **variables},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_every_block_of_the_page_runs(theatre: Any) -> None:
    """From sandbox to invoice draft with nothing but curl; the draft is in Conta's store."""
    theatre.start_service()
    theatre.start_worker()
    _, *printed = shlex.split(shell_line(theatre.addresses))

    ran = run_page("first-hour.md", **dict(one.split("=", 1) for one in printed))

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.rstrip().endswith("completed")
    assert len(theatre.people.books()["drafts"]) == 1


def test_waiting_ends_with_the_error_when_a_call_fails() -> None:
    """An expired token is told, in a shell as people have it, and not waited on for ever."""
    text = (DOCS / "first-hour.md").read_text(encoding="utf-8")
    words = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)[0]
    refused = "curl() { echo 'curl: (22) error: 401' >&2; return 22; }"

    ran = subprocess.run(
        ["bash", "-c", f"{words}\n{refused}\nTOKEN=old\nwait_for http://nowhere open"],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip

    assert (ran.returncode, ran.stderr) == (1, "curl: (22) error: 401\n")
    assert "until [" not in text


def test_every_block_of_invoicing_runs(theatre: Any) -> None:
    """From hours to one draft with a text of one's own, which a release leaves alone."""
    theatre.start_service()
    theatre.start_worker()
    theatre.first_sync()
    people = theatre.people

    ran = run_page(
        "invoicing.md",
        LINK=f"{theatre.addresses.service}/v1/links/{people.link_id}",
        TOKEN=people.headers["Authorization"].removeprefix("Bearer "),
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    (draft,) = people.books()["drafts"]
    assert draft["invoiceDraftLines"][0]["description"].startswith("Oppstart av prosjektet")
    assert ran.stdout.rstrip().endswith("draft-holds-hours"), ran.stdout


def test_every_block_of_the_review_runs(theatre: Any) -> None:
    """From an unread link to a run that is undone again; both stores keep what they had."""
    theatre.start_service()
    theatre.start_worker()
    people = theatre.people
    people.sign_in()
    tell_connecting(people, Screen())
    before = len(people.books()["customers"])

    ran = run_page(
        "first-sync.md",
        LINK=f"{theatre.addresses.service}/v1/links/{people.link_id}",
        TOKEN=people.headers["Authorization"].removeprefix("Bearer "),
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    undone = int(ran.stdout.split()[-1])
    after = people.books()["customers"]
    assert undone > 0
    assert len(after) > before == sum(1 for one in after if one["isActive"])

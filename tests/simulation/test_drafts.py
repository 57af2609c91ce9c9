"""
Draft worlds from seeds: no duplicate draft, no hour or expense billed twice, none lost or stuck.

``make simulate SEEDS=2000`` plays more; a failure names the seed that replays it.
"""

import os
from collections import Counter

import pytest
from sqlalchemy.exc import IntegrityError

from tests.simulation.drafts import DraftWorld
from tests.simulation.planted import PLANTED
from tests.simulation.stage import Stage

PIECE = 400
"""So many that each deed is all but sure to be met; of a hundred one in two hundred misses one."""
SEEDS = int(os.environ.get("SEEDS", "20"))
FIRST = int(os.environ.get("FIRST", "1"))
PIECES = [
    range(start, min(start + PIECE, FIRST + SEEDS)) for start in range(FIRST, FIRST + SEEDS, PIECE)
]
DEEDS = {
    "send", "two_at_once", "two_workers", "break_books", "break_time", "die", "die_at_work",
    "pass_time", "in_the_books", "decide", "decide_twice", "change_hours", "decide_changes",
    "take_back", "undo", "send_late", "take_line_out", "line-200", "rewrite", "rewritten-409",
    "release_in_haste", "haste-409", "merge", "merged", "merged-409",
    "hour-minutes", "hour-rate", "hour-move", "hour-delete", "hour-restore", "leave-200",
    "follow-up-200", "books-send", "books-delete", "books-credit", "undo-200", "erased",
    "change_beside", "beside-add", "beside-alike", "beside-price", "beside-take-out",
    "beside-drive", "beside-no-time", "bill_left_out", "left-out-201", "left-out-409", "pay",
    "pay_and_credit", "books-paid", "books-part-paid", "books-paid-credit", "fate-sent",
}  # fmt: skip


@pytest.mark.parametrize("seeds", PIECES, ids=lambda piece: f"{piece.start}-{piece.stop - 1}")
async def test_every_world_ends_true(stage: Stage, seeds: range) -> None:
    """People, faults and deaths in any order: judged by the twins' own stores."""
    happened: Counter[str] = Counter()
    wrong: list[str] = []
    for seed in seeds:
        world = DraftWorld(stage, seed)
        wrong += await world.play()
        happened += world.happened
    print(f"{len(seeds)} seeds from {seeds.start}: {dict(sorted(happened.items()))}")  # noqa: T201 - shown with -s, for a long run

    assert wrong == []
    assert len(seeds) < PIECE or set(happened) >= DEEDS  # a fault never met would prove nothing


@pytest.mark.parametrize("name", sorted(PLANTED))
async def test_a_planted_bug_is_caught(
    stage: Stage, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The simulator would see it: seeds with a bug in our code find something wrong."""
    plant, found_by = PLANTED[name]
    plant(monkeypatch)
    wrong: list[str] = []
    for seed in range(max(1, found_by - 3), found_by + 60):
        try:
            wrong += await DraftWorld(stage, seed).play()
        except (IntegrityError, AssertionError) as broken:  # the database's own wall found it first
            wrong.append(f"seed {seed}: {broken!r}")
        if wrong:
            break
    print(f"{name}: {wrong[:1]}")  # noqa: T201 - shown with -s: within how many seeds

    assert wrong

"""
Draft worlds from seeds: no duplicate draft, no hour billed twice, none lost, nothing stuck.

``make simulate SEEDS=200`` plays more; a failure names the seed that replays it.
"""

import os
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fastapi import FastAPI

from app.runtime import Runtime
from tests.simulation.drafts import DraftWorld, Stage
from tests.simulation.planted import PLANTED

PIECE = 10
SEEDS = int(os.environ.get("SEEDS", "10"))
FIRST = int(os.environ.get("FIRST", "1"))
PIECES = [
    range(start, min(start + PIECE, FIRST + SEEDS)) for start in range(FIRST, FIRST + SEEDS, PIECE)
]


@pytest.fixture
def stage(
    client: Any, app: FastAPI, runtime: Runtime, settings: Any, network: Any, twins: Any,
    synced: Any, clock: Any, work: Callable[[], Awaitable[int]],
) -> Stage:  # fmt: skip
    return Stage(client, app, runtime, settings, network, twins, synced, clock, work)


@pytest.mark.parametrize("seeds", PIECES, ids=lambda piece: f"{piece.start}-{piece.stop - 1}")
async def test_every_world_ends_true(stage: Stage, seeds: range) -> None:
    """People, faults and deaths in any order: judged by the twins' own stores."""
    happened: Counter[str] = Counter()
    wrong: list[str] = []
    for seed in seeds:
        world = DraftWorld(stage, seed)
        wrong += await world.play()
        happened += world.happened

    assert wrong == []
    assert len(seeds) < PIECE or {"send", "break_books", "die", "person"} <= set(happened)


@pytest.mark.parametrize("name", sorted(PLANTED))
async def test_a_planted_bug_is_caught(
    stage: Stage, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The simulator would see it: the same seeds with a bug in our code find something wrong."""
    PLANTED[name](monkeypatch)
    wrong: list[str] = []
    for seed in range(1, 60):
        wrong += await DraftWorld(stage, seed).play()
        if wrong:
            break

    assert wrong

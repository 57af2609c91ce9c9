"""What a person or a test may do to the twins is told: each control call, each way to break one."""

import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from app.sandbox import conta, timerabbit
from app.sandbox.faults import FaultKind
from app.sandbox.timerabbit.hooks import MODES

SYSTEMS = ("conta", "timerabbit")
PAGE = (Path(__file__).parents[2] / "docs" / "twins.md").read_text(encoding="utf-8")


def control_words(twin: Starlette) -> set[str]:
    """The last word of each control call's path that is no id."""
    paths = [route.path for route in twin.routes if isinstance(route, Route)]
    ours = [path for path in paths if path.startswith("/_control/")]
    return {re.sub(r"/\{[^}]*\}", "", path).rpartition("/")[2] for path in ours}


@pytest.mark.parametrize("twin", [conta.create_twin(), timerabbit.create_twin()], ids=SYSTEMS)
def test_every_control_call_is_told(twin: Starlette) -> None:
    """`docs/twins.md` names each; the table cannot fall behind the twins."""
    words = control_words(twin)

    assert len(words) > 15
    assert sorted(word for word in words if not re.search(rf"/{word}[`/?]", PAGE)) == []


@pytest.mark.parametrize("name", [*FaultKind, *MODES])
def test_every_way_to_break_a_call_or_a_webhook_is_told(name: str) -> None:
    """So is the name of each fault, and of each habit of the webhooks."""
    assert f"`{name}`" in PAGE

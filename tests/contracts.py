"""Hold every call of ours to the contract file of the system it went to."""

from collections.abc import Mapping
from typing import Any


def refuse_violations(system: str, violations: Mapping[str, Any]) -> None:
    """
    Fail on calls of ours that were untrue to the contract.

    Args:
        violations: What the twin noted, as ``GET /_control/violations`` answers it.

    """
    wrong = violations["requests"]
    assert not wrong, f"calls to {system} that are untrue to its contract: {wrong}"

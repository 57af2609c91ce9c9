"""The watch over what real processes send to the twins is on, and it can fail."""

from typing import Any

import httpx
import pytest

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("stories")]


def test_a_call_outside_a_contract_would_fail_its_story(theatre: Any) -> None:
    """Each story ends by asking both twins what was untrue to their contracts."""
    theatre.refuse_violations()
    httpx.get(f"{theatre.addresses.conta}/invoice/organizations?pageSize=5")

    with pytest.raises(AssertionError, match="untrue to its contract"):
        theatre.refuse_violations()

    theatre.people.conta("DELETE", "/violations")

"""What a preview says of values is what the merge does with them."""

from itertools import product

import pytest

from app.canonical import Side
from app.records.agreement import start_base
from app.records.expected import Change, expected_changes
from app.sync.merge import Policy, plan_merge

SAID = (None, "a@b.example", "A@B.example", "c@d.example")


@pytest.mark.parametrize("winner", [None, "time", "books"])
@pytest.mark.parametrize("policy", list(Policy))
def test_the_preview_says_what_the_merge_does(winner: str | None, policy: Policy) -> None:
    """Over all that two sides may say of a field, winners and policies."""
    winners = {} if winner is None else {"email": winner}
    for one, other in product(SAID, SAID):
        time, books = {"email": one}, {"email": other}
        base = start_base(time, books, winners={k: Side(v) for k, v in winners.items()})

        plan = plan_merge(base, time, books, policies={"email": policy})
        found = list(
            expected_changes(time, books, winners=winners, policies={"email": policy.value})
        )

        written = {side for side in Side if plan.to(side)}
        assert {e.side for e in found if e.side is not None} == written, (one, other)
        asked = [e for e in found if e.change is Change.ASKED]
        assert len(asked) == len(plan.conflicts), (one, other)

"""Laws of a link's states: only the listed steps, closed is left by connecting only."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.links.lifecycle import (
    TRANSITIONS,
    PauseReason,
    after_login,
    may_become,
    pause_reason,
    told_status,
)
from app.links.states import LinkState
from app.systems.ports import AccessReason

C, R, A, P, X = (
    LinkState.CONNECTING,
    LinkState.REVIEWING,
    LinkState.ACTIVE,
    LinkState.PAUSED,
    LinkState.CLOSED,
)
ALLOWED = {
    (C, R), (C, A), (C, X), (R, A), (R, P), (R, X), (A, P), (A, X), (P, R), (P, A), (P, X), (X, C),
}  # fmt: skip
"""Written down a second time on purpose: a step added to the code must be added here too."""

states = st.sampled_from(LinkState)


@given(states, states)
def test_only_the_listed_steps_exist(state: LinkState, target: LinkState) -> None:
    """A link may take exactly the steps of the product's table, and no other."""
    assert may_become(state, target) is ((state, target) in ALLOWED)


@given(st.lists(states, max_size=20))
def test_a_walk_leaves_closed_by_connecting_only(wishes: list[LinkState]) -> None:
    """Whatever is asked in whatever order, the step after closed is connecting."""
    walk = [LinkState.CONNECTING]
    for wish in wishes:
        if may_become(walk[-1], wish):
            walk.append(wish)

    after_closed = {to for at, to in pairwise(walk) if at is LinkState.CLOSED}
    assert after_closed <= {LinkState.CONNECTING}


@given(st.lists(states, max_size=20))
def test_no_link_works_before_it_was_connected(wishes: list[LinkState]) -> None:
    """Between closed and active or paused a link always connects anew."""
    state, connected = LinkState.CLOSED, False
    for wish in wishes:
        if may_become(state, wish):
            state = wish
            connected = wish is not LinkState.CLOSED and (connected or wish is C)

    assert connected or state not in (LinkState.ACTIVE, LinkState.PAUSED, LinkState.REVIEWING)


@given(states)
def test_a_link_may_be_closed_from_everywhere(state: LinkState) -> None:
    """Nobody is kept in a link; closing a closed one is no step."""
    assert may_become(state, LinkState.CLOSED) is (state is not LinkState.CLOSED)


@given(states)
def test_no_state_is_a_dead_end(state: LinkState) -> None:
    """From every state work can begin again, in at most three steps."""
    reached = {state}
    for _ in range(3):
        reached |= {target for at in reached for target in TRANSITIONS[at]}

    assert LinkState.ACTIVE in reached


def test_a_couple_that_was_linked_before_is_not_reviewed_again() -> None:
    """What was at work with pairs goes straight to work; an unfinished first sync goes on."""
    assert after_login(was="active", has_pairs=True) is LinkState.ACTIVE
    assert after_login(was="active", has_pairs=False) is LinkState.REVIEWING
    assert after_login(was="reviewing", has_pairs=True) is LinkState.REVIEWING
    assert after_login(was=None, has_pairs=False) is LinkState.REVIEWING


@given(st.sampled_from([None, "active", "reviewing"]), st.booleans())
def test_where_a_log_in_leads_is_a_step_of_the_lifecycle(was: str | None, has_pairs: bool) -> None:
    """The log-in never asks for a step that the table refuses."""
    assert may_become(LinkState.CONNECTING, after_login(was=was, has_pairs=has_pairs))


@pytest.mark.parametrize(
    ("reason", "books", "time"),
    [
        (AccessReason.CREDENTIAL_REFUSED, PauseReason.KEY_REFUSED, PauseReason.LOGIN_LOST),
        (AccessReason.SUBSCRIPTION_ENDED, PauseReason.TRIAL_ENDED, PauseReason.TRIAL_ENDED),
        (
            AccessReason.ORGANIZATION_BLOCKED,
            PauseReason.ORGANIZATION_BLOCKED,
            PauseReason.ORGANIZATION_BLOCKED,
        ),
        (
            AccessReason.ORGANIZATION_READ_ONLY,
            PauseReason.ORGANIZATION_BLOCKED,
            PauseReason.ORGANIZATION_BLOCKED,
        ),
    ],
)
def test_a_refusal_pauses_for_what_a_person_can_mend(
    reason: AccessReason, books: PauseReason, time: PauseReason
) -> None:
    """A refused credential is a key on the books side and a log-in on the time side."""
    assert pause_reason(reason, books=True) is books
    assert pause_reason(reason, books=False) is time


@given(st.sampled_from(AccessReason), st.booleans())
def test_every_refusal_has_a_reason_that_no_person_asked_for(
    reason: AccessReason, books: bool
) -> None:
    """A system's refusal never looks like a person's pause or the brake."""
    assert pause_reason(reason, books=books) not in (
        PauseReason.PERSON_ASKED,
        PauseReason.MASS_CHANGE_STOPPED,
    )


@given(states)
def test_the_time_system_hears_active_of_an_active_link_only(state: LinkState) -> None:
    """Only an active link locks records there; every state has a word of the contract."""
    assert told_status(state) in {"first_sync", "active", "paused", "error"}
    assert (told_status(state) == "active") is (state is LinkState.ACTIVE)

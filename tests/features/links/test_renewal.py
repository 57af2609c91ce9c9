"""A link's access at Timerabbit is renewed once for all who meet it stale, and never in a loop."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.bootstrap import build_runtime
from app.canonical import LinkId, Side
from app.database import CommitPoint
from app.links.credentials import keep_credential, tokens_as_bytes
from app.links.open_systems import open_time
from app.links.token_keeper import LinkTokens
from app.runtime import Runtime
from app.sandbox.seeds import SeedWorld, size
from app.systems.ports import Tokens, Unauthorised, Unreachable
from tests.conftest import SetClock
from tests.features.conftest import Linked, Switch, Twins
from tests.features.links.conftest import Person
from tests.worlds import BEGIN

Work = Callable[[], Awaitable[int]]
Refresh = Callable[[str], Awaitable[Tokens]]


async def token_calls(twins: Twins) -> list[int]:
    """The answers that Timerabbit's token endpoint gave."""
    seen = (await twins.control("timerabbit", "GET", "/requests"))["requests"]
    return [call["status"] for call in seen if call["path"] == "/oauth/token"]


async def read_settings(runtime: Runtime, link_id: LinkId) -> str:
    """Call as any worker does; gives what became of it."""
    try:
        await (await open_time(runtime, link_id)).settings()
    except Unauthorised as refused:
        return refused.reason.value
    except Unreachable:
        return "unreachable"
    return "read"


async def row(runtime: Runtime, link: Linked) -> Any:
    async with runtime.database.reading(link.link_id) as session:
        statement = text("SELECT version, lease_until FROM credentials WHERE side = 'time'")
        return (await session.execute(statement)).one()


@pytest.fixture
def world() -> SeedWorld:
    """Nothing to sync: only access is looked at here."""
    return size(0, 1, today=BEGIN.date())


@pytest.fixture
async def stale(linked: Linked, twins: Twins, clock: SetClock, work: Work) -> Linked:
    """A link whose access has run out."""
    await work()
    clock.advance(hours=2)
    await twins.control("timerabbit", "DELETE", "/requests")
    return linked


async def test_twenty_at_once_make_one_refresh_call(
    stale: Linked, runtime: Runtime, twins: Twins
) -> None:
    """Others wait for the one who renews, and use the new access."""
    outcomes = await asyncio.gather(*(read_settings(runtime, stale.link_id) for _ in range(20)))

    assert outcomes == ["read"] * 20
    assert await token_calls(twins) == [200]


async def test_two_processes_make_one_refresh_call(
    stale: Linked, runtime: Runtime, twins: Twins, clock: SetClock, network: Switch
) -> None:
    """What is held for one process holds for two: the lease is in the database."""
    other = build_runtime(
        runtime.settings, clock=clock, conta_transport=network, timerabbit_transport=network
    )

    outcomes = await asyncio.gather(
        *(read_settings(each, stale.link_id) for each in (runtime, other) for _ in range(5))
    )
    await other.close()

    assert outcomes == ["read"] * 10
    assert await token_calls(twins) == [200]


async def test_a_refresh_that_had_no_effect_is_tried_once_more(
    stale: Linked, runtime: Runtime, twins: Twins
) -> None:
    """A lost answer without an effect is made good by the second try."""
    fault = {"kind": "status_before", "status": 502, "path": "/oauth/token", "times": 1}
    await twins.control("timerabbit", "POST", "/faults", fault)

    assert await read_settings(runtime, stale.link_id) == "read"
    assert await token_calls(twins) == [502, 200]


async def test_a_lost_answer_with_rotated_tokens_ends_in_a_sign_in_not_in_a_loop(
    stale: Linked, runtime: Runtime, twins: Twins
) -> None:
    """The first try took effect and its answer was lost: the second is refused, and that is all."""
    fault = {"kind": "status_after", "status": 502, "path": "/oauth/token", "times": 1}
    await twins.control("timerabbit", "POST", "/faults", fault)

    outcome = await read_settings(runtime, stale.link_id)

    assert outcome == "credential-refused"
    assert await token_calls(twins) == [502, 400]
    assert (await row(runtime, stale)).lease_until is None


async def test_an_outage_of_the_token_endpoint_leaves_the_log_in_as_it_was(
    stale: Linked, runtime: Runtime, twins: Twins
) -> None:
    """Two tries, then the work waits; when the endpoint is back the same log-in is good."""
    before = await row(runtime, stale)
    fault = {"kind": "status_before", "status": 502, "path": "/oauth/token"}
    await twins.control("timerabbit", "POST", "/faults", fault)
    away = await read_settings(runtime, stale.link_id)
    unchanged = await row(runtime, stale)
    await twins.control("timerabbit", "DELETE", "/faults")

    back = await read_settings(runtime, stale.link_id)

    assert (away, back) == ("unreachable", "read")
    assert unchanged == before


async def test_access_taken_back_is_said_at_once(
    stale: Linked, runtime: Runtime, twins: Twins
) -> None:
    """A revoked log-in costs one refresh call, whoever asks."""
    await twins.control("timerabbit", "POST", "/companies/cmp_1/revoke")

    assert await read_settings(runtime, stale.link_id) == "credential-refused"
    assert await token_calls(twins) == [400]


async def test_a_link_without_a_log_in_says_so(kari: Person, runtime: Runtime) -> None:
    """Nothing is called for a link that nobody logged in on."""
    started = await kari.start()
    link_id = LinkId(UUID(started.json()["link"]["id"]))
    keeper = LinkTokens(runtime, link_id)

    assert await read_settings(runtime, link_id) == "credential-refused"
    with pytest.raises(Unauthorised):
        await keeper.renew(Tokens("a", "r", runtime.clock()), _never)


async def _never(token: str) -> Tokens:
    raise AssertionError(token)


async def test_tokens_without_a_refresh_token_need_a_new_log_in(
    linked: Linked, runtime: Runtime
) -> None:
    """What cannot be renewed is not tried; the next one who looks is not kept waiting."""
    tokens = Tokens("only-access", None, runtime.clock())
    async with runtime.database.transaction(CommitPoint.PLAIN, linked.link_id) as session:
        await keep_credential(
            session, runtime.vault, linked.link_id, Side.TIME, tokens_as_bytes(tokens),
            now=runtime.clock(),
        )  # fmt: skip

    for _ in range(2):
        with pytest.raises(Unauthorised):
            await LinkTokens(runtime, linked.link_id).renew(tokens, _never)


async def test_a_dead_renewers_lease_ends(
    linked: Linked, runtime: Runtime, clock: SetClock
) -> None:
    """Who dies while renewing holds others up only as long as its two tries could have taken."""
    keeper = LinkTokens(runtime, linked.link_id)
    held = await keeper.current()
    _, lease = await keeper._take_lease(held)
    assert lease is not None
    two_tries = 2 * runtime.settings.outgoing_timeout_seconds
    assert (lease - clock()).total_seconds() > two_tries
    clock.instant = lease
    fresh = Tokens("fresh", "next", clock())

    async def refresh(token: str) -> Tokens:
        assert token == held.refresh
        return fresh

    assert await keeper.renew(held, refresh) == fresh


async def test_a_renewer_that_was_overtaken_writes_nothing(
    linked: Linked, runtime: Runtime, clock: SetClock, kari: Person
) -> None:
    """A person's new log-in during a slow renewal wins over the renewal's late answer."""
    keeper = LinkTokens(runtime, linked.link_id)
    held = await keeper.current()

    async def refresh(token: str) -> Tokens:
        started = await kari.start(key="meanwhile")
        answer = await kari.hand_over(started, await kari.log_in(started))
        assert answer.status_code == 200
        return Tokens("late", "late", clock())

    given = await keeper.renew(held, refresh)

    assert given.access not in ("late", held.access)
    assert await keeper.current() == given

"""Pause, resume, unlink and relink over the API, with both twins watching."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from uuid_utils.compat import uuid7

from app.canonical import LinkId, RecordId, RecordKind
from app.database import CommitPoint
from app.links.change_state import activate, pause, resume
from app.links.lifecycle import PauseReason
from app.links.pairs import make_pair
from app.links.tell import tell_link
from app.runtime import Runtime
from tests.features.conftest import Linked, Twins
from tests.features.links.conftest import Person, shown

Work = Callable[[], Awaitable[int]]


async def stop(runtime: Runtime, link: Linked, reason: PauseReason, **detail: Any) -> bool:
    async with runtime.database.transaction(CommitPoint.PLAIN, link.link_id) as session:
        return await pause(session, link.link_id, reason=reason, now=runtime.clock(), detail=detail)


async def count(runtime: Runtime, link: Linked, table: str) -> int:
    async with runtime.database.reading(link.link_id) as session:
        return int(await session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


async def paired(runtime: Runtime, link: Linked) -> None:
    async with runtime.database.transaction(CommitPoint.PLAIN, link.link_id) as session:
        await make_pair(
            session, link.link_id, RecordKind.CUSTOMER, time_id=RecordId("cus_1"),
            books_id=RecordId("10001"),
            base={}, origin="matched", now=runtime.clock(),
        )  # fmt: skip


async def test_a_person_pauses_and_resumes(
    linked: Linked, client: httpx.AsyncClient, twins: Twins, work: Work
) -> None:
    """A pause names its reason and who asked; both systems hear of it; resuming goes on."""
    paused = await client.post(f"{linked.path}/pause", headers=linked.books)
    await work()
    told = (await twins.time())["link"]["status"]
    resumed = await client.post(f"{linked.path}/resume", headers=linked.time)
    await work()

    assert (paused.json()["state"], paused.json()["pauseReason"]) == ("paused", "person-asked")
    assert paused.json()["pauseDetail"] == {"by": "kari@1001"}
    assert told == "paused"
    assert (resumed.json()["state"], resumed.json()["pauseReason"]) == ("active", None)
    assert (await twins.time())["link"]["status"] == "active"


async def test_a_link_under_review_pauses_and_goes_on_under_review(
    reviewing: Linked, client: httpx.AsyncClient
) -> None:
    """Resuming goes where the link was, not further."""
    await client.post(f"{reviewing.path}/pause", headers=reviewing.books)

    answer = await client.post(f"{reviewing.path}/resume", headers=reviewing.books)

    assert answer.json()["state"] == "reviewing"


async def test_the_first_reason_of_a_pause_stays(
    linked: Linked, client: httpx.AsyncClient, runtime: Runtime
) -> None:
    """Pausing a paused link changes nothing, so that a person is told once."""
    first = await stop(runtime, linked, PauseReason.MASS_CHANGE_STOPPED)
    second = await stop(runtime, linked, PauseReason.LOGIN_LOST)
    asked = await client.post(f"{linked.path}/pause", headers=linked.books)

    assert (first, second) == (True, False)
    assert (asked.status_code, asked.json()["pauseReason"]) == (200, "mass-change-stopped")


async def test_a_persons_pause_outlives_a_new_key(
    linked: Linked, client: httpx.AsyncClient, runtime: Runtime
) -> None:
    """Who pauses a link that lost its key means it: the new key alone does not set it going."""
    await stop(runtime, linked, PauseReason.KEY_REFUSED)
    asked = await client.post(f"{linked.path}/pause", headers=linked.books)
    again = await stop(runtime, linked, PauseReason.KEY_REFUSED)
    key = {"key": "conta-demo-key"}
    await client.put(f"{linked.path}/conta-key", headers=linked.books, json=key)
    kept = await shown(client, linked)

    resumed = await client.post(f"{linked.path}/resume", headers=linked.books)

    assert (asked.json()["pauseReason"], again) == ("person-asked", False)
    assert (kept["state"], kept["pauseReason"]) == ("paused", "person-asked")
    assert resumed.json()["state"] == "active"


async def test_a_connecting_link_cannot_pause(kari: Person, client: httpx.AsyncClient) -> None:
    """What does not work yet has nothing to pause: 409 with where it stands."""
    started = await kari.start()
    path = f"/v1/links/{started.json()['link']['id']}/pause"

    answer = await client.post(path, headers=kari.headers)

    assert (answer.status_code, answer.json()["code"]) == (409, "link-state")
    assert answer.json()["facts"] == {"state": "connecting", "target": "paused"}


async def test_resuming_a_running_link_changes_nothing(
    linked: Linked, client: httpx.AsyncClient
) -> None:
    """A running link is left as it is, its version too."""
    before = await shown(client, linked)

    answer = await client.post(f"{linked.path}/resume", headers=linked.books)

    assert answer.json() == before


async def test_state_moves_of_unknown_links_say_that_nothing_changed(
    runtime: Runtime, reviewing: Linked, kari: Person
) -> None:
    """Jobs may meet a link that is gone or elsewhere; they are told so."""
    gone, now = LinkId(uuid7()), runtime.clock()
    async with runtime.database.transaction(CommitPoint.PLAIN, gone) as session:
        moved = [
            await pause(session, gone, reason=PauseReason.KEY_REFUSED, now=now),
            await resume(session, gone, now=now),
            await activate(session, gone, now=now),
        ]

    assert moved == [False, False, False]


async def test_activating_twice_activates_once(linked: Linked, runtime: Runtime) -> None:
    """Only a link under review becomes active."""
    async with runtime.database.transaction(CommitPoint.PLAIN, linked.link_id) as session:
        again = await activate(session, linked.link_id, now=runtime.clock())

    assert again is False


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        (PauseReason.LOGIN_LOST, "active"),
        (PauseReason.TRIAL_ENDED, "active"),
        (PauseReason.PERSON_ASKED, "paused"),
        (PauseReason.MASS_CHANGE_STOPPED, "paused"),
        (PauseReason.KEY_REFUSED, "paused"),
    ],
)
async def test_a_new_log_in_mends_only_a_lost_one(
    linked: Linked, kari: Person, runtime: Runtime, reason: PauseReason, state: str
) -> None:
    """A person's pause, a stopped mass change or a refused key outlives a log-in."""
    await stop(runtime, linked, reason)
    started = await kari.start(key="again")

    answer = await kari.hand_over(started, await kari.log_in(started))

    assert (answer.status_code, answer.json()["state"]) == (200, state)


async def test_unlinking_erases_what_opens_and_keeps_what_proves(
    linked: Linked, client: httpx.AsyncClient, runtime: Runtime, twins: Twins, work: Work
) -> None:
    """Key and log-in are gone, Timerabbit has forgotten the link, pairs stay."""
    await paired(runtime, linked)

    answer = await client.delete(linked.path, headers=linked.books)
    await work()

    assert (answer.status_code, answer.json()["state"]) == (200, "closed")
    assert answer.json()["conta"]["hasKey"] is False
    assert await count(runtime, linked, "credentials") == 0
    assert await count(runtime, linked, "pairs") == 1
    company = await twins.time()
    assert (company["link"], company["subscriptions"]) == (None, [])


async def test_unlinking_twice_is_unlinking_once(
    linked: Linked, client: httpx.AsyncClient, work: Work
) -> None:
    """A closed link stays as it was; nobody is told again."""
    first = await client.delete(linked.path, headers=linked.books)
    await work()

    again = await client.delete(linked.path, headers=linked.books)

    assert again.json() == first.json()
    assert await work() == 0


@pytest.mark.parametrize("status", [401, 404, 422, 503])
async def test_a_log_in_is_erased_even_when_timerabbit_does_not_listen(
    linked: Linked, client: httpx.AsyncClient, runtime: Runtime, twins: Twins, work: Work,
    status: int,
) -> None:  # fmt: skip
    """Saying goodbye is a courtesy, erasing is a promise."""
    await twins.control(
        "timerabbit", "POST", "/faults", {"kind": "status_before", "status": status, "path": "/"}
    )

    await client.delete(linked.path, headers=linked.books)
    await work()

    assert await count(runtime, linked, "credentials") == 0


async def test_telling_a_paused_link_survives_a_lost_log_in(
    linked: Linked, client: httpx.AsyncClient, twins: Twins, work: Work
) -> None:
    """When Timerabbit lets us in no more the job ends; nothing of the link hangs on it."""
    await twins.control("timerabbit", "POST", "/companies/cmp_1/revoke")

    await client.post(f"{linked.path}/pause", headers=linked.books)
    await work()

    assert (await shown(client, linked))["state"] == "paused"


async def test_a_link_that_is_not_there_is_not_told(runtime: Runtime, twins: Twins) -> None:
    """A job may come after its link is gone; it calls nobody."""
    await tell_link(runtime, LinkId(uuid7()))

    assert (await twins.control("timerabbit", "GET", "/requests"))["requests"] == []


async def test_a_closed_link_cannot_be_handed_over(
    reviewing: Linked, client: httpx.AsyncClient, kari: Person, runtime: Runtime, work: Work
) -> None:
    """A log-in that was under way when the link closed leaves no access behind."""
    started = await kari.start(key="again")
    brought = await kari.log_in(started)
    await client.delete(reviewing.path, headers=reviewing.books)
    await work()

    answer = await kari.hand_over(started, brought)

    assert (answer.status_code, answer.json()["code"]) == (400, "handover-refused")
    assert await count(runtime, reviewing, "credentials") == 0


async def test_linking_the_same_couple_again_goes_on_with_its_pairs(
    linked: Linked, client: httpx.AsyncClient, kari: Person, runtime: Runtime, work: Work
) -> None:
    """Relink reopens the link, waits for a new key, and passes over the first sync."""
    await paired(runtime, linked)
    await client.delete(linked.path, headers=linked.books)
    await work()

    started = await kari.start(key="relink")
    answer = await kari.hand_over(started, await kari.log_in(started))

    assert started.status_code == 201
    assert started.json()["link"]["id"] == str(linked.link_id)
    assert (answer.json()["state"], answer.json()["pauseReason"]) == ("paused", "key-missing")
    assert answer.json()["conta"]["hasKey"] is False
    assert await count(runtime, linked, "pairs") == 1
    key = {"key": "conta-demo-key"}
    await client.put(f"{linked.path}/conta-key", headers=linked.books, json=key)
    assert (await shown(client, linked))["state"] == "active"


async def test_a_reopened_link_without_pairs_is_reviewed(
    linked: Linked, client: httpx.AsyncClient, kari: Person, work: Work
) -> None:
    """A couple that never had a first sync has it now."""
    await client.delete(linked.path, headers=linked.books)
    await work()

    started = await kari.start(key="relink")
    answer = await kari.hand_over(started, await kari.log_in(started))

    assert answer.json()["state"] == "reviewing"


async def test_another_company_gets_a_link_of_its_own(
    linked: Linked, client: httpx.AsyncClient, kari: Person, work: Work
) -> None:
    """Asked for, a closed link stays closed and a new couple begins."""
    await client.delete(linked.path, headers=linked.books)
    await work()

    started = await kari.start(key="other", anotherCompany=True)
    brought: dict[str, Any] = await kari.log_in(started, "cmp_2")
    answer = await kari.hand_over(started, brought | {"confirmDifferentNumbers": True})

    assert started.json()["link"]["id"] != str(linked.link_id)
    assert answer.json()["timerabbit"]["accountId"] == "cmp_2"
    assert (await shown(client, linked))["state"] == "closed"


async def test_a_couple_comes_back_to_its_own_link(
    linked: Linked, client: httpx.AsyncClient, kari: Person, runtime: Runtime, work: Work
) -> None:
    """The old couple in a new link would lose its pairs: the old link is opened in its place."""
    await client.delete(linked.path, headers=linked.books)
    await work()
    started = await kari.start(key="other", anotherCompany=True)

    answer = await kari.hand_over(started, await kari.log_in(started, "cmp_1"))

    assert (answer.status_code, answer.json()["id"]) == (200, str(linked.link_id))
    assert (await kari.read(started))["state"] == "closed"


async def test_a_closed_link_stays_closed_while_its_company_is_linked_elsewhere(
    linked: Linked, client: httpx.AsyncClient, kari: Person, nils: Person, work: Work
) -> None:
    """A company is in one open link: reopening meets the other one and says so."""
    await client.delete(linked.path, headers=linked.books)
    await work()
    theirs = await nils.start(key="theirs")
    brought: dict[str, Any] = await nils.log_in(theirs, "cmp_1")
    await nils.hand_over(theirs, brought | {"confirmDifferentNumbers": True})

    answer = await kari.start(key="relink")

    assert (answer.status_code, answer.json()["code"]) == (409, "account-already-linked")
    assert (await shown(client, linked))["state"] == "closed"
